"""The metrics of a service, read the way Prometheus reads them."""

from __future__ import annotations

from prometheus_client.parser import text_string_to_metric_families

from tests.http.support.site import Site

Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def metrics(site: Site) -> Samples:
    """Return every sample by its name and labels."""
    answer = site.client.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def value(samples: Samples, name: str, **labels: str) -> float:
    return samples.get((name, tuple(sorted(labels.items()))), 0.0)


def requests(samples: Samples, method: str, route: str, status: int) -> float:
    return value(samples, "hourledger_requests_total", method=method, route=route, status=str(status))


def outcomes(before: Samples, after: Samples) -> dict[str, float]:
    """Return how many events had each outcome between two samples."""
    more = {
        dict(labels)["outcome"]: after[name, labels] - value(before, name, **dict(labels))
        for name, labels in after
        if name == "hourledger_events_total"
    }
    return {outcome: events for outcome, events in more.items() if events}
