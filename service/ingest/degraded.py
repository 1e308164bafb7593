"""What is wrong with taking events although some are taken."""

from __future__ import annotations

from service.ingest.admission import MOST_EVENTS, Admission
from service.ingest.appender import Appender


def why_appends_suffer(appender: Appender) -> list[str]:
    """Return what is wrong, one sentence each."""
    admission = appender.admission
    return [
        *(f"shard {shard} takes no events now" for shard in appender.closed_shards),
        *(
            f"{budget.name} were refused within the last minute, because others held all {budget.most} bytes for them"
            for budget in admission.budgets
            if budget.used_up
        ),
        *(
            [f"events were refused within the last minute, because {MOST_EVENTS:,} waited to be stored"]
            if admission.used_up
            else []
        ),
        *why_disk_is_low(admission),
    ]


def why_disk_is_low(admission: Admission) -> list[str]:
    """Return what is wrong with the disk of the database, as far as it can be seen from here."""
    why = admission.disk.why_degraded() if admission.disk else []
    if admission.disk_full:
        why.append("the disk of the database is full: events are refused until there is room")
    return why
