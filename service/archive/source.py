"""The events of a question as relations of DuckDB, from the parts that hold them."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import reduce
from itertools import pairwise
from math import gcd

from duckdb import CaseExpression, DuckDBPyRelation, Expression

from service.archive.checks import Check, Checks
from service.archive.conditions import Properties, passes_all
from service.archive.json_text import call, constant, either, surely
from service.archive.keys import NO_KEY, event_key
from service.archive.quarantines import Quarantine, counts
from service.archive.questions import STORED_TEXTS, Cohorts, Funnel, Question
from service.archive.streams import column
from sql.archive.files import PropertyColumn

MICROSECOND = timedelta(microseconds=1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_UUID = "UUID"

Columns = Callable[[Properties], Sequence[Expression]]


@dataclass(frozen=True, slots=True)
class Part:
    """Events of one origin: files that have the same property columns, or rows that are in no file.

    relation: has the columns that the question needs. columns: its property columns. ordered: whether it gives the
    events of each session together and by timestamp and position, as a file does; several files must be in the order
    of their hours. A strict funnel reads each such part in one thread, so two parts are faster than one. inside:
    whether all of its events are known to be in the question's range, so that their timestamps need not be read.
    is_table: whether reading it again costs little, apart from `session`. quarantines: those that leave out some of its
    events.
    """

    relation: DuckDBPyRelation
    columns: tuple[PropertyColumn, ...] = ()
    ordered: bool = False
    inside: bool = False
    is_table: bool = False
    quarantines: tuple[Quarantine, ...] = ()

    @property
    def properties(self) -> Properties:
        """Where its properties are."""
        return Properties(self.columns)


def passing(part: Part, question: Question, checks: Checks) -> DuckDBPyRelation:
    """Return the events of a part in the question's range that pass the checks, and that no quarantine leaves out."""
    since, until = question.range
    timestamp = column("timestamp")
    conditions = [] if part.inside else [timestamp < constant(until)]
    if since is not None and not part.inside:
        conditions.append(timestamp >= constant(since))
    if checks:
        conditions.append(passes_all(checks, part.properties))
    if part.quarantines:
        conditions.append(counts(part.quarantines, part.properties))
    return part.relation.filter(reduce(Expression.__and__, conditions)) if conditions else part.relation


def without_session(columns: Iterable[str]) -> set[str]:
    """Return columns with the session's id in the place of its digest, which costs as much as all others."""
    return {"session_id" if name == "session" else name for name in columns}


def together(relations: Sequence[DuckDBPyRelation]) -> DuckDBPyRelation:
    """Return the rows of all relations."""
    return reduce(DuckDBPyRelation.union, relations)


def cohort_events(parts: Sequence[Part], question: Cohorts) -> DuckDBPyRelation:
    """Return the relation `events` of sql/archive/cohorts.sql."""
    of_visitors = question.by == "visitor"
    returning = question.return_event_type
    before = column("timestamp") < constant(question.bounds[0])
    shared = [
        either(before, constant(0).cast("INTEGER"), bucket(question.bounds)).alias("period"),
        column("user_id"),
        (column("session") if of_visitors else constant(None).cast(_UUID)).alias("session"),
        (column("event_type") == constant(returning) if returning else constant(True)).alias("returns"),
    ]

    def of_part(part: Part) -> DuckDBPyRelation:
        enters = surely(passes_all(question.checks, part.properties)).alias("enters")
        return passing(part, question, ()).select(*shared, enters)

    return together([of_part(part) for part in parts])


def funnel_events(part: Part, question: Funnel) -> DuckDBPyRelation:
    """Return the events of a part that matter to a funnel, as rows of service/archive/runs.py, and position and shard.

    A strict run allows no other event between two steps, so it needs every event.
    """
    events = _acting(part, question).select(
        _actor(question).alias("actor"),
        call("epoch_us", column("timestamp")).alias("moment"),
        step_mask(question, part.properties).alias("steps"),
        event_key(question.divided_by, question.path, part.properties).alias("key"),
        *(column("position"), column("shard")),
    )
    return events if question.strict else events.filter(column("steps") > constant(0))


