"""The reports that alerts read."""

from __future__ import annotations

from dataclasses import dataclass

from service.reports.counts import Counts
from service.reports.proofs import Proofs
from service.reports.summary import Summary


@dataclass(frozen=True, slots=True)
class Numbers:
    """The reports of one site."""

    counts: Counts
    summary: Summary
    proofs: Proofs
