"""What verify finds, as commands print it: a line for each finding, or an object of the JSON answer."""

from __future__ import annotations

from typing import Any

import click
import msgspec

from projections.acceptance import Accepted
from projections.archive.proof import FileProof
from projections.commands.hours import hour_text
from projections.commands.sites import SiteNames, shard_text
from projections.conservation import Conservation
from projections.log_heads import Loss
from projections.verify import ARCHIVE_FILE, UNREADABLE, Difference, HourProof
from service.console import counted
from sql.hourly import BROKEN, DAMAGED, DRIFTED

# The class of damage that was accepted: no state of a proof.
ACCEPTED = "accepted"
LOSSES = {
    "position": "the log ends at position {now}, but it had reached {known}: positions {first} to {known} are lost",
    "stored": "{now} events are stored, but {known} had been",
    "newest": "the event at position {known} is lost, or another one is there",
    "head": "it cannot be read how far the log reaches, but it had reached {known}",
    "seal": "seal {known} is lost, or another one is there",
    "links": "its chain of seals and amendments ends at link {now}, but it had reached {known}",
}
# Losses of the chain. All others are of events.
CHAIN = frozenset({"seal", "links"})


class Findings:
    """Prints findings as they come, or keeps them for the JSON answer. sites: the names that it tells with shards."""

    def __init__(self, sites: SiteNames, *, keep: bool) -> None:
        self.kept: list[dict[str, Any]] = []
        self._sites = sites
        self._keep = keep

    def proof(self, proof: HourProof) -> None:
        """Report what is wrong with an hour."""
        where = {"hour": hour_text(proof.hour.start), "shard": proof.hour.shard, "class": proof.state}
        for difference in proof.differences:
            self._report(
                _difference_text(proof, difference),
                where
                | {
                    "field": difference.field,
                    "bucket": hour_text(difference.bucket),
                    "key": difference.key,
                    "stored": difference.stored,
                    "recounted": difference.recounted,
                },
            )

    def accepted(self, accepted: Accepted) -> None:
        """Name damage that was accepted. It is nothing wrong."""
        who = f"by {accepted.asked_by} at {accepted.at:%Y-%m-%dT%H:%M:%SZ}: {accepted.reason}"
        text = f"{counted(accepted.before, 'event')} appended, {accepted.after:,} found and accepted {who}"
        where = {"hour": hour_text(accepted.hour), "shard": accepted.shard, "class": ACCEPTED, "bucket": None}
        values = {"key": accepted.reason, "stored": str(accepted.before), "recounted": str(accepted.after)}
        self._report(text, where | {"field": "events"} | values)

    def sum(self, shard: Conservation) -> None:
        """Report that a shard's events do not add up, or cannot be counted."""
        text = f"{counted(shard.stored, 'event')} stored, but {shard.live:,} live + {shard.retired:,} retired"
        text += f" + {shard.erased:,} erased" if shard.erased else ""
        field, found = "stored", str(shard.live + shard.retired + shard.erased)
        if shard.unreadable:
            text, field, found = f"its events cannot be counted: {shard.unreadable}", UNREADABLE, "none"
        self._of_shard(shard.shard, DAMAGED, text, (field, shard.unreadable, str(shard.stored), found))

    def loss(self, loss: Loss) -> None:
        """Report what a log has lost since a copy of its head."""
        at = f"{loss.head.at:%Y-%m-%dT%H:%M:%SZ}"
        there = loss.now or 0
        text = LOSSES[loss.field].format(now=f"{there:,}", known=f"{loss.known:,}", first=f"{there + 1:,}")
        found = "none" if loss.now is None else str(loss.now)
        values = f"witnessed_{loss.field}", at, str(loss.known), found
        state = BROKEN if loss.field in CHAIN else DAMAGED
        self._of_shard(loss.head.shard, state, f"{text} (witnessed {at})", values)

    def file(self, proof: FileProof) -> None:
        """Report a file of the archive that is damaged."""
        file, wrong = proof.file, proof.wrong
        if wrong is None:
            return
        first, last = min(file.hours), max(file.hours)
        hours = f"its hours, {hour_text(first)} to {hour_text(last)}"
        remedy = f"the projector proves it again within minutes, and writes {hours}, anew from the log"
        if file.only_copy:
            remedy = f"nothing else has the events of {hours}: put the file back from a backup"
        text = f"archive file {file.file}: {wrong}; {remedy}"
        where = {"hour": hour_text(first), "shard": file.shard, "class": DAMAGED}
        found = {"field": ARCHIVE_FILE, "bucket": None, "key": file.file, "stored": str(file.events)}
        self._report(text, where | found | {"recounted": wrong})

    def _of_shard(self, shard: int, state: str, text: str, values: tuple[str, str | None, str, str]) -> None:
        field, key, stored, recounted = values
        where = {"hour": None, "shard": shard, "class": state}
        found = {"field": field, "bucket": None, "key": key, "stored": stored, "recounted": recounted}
        self._report(text, where | found)

    def _report(self, text: str, finding: dict[str, Any]) -> None:
        shard = finding["shard"]
        if self._keep:
            self.kept.append(finding | ({"site": self._sites[shard]} if shard in self._sites else {}))
            return
        hour = f"{finding['hour']} " if finding["hour"] else ""
        click.echo(f"{hour}{shard_text(shard, self._sites)}: {finding['class']}: {text}")


def _difference_text(proof: HourProof, difference: Difference) -> str:
    if difference.field == UNREADABLE:
        return f"{UNREADABLE}: {difference.key}"
    if difference.field == ARCHIVE_FILE:
        return f"archive file {difference.key}: {difference.recounted}" if difference.key else difference.recounted
    key = "" if difference.key is None else f" {msgspec.json.encode(difference.key).decode()}"
    quarter = f" at {difference.bucket:%H:%M}" if proof.state == DRIFTED else ""
    values = f"stored {difference.stored}, recounted {difference.recounted}"
    if proof.state == DAMAGED:
        values = f"appended {difference.stored}, found {difference.recounted}"
    return f"{difference.field}{key}{quarter}: {values}"
