"""No answer and no log holds a secret."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from tests.http.conftest import READ_TOKEN, WRITE_KEY
from tests.http.support.gate import READER, READS
from tests.http.support.site import Site, an_event, refused

WRITER = {"authorization": f"Bearer {WRITE_KEY}"}


def secrets_told(*answers: httpx.Response) -> list[str]:
    """Return the texts of the answers that hold a secret."""
    told = [answer.text + str(answer.headers) for answer in answers]
    return [text for text in told if WRITE_KEY in text or READ_TOKEN in text]


def test_no_answer_tells_a_secret(guarded: Site) -> None:
    client = guarded.client
    answers = [
        client.post(f"/e?key={WRITE_KEY}", json=an_event()),
        client.post(f"/e?key={WRITE_KEY}", content=b"nonsense"),
        client.post(f"/e?key={WRITE_KEY}x", json=an_event()),
        client.post("/e", content=b"{", headers=WRITER | {"content-encoding": "br"}),
        client.post("/e", json=an_event(extra=1), headers={"x-write-key": WRITE_KEY}),
        client.put(f"/e?key={WRITE_KEY}", headers=READER),
        client.get(f"/e?key={WRITE_KEY}&token={READ_TOKEN}", headers=READER),
        client.get(f"/nothing?key={WRITE_KEY}", headers=READER),
        client.get("/api/analytics/rollups?hours=0", headers=READER),
        client.get("/api/analytics/rollups", headers=WRITER),
        client.get("/api/analytics/rollups", headers=WRITER | {"host": "evil.example"}),
        client.get(f"/metrics?key={WRITE_KEY}", headers=READER),
        client.get("/health/ready", headers=WRITER),
    ]
    assert {answer.status_code for answer in answers} == {200, 400, 401, 404, 405, 415, 421}
    assert secrets_told(*answers) == []
    assert WRITE_KEY not in guarded.log()
    assert READ_TOKEN not in guarded.log()


@contextmanager
def broken(site: Site, name: str, body: str) -> Iterator[None]:
    """Replace a function of the database by one whose rows the service cannot read."""
    ((working, arguments, result),) = site.rows(
        "select pg_get_functiondef(f), pg_get_function_arguments(f), pg_get_function_result(f)"
        " from (select $1::text::regproc::oid) as asked (f)",
        name,
    )
    site.rows(f"create or replace function {name}({arguments}) returns {result} language sql as $${body}$$")
    try:
        yield
    finally:
        site.rows(working)


def test_a_fault_of_the_service_is_logged_without_secrets(guarded: Site) -> None:
    client = guarded.client
    with broken(guarded, "append_events", "select 1, 'nonsense'::text"):
        answers = [
            client.post("/e", json=an_event(), headers=WRITER),
            client.post(f"/e?key={WRITE_KEY}", json=an_event()),
            client.post("/e/batch", json=[an_event()], headers={"x-write-key": WRITE_KEY}),
        ]
    with broken(guarded, "read_hourly", "select 'event_type', null::timestamptz, null::text, null::bigint"):
        answers.append(client.get(READS[3], headers=READER))
    for answer in answers:
        refused(answer, 500, "internal")
    assert secrets_told(*answers) == []
    log = guarded.log()
    assert log.count("a request failed") == len(answers)
    assert WRITE_KEY not in log
    assert READ_TOKEN not in log
