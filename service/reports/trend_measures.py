"""Reads the metric of a trend in each bucket: a count, or what visits or numbers are like."""

from __future__ import annotations

from service.archive.checks import filter_checks
from service.archive.measure_questions import InBuckets, Numbers, Visits
from service.archive.questions import PART
from service.questions.buckets import Bounds
from service.reports.counted import Counted
from service.reports.counts import Counts, Scope, Wanted
from service.reports.measured import NUMBER_METRICS, QUANTILES, VISIT_METRICS, Measured
from service.reports.trend_question import Question
from sql.hourly import METRICS

Keys = tuple[str, ...] | None


async def measured(
    counts: Counts, question: Question, scope: Scope, bounds: Bounds, keys: Keys = None
) -> Counted | Measured:
    """Return a question's metric in each bucket, and with keys for each of them. Call it within `counts.admitted`."""
    asked = _asked(question, scope, bounds, keys)
    if asked is None:
        return await counts.read(scope, bounds, _wanted(question, keys))
    answer = await counts.ask(asked)
    return Measured(answer.rows, answer.source)


def _asked(question: Question, scope: Scope, bounds: Bounds, keys: Keys) -> InBuckets | None:
    """Return the question about raw events, None for a metric that is a count."""
    by = question.by if keys is not None else None
    dimension, path = by or (None, None)
    checks = filter_checks(scope.filters)
    if question.metric in VISIT_METRICS:
        return Visits(checks=checks, bounds=bounds, divided_by=dimension, path=path, keys=keys)
    if question.of is None or question.metric not in NUMBER_METRICS:
        return None
    return Numbers(
        checks=checks,
        bounds=bounds,
        divided_by=dimension,
        path=path,
        keys=keys,
        of=question.of,
        with_quantiles=question.metric in QUANTILES,
    )


def _wanted(question: Question, keys: Keys) -> Wanted:
    """Return the counts that a metric needs, for the whole and for each key."""
    if keys is None:
        return Wanted(METRICS[question.counted], most=0)
    is_divided = question.counted != "events" or question.measure == PART
    return Wanted((*METRICS[question.counted], question.measure), keys, question.by if is_divided else None)
