"""The question that a trend answers, from the parameters of its query."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

from service.archive.questions import PART
from service.questions.buckets import INTERVALS, zone
from service.questions.condition_grammar import path_text
from service.questions.conditions import PROPERTIES, Condition, Malformed, Path
from service.questions.divisions import Division, division
from service.questions.filters import NAMES, Filters
from service.questions.hours import HOUR
from service.questions.page_events import PAGE_VIEWED
from service.questions.parameters import choice, invalid, whole
from service.questions.ranges import OF_COMPARISON, OF_RANGE, Comparison, closed_range, comparison, week_start
from service.reports.counts import Scope
from service.reports.kept_range import EVENTS, ROLLUPS
from service.reports.measured import NUMBER_METRICS, VISIT_METRICS
from sql.hourly import DIMENSIONS, METRICS, ROLLUP_FIELDS

PAGE_VIEWS = "page_views"
TREND_METRICS = (*METRICS, PAGE_VIEWS, *VISIT_METRICS, *NUMBER_METRICS)
DEFAULT_HOURS = 168
DEFAULT_TOP = 10
MOST_TOP = 50
# Rollups do not know minutes, so that every minute is counted from raw events.
MOST_HOURS_OF_MINUTES = 6
PARAMETERS = NAMES | OF_RANGE | OF_COMPARISON | {"metric", "of", "interval", "by", "top"}


@dataclass(frozen=True, slots=True)
class Question:
    """A question about one metric.

    of: the path of the property whose numbers a metric is about, None for other metrics. interval: one of INTERVALS.
    tz: the name of the zone. first_day: of a week. by: what to divide by, or None. top: the number of its keys to name.
    """

    scope: Scope
    metric: str
    of: Path | None
    interval: str
    zone: tzinfo
    tz: str
    first_day: int
    compare: Comparison
    by: Division | None
    top: int

    @property
    def counted(self) -> str:
        """The metric by its name in counts: page views are events."""
        return "events" if self.metric == PAGE_VIEWS else self.metric

    @property
    def measure(self) -> str:
        """The measure by which the events of each key are counted."""
        return self.by.dimension if self.by is not None and self.by.dimension in DIMENSIONS else PART


def question_of(given: Mapping[str, str], asked: Filters, now: datetime) -> Question:
    """Return the question of a query. asked: its filters. Raises InvalidParameter."""
    metric = choice(given, "metric", TREND_METRICS, "events")
    of = _of(given, metric)
    by = division("by", given["by"]) if "by" in given else None
    if by is None and "top" in given:
        raise invalid("top", "needs the parameter by")
    if by is not None and metric == "event_types":
        raise invalid("by", "cannot divide event_types")
    if metric == "new_users" and (asked or by is not None):
        raise invalid("metric", "new_users counts over all events: it takes no filters and no by")
    interval = choice(given, "interval", INTERVALS, "hour")
    since, until = closed_range(given, MOST_HOURS_OF_MINUTES if interval == "minute" else DEFAULT_HOURS, now)
    compare = comparison(given)
    if interval == "minute":
        _check_minutes(metric, max(until - since, compare.length))
    asked = _narrowed(asked, metric, of)
    is_projected = not asked and interval != "minute" and _is_projected(metric, by)
    tz = given.get("tz", "UTC")
    return Question(
        Scope(ROLLUPS if is_projected else EVENTS, since, until, asked),
        metric,
        of,
        interval,
        zone(tz),
        tz,
        week_start(given),
        compare,
        by,
        whole(given, "top", DEFAULT_TOP, MOST_TOP),
    )


def path_of(of: Path) -> str:
    """Return the text of the property whose numbers a metric is about."""
    return f"{PROPERTIES}.{path_text(of)}"


def _of(given: Mapping[str, str], metric: str) -> Path | None:
    """Return the path of the property whose numbers a metric is about. Raises InvalidParameter."""
    if metric not in NUMBER_METRICS:
        if "of" in given:
            raise invalid("of", f"needs one of the metrics {', '.join(NUMBER_METRICS)}")
        return None
    if "of" not in given:
        raise invalid("of", f"must name a property, such as properties.revenue, for the metric {metric}")
    return division("of", given["of"], known=()).path


def _narrowed(asked: Filters, metric: str, of: Path | None) -> Filters:
    """Return the filters that the events of a metric pass: page views, or the property. Raises InvalidParameter."""
    own = Filters(event_type=PAGE_VIEWED) if metric == PAGE_VIEWS else Filters()
    if of is not None:
        own = Filters(where=(Condition((PROPERTIES, *of), "exists"),))
    try:
        return asked.and_also(own) if own else asked
    except Malformed as error:
        raise invalid("where", f"{error}, counting that of the metric {metric}") from error


def _check_minutes(metric: str, length: timedelta) -> None:
    if length > MOST_HOURS_OF_MINUTES * HOUR:
        raise invalid("interval", f"must be quarter or longer in a range of more than {MOST_HOURS_OF_MINUTES} hours")
    if metric == "new_users":
        raise invalid("interval", "must be quarter or longer for new_users, which raw events do not know")


def _is_projected(metric: str, by: Division | None) -> bool:
    """Tell whether rollups know the answer. They divide events and tool uses by one dimension, but never sessions."""
    if by is None:
        return metric in METRICS
    of_events = metric == "events" and by.dimension in ROLLUP_FIELDS
    return of_events or (metric == "tool_uses" and by.dimension == "tool_name")
