"""Changes of the log or its witnesses behind hourledger's back, and the fields that verify must name."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from tests.support.alterations import EMPTY, LAST, NEXT
from tests.support.projection import START

ALL = frozenset({"events", "position_sum", "digest_high", "digest_low"})
DIGEST = frozenset({"digest_high", "digest_low"})
INSERT = """
insert into events (position, timestamp, received_at, shard, demo_mode, event_id, session_id, event_type)
values (99, {start} + interval '%s', now(), 0, true, 'by hand', 's1', 'page_viewed')
"""


@dataclass(frozen=True)
class Damage:
    """A change of the log or its witnesses, and the fields that verify must name in each damaged hour."""

    script: str
    fields: dict[datetime, frozenset[str]] = field(default_factory=lambda: {START: ALL})


DAMAGES = {
    "an event was deleted": Damage("delete from events where event_id = 'evt_0'"),
    "an event was added": Damage(INSERT % "7 minutes"),
    "an event was added where nothing was": Damage(INSERT % "10 hours", {EMPTY: ALL}),
    "properties were changed": Damage(
        """update events set properties = '{{"a": 2}}' where event_id = 'evt_1'""", {START: DIGEST}
    ),
    "properties were added": Damage("update events set properties = '{{}}' where event_id = 'evt_0'", {START: DIGEST}),
    "properties became null": Damage("update events set properties = null where event_id = 'evt_1'", {START: DIGEST}),
    "an action became empty": Damage("update events set action = '' where event_id = 'evt_1'", {START: DIGEST}),
    "a mode was changed": Damage("update events set demo_mode = false where event_id = 'evt_1'", {START: DIGEST}),
    "a user was named": Damage("update events set user_id = 's1' where event_id = 'evt_1'", {START: DIGEST}),
    "names were exchanged": Damage(
        "update events set tool_name = event_type, event_type = tool_name where event_id = 'evt_1'", {START: DIGEST}
    ),
    "an event became another's": Damage(
        "update events set session_id = 's2' where event_id = 'evt_1'", {START: DIGEST}
    ),
    "an event was moved by a microsecond": Damage(
        "update events set timestamp = timestamp + interval '1 microsecond' where event_id = 'evt_0'", {START: DIGEST}
    ),
    "an event was moved by an hour": Damage(
        "update events set timestamp = timestamp + interval '1 hour' where event_id = 'evt_0'", {START: ALL, NEXT: ALL}
    ),
    "a position was changed": Damage(
        "update events set position = 77 where event_id = 'evt_0'", {START: frozenset({"position_sum"})}
    ),
    "the ledger counts one more": Damage(
        "update hour_ledger set events = events + 1 where hour = {start}", {START: frozenset({"events"})}
    ),
    "the ledger's digest was changed": Damage(
        "update hour_ledger set digest_low = digest_low + 1 where hour = {start}", {START: frozenset({"digest_low"})}
    ),
    "a row of the ledger was deleted": Damage("delete from hour_ledger where hour = {start}"),
    "a row was added to the ledger": Damage(
        "insert into hour_ledger values (0, {start} + interval '10 hours', 1, 1, 1, 1)", {EMPTY: ALL}
    ),
    "a receipt was changed": Damage(
        "update receipts set position_sum = 0 where last_position = 6", {LAST: frozenset({"position_sum"})}
    ),
    "a receipt was deleted": Damage("delete from receipts where last_position = 6", {LAST: ALL}),
    "all receipts were deleted": Damage("delete from receipts", {NEXT: ALL, LAST: ALL}),
}