def funnel_names(part: Part, question: Funnel) -> DuckDBPyRelation:
    """Return the relation `names` of sql/archive/funnel.sql for sessions of a part; empty when no id is wanted."""
    session = column("session").alias("actor")
    if not question.most_ids:
        return passing(part, question, question.checks).select(session, NO_KEY.alias("id")).filter(constant(False))
    return passing(part, question, question.checks).select(session, column("session_id").alias("id"))


def _acting(part: Part, question: Funnel) -> DuckDBPyRelation:
    events = passing(part, question, question.checks)
    return events.filter(column("user_id").isnotnull()) if question.by_user else events


def _actor(question: Funnel) -> Expression:
    return column("user_id" if question.by_user else "session")


def step_mask(question: Funnel, properties: Properties) -> Expression:
    """Return the steps that an event may be, as a bit mask: 1 is the first step, 2 the second."""
    if (of_field := _mask_of_field(question)) is not None:
        return of_field
    masks = [
        CaseExpression(passes_all(step.checks, properties), constant(1 << place)).otherwise(constant(0))
        for place, step in enumerate(question.steps)
    ]
    return reduce(lambda one, other: call("|", one, other), masks)


def are_apart(question: Funnel) -> bool:
    """Tell whether no event may be two steps, as far as the question tells: each wants its own value of one text."""
    masks = _masks_of_field(question)
    return masks is not None and len(masks[1]) == len(question.steps)


def _mask_of_field(question: Funnel) -> Expression | None:
    """Return the mask as one case, when each step wants one value of the same text; it is faster than several."""
    if (masks := _masks_of_field(question)) is None:
        return None
    value = column(masks[0])
    (text, mask), *rest = masks[1].items()
    found = CaseExpression(value == constant(text), constant(mask))
    for text, mask in rest:
        found = found.when(value == constant(text), constant(mask))
    return found.otherwise(constant(0))


def _masks_of_field(question: Funnel) -> tuple[str, dict[str, int]] | None:
    """Return a stored text, and the steps that each of its values may be, when there is no other condition."""
    checks = [step.checks[0] for step in question.steps if len(step.checks) == 1]
    plain = all(_is_of_text(check) for check in checks)
    if len(checks) < len(question.steps) or not plain or len({check.path for check in checks}) > 1:
        return None
    masks: dict[str, int] = defaultdict(int)
    for place, check in enumerate(checks):
        masks[check.texts[0]] |= 1 << place
    return checks[0].path[0], masks


def _is_of_text(check: Check) -> bool:
    """Tell whether a check wants one value of a stored text."""
    is_one = check.operator == "=" and len(check.texts) == 1 and not check.ignoring_case
    return is_one and check.path[0] in STORED_TEXTS


def bucket(bounds: Sequence[datetime]) -> Expression:
    """Return the number of bounds that are not after an event, which is not before the first: its bucket, from 1.

    All bounds lie on a grid, so that the bucket of each cell of the grid can be looked up.
    """
    steps = [microseconds(after) - microseconds(before) for before, after in pairwise(bounds)]
    cell = gcd(*steps)
    if not cell:
        return constant(len(bounds)).cast("INTEGER")
    if len(steps) == 1:
        return constant(1).cast("INTEGER")
    passed = call("epoch_us", column("timestamp")) - constant(microseconds(bounds[0]))
    found = passed // constant(cell) + constant(1)
    if len(set(steps)) > 1:
        starts = range(microseconds(bounds[0]), microseconds(bounds[-1]), cell)
        marks = [microseconds(bound) for bound in bounds]
        found = call("list_extract", constant([bisect_right(marks, start) for start in starts]), found)
    return found.cast("INTEGER")


def microseconds(moment: datetime) -> int:
    """Return the microseconds since 1970."""
    return (moment - EPOCH) // MICROSECOND
