"""The runs of a funnel: which events of an actor are its steps.

Events are rows:
    actor; moment, in microseconds; steps, the steps that the event may be as a bit mask: 1 is the first step, 2 the
    second; key, of the dimension that divides the funnel
    place: a number by which the actor's events are in order; see service/archive/places.py
Runs are rows:
    actor; first, the moment of its first event; passed, a list of the microseconds from each step to the next; key, of
    its first event
    undecided: whether another run of the actor may be the one that counts
"""

from __future__ import annotations

from itertools import pairwise

from duckdb import CaseExpression, DuckDBPyRelation, Expression

from service.archive.json_text import any_of, call, constant, either, of_each, surely
from service.archive.keys import NO_KEY
from service.archive.places import Places
from service.archive.streams import changes, column, following, having, largest, latest, previous, total

_NO_RUN = -(10**18)  # a moment before all others, so that no window reaches back to it
_MOST_STEPS = 16
_BEGINS = 1 << 20
# The time that a depth is worth when runs are compared: deeper first, then earlier. In microseconds, 142 years.
_DEPTH = 1 << 52

actor, moment, steps, key, place, begins = map(column, ("actor", "moment", "steps", "key", "place", "begins"))


def may_be(number: int) -> Expression:
    """Return whether an event may be a step."""
    return has_step(steps, number)


def has_step(mask: Expression, number: int) -> Expression:
    """Return whether a mask has a step."""
    return call("&", mask, constant(1 << number - 1)) != constant(0)


def first_runs(
    events: DuckDBPyRelation, length: int, window: int, places: Places, *, divided: bool
) -> DuckDBPyRelation:
    """Return the run of each actor that begins with its first possible event, and takes the next event for each step.

    It is undecided when a step comes after the window, because a later run may be deeper then. If it lacks a step for
    another reason, then so do all later runs.
    """
    numbers = range(2, length + 1)
    first_key = call("arg_min", call("list_value", key), place).where(may_be(1))
    rows = events.aggregate(
        [
            actor,
            call("min", place).where(may_be(1)).alias("step_1"),
            *(call("list", place).where(may_be(number)).alias(f"events_{number}") for number in numbers),
            (call("list_extract", first_key, constant(1)) if divided else NO_KEY).alias("key"),
        ]
    )
    rows = rows.filter(column("step_1").isnotnull())
    for number in numbers:
        after = places.after(column(f"step_{number - 1}"))
        next_place = call("list_min", call("list_filter", column(f"events_{number}"), of_each(after)))
        others = [name for name in rows.columns if name != f"events_{number}"]
        rows = rows.select(*map(column, others), next_place.alias(f"step_{number}"))
    return _as_runs(rows, length, window, places)


def _as_runs(rows: DuckDBPyRelation, length: int, window: int, places: Places) -> DuckDBPyRelation:
    steps_of_run = [column(f"step_{number}") for number in range(1, length + 1)]
    moments = [places.moment(place_of_step) for place_of_step in steps_of_run]
    is_beyond = call("greatest", *moments) - moments[0] > constant(window)
    is_unsure = [places.unsure(one, other) for one, other in pairwise(steps_of_run)]
    passed = call("list_value", *(after - before for before, after in pairwise(moments)))
    return rows.select(
        *(actor, key, moments[0].alias("first")),
        call("list_filter", passed, of_each(lambda one: one.isnotnull())).alias("passed"),
        any_of([is_beyond, *map(surely, is_unsure)]).alias("undecided"),
    )


def deepest(rows: DuckDBPyRelation, length: int, window: int) -> DuckDBPyRelation:
    """Return for each actor the earliest moment at which one of its runs is as deep as any: actor, ending.

    The run from the latest start that has reached the step before decides whether a step is reached in time.
    """
    rows = having(rows, begins=changes(actor))
    starts = latest(CaseExpression(may_be(1), moment).when(begins, constant(_NO_RUN)))
    rows = having(rows, start_1=starts)
    for number in range(2, length + 1):
        rows = having(rows, before=previous(column(f"start_{number - 1}")))
        start = CaseExpression(begins, constant(_NO_RUN)).when(may_be(number), column("before"))
        others = [column(name) for name in rows.columns if name != "before"]
        rows = rows.select(*others, latest(start).alias(f"start_{number}"))
    depth = CaseExpression(_reaches(length, window), constant(length))
    for number in range(length - 1, 0, -1):
        depth = depth.when(_reaches(number, window), constant(number))
    worth = depth.cast("BIGINT") * constant(_DEPTH) - moment
    return rows.select(actor, moment, worth.alias("worth")).aggregate(
        [actor, call("arg_max", moment, column("worth")).alias("ending")]
    )


def _reaches(number: int, window: int) -> Expression:
    return may_be(number) & (moment - column(f"start_{number}") <= constant(window))


def strict_runs(events: DuckDBPyRelation, length: int, window: int) -> DuckDBPyRelation:
    """Return the run of each actor that counts when the steps of a run are events that follow each other directly.

    Each actor's events come together and in order. An actor without a run has a row too, without `passed`.
    """
    rows = having(events, begins=changes(actor))
    rows = having(rows, marked=steps + either(begins, constant(_BEGINS), constant(0)))
    numbers = range(2, length + 1)
    rows = having(
        rows,
        **{f"steps_{number}": following(column("marked"), number - 1) for number in numbers},
        **{f"moment_{number}": following(moment, number - 1) for number in numbers},
    )
    moments = [moment, *(column(f"moment_{number}") for number in numbers)]
    passed = call("list_value", *(after - before for before, after in pairwise(moments)))
    rows = rows.select(
        *(actor, key, begins, moment.alias("first"), passed.alias("passed")),
        _strict_depth(length, window).alias("depth"),
    )
    rows = _best_of_each(rows.filter(begins | (column("depth") > constant(0))))
    taken = call("list_slice", column("passed"), constant(1), column("depth") - constant(1))
    return rows.select(
        *(actor, key, column("first")),
        CaseExpression(column("depth") > constant(0), taken).alias("passed"),
        constant(False).alias("undecided"),
    )


def _strict_depth(length: int, window: int) -> Expression:
    depth = constant(length)
    for number in range(length, 1, -1):
        found = column(f"steps_{number}")
        is_next = (found < constant(_BEGINS)) & has_step(found, number)
        in_time = column(f"moment_{number}") - moment <= constant(window)
        depth = either(is_next & in_time, depth, constant(number - 1))
    return either(may_be(1), depth, constant(0))


def _best_of_each(rows: DuckDBPyRelation) -> DuckDBPyRelation:
    """Return for each actor the first of its deepest starts, or its first row."""
    rows = having(rows, number=total(begins.cast("BIGINT")).cast("BIGINT"))
    rows = having(rows, rank=column("number") * constant(_MOST_STEPS) + column("depth"))
    rows = having(rows, largest=largest(column("rank")))
    rows = having(rows, before=previous(column("largest")))
    rows = rows.filter(begins | (column("rank") > column("before")))
    rows = having(rows, following=following(column("number"), 1, 0))
    return rows.filter(column("following") != column("number"))
