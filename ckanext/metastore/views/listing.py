"""The list of versions as the page shows it: by month, with bursts of changes by one person in one fold."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

import ckantoolkit as tk

Revision = dict[str, Any]

PAUSE = timedelta(hours=1)
"""A longer one ends a burst."""

FEW = 3
"""Fewer changes than so many are not folded."""


@dataclass(frozen=True)
class Month:
    """The changes of one month, newest first; those of a burst are together in one list."""

    name: str
    bursts: list[list[Revision]]


def months(revisions: list[Revision]) -> list[Month]:
    """Group revisions, newest first, by the month in which they were made, where whoever looks lives."""
    named = groupby(revisions, lambda revision: tk.h.metastore_month(revision["timestamp"]))
    return [Month(name, bursts(list(its))) for name, its in named]


def bursts(revisions: list[Revision]) -> list[list[Revision]]:
    """Join changes that one person made in a row; one that has a name stands alone."""
    found: list[list[Revision]] = []
    for revision in revisions:
        if found and _belongs(revision, found[-1][-1]):
            found[-1].append(revision)
        else:
            found.append([revision])
    return [part for burst in found for part in ([burst] if len(burst) >= FEW else [[each] for each in burst])]


def _belongs(revision: Revision, newer: Revision) -> bool:
    by_one = all(revision[key] == newer[key] for key in ("author", "origin"))
    pause = datetime.fromisoformat(newer["timestamp"]) - datetime.fromisoformat(revision["timestamp"])
    return by_one and not revision["tags"] and not newer["tags"] and pause <= PAUSE


def light(revision: Revision, publishing: dict[str, Any] | None) -> str:
    """How far a revision has come: ``published``, ``waiting``, ``failed`` or ``diverged``.

    :param publishing: what ``dataset_history_show`` tells of it; None for readers, who are not told why something waits
    """
    if revision["published"]:
        return "published"
    if publishing and publishing.get("diverged"):
        return "diverged"
    return "failed" if publishing and publishing["error"] else "waiting"
