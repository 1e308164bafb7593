"""The command `alerts`, and that a running service knows a rule that it adds."""

from __future__ import annotations

import re

from tests.http.support.site import Site

MAIL = "mailto:ops@example.com"


def test_rules_are_added_listed_tried_and_removed(site: Site) -> None:
    added = site.run(
        "alerts", "add", "quiet", "--when", "no events for 30 minutes", "--to", "https://hooks.invalid/KEY"
    )
    assert re.fullmatch(r"whsec_[A-Za-z0-9+/]{43}=\n", added.stdout)
    assert "alerts: added quiet" in added.stderr
    mail = site.run("alerts", "add", "disk", "--when", "low disk", "--to", MAIL)
    assert mail.stdout == ""
    assert "HOURLEDGER_SMTP_URL is not set here" in mail.stderr

    listed = site.run("alerts", "list").stdout
    assert listed.splitlines() == [
        f"disk  low disk, site default, to {MAIL}",
        "quiet  no events for 30 minutes, site default, to https://hooks.invalid/…",
        "alerts: 2 rules",
    ]
    tried = site.run("alerts", "test", "disk", code=2)
    assert tried.stdout == f"{MAIL}: not sent: HOURLEDGER_SMTP_URL is not set where the service runs\n"
    assert tried.stderr == "error: 1 of 1 message could not be sent\n"
    for name in ("quiet", "disk"):
        assert site.run("alerts", "remove", name).stdout == f"alerts: {name} is removed\n"
    assert site.run("alerts", "list").stdout == "alerts: 0 rules\n"


def test_what_is_wrong_is_told_in_one_line(site: Site) -> None:
    for words, told in (
        (("add", "a", "--when", "low disc", "--to", MAIL), "the condition must be a sentence such as"),
        (("add", "a", "--when", "low disk", "--to", "ftp://x"), "a target must begin with mailto:"),
        (("add", "A", "--when", "low disk", "--to", MAIL), "name must be 1 to 64 of a-z"),
        (("add", "a", "--when", "low disk", "--to", MAIL, "--to", MAIL), "each of them once"),
        (("add", "a", "--when", "low disk", "--to", MAIL, "--site", "nowhere"), "there is no such site"),
        (("remove", "nothing"), "there is no rule 'nothing'; `python -m service alerts list` lists the rules"),
        (("test", "nothing"), "there is no rule 'nothing'"),
    ):
        error = site.run("alerts", *words, code=2).stderr
        assert told in error
        assert len(error.splitlines()) == 1
    values = site.client.get("/metrics").text
    assert "hourledger_alerts_firing 0.0" in values
    assert "hourledger_alert_messages_waiting 0.0" in values
