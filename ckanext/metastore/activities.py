"""A dataset's past out of CKAN's activities: each one that holds the whole dataset says what it was, when, by whom.

Rows that cannot be understood are counted and left out. Among them are those of CKAN before 2.9, which hold the
dataset's own row, without its resources, tags and extras: it would look as if there had been none.
"""

from __future__ import annotations

import calendar
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timezone
from functools import cache
from typing import Any

from ckan.lib.plugins import DefaultPermissionLabels, get_permission_labels

from ckanext.metastore import authors, recording
from ckanext.metastore.model import activities
from ckanext.metastore.model.ledger import Session
from ckanext.metastore.recording import Dataset, State

_MESSAGES = {"changed package": "Update dataset", "deleted package": "Delete dataset"}


@dataclass
class Past:
    """One dataset's activities, read once, oldest first.

    :param withheld: nothing of it was public, whatever the activities say
    :param unreadable: how many could not be understood so far
    """

    session: Session
    dataset_id: str
    withheld: bool
    unreadable: int = 0

    def __post_init__(self) -> None:
        self._author = cache(authors.author)

    def states(self) -> Iterator[State]:
        """What the dataset was, from when it was no draft any more."""
        begun = False
        for row in activities.of(self.session, self.dataset_id):
            dataset = _dataset(row, self.dataset_id)
            if dataset is None:
                self.unreadable += 1
            elif begun or not str(dataset.get("state")).startswith("draft"):
                yield self._state(row, dataset, first=not begun)
                begun = True

    def _state(self, row: Any, dataset: Dataset, *, first: bool) -> State:
        return State(
            document=recording.to_document(dataset),
            public=not self.withheld and _was_public(row, dataset),
            author=self._author(row.user_id or ""),
            message="" if first else _MESSAGES.get(row.activity_type, ""),
            timestamp=not_in_the_future(row.timestamp),
        )


def not_in_the_future(time: datetime | None) -> int:
    """A time of CKAN's in seconds since 1970-01-01 UTC; now, where it is later or none."""
    now = int(datetime.now(timezone.utc).timestamp())
    return min(now, calendar.timegm(time.utctimetuple())) if time else now


def _dataset(row: Any, dataset_id: str) -> Dataset | None:
    """The dataset as ``package_show`` gave it then; None where the row does not hold it."""
    try:
        data = json.loads(row.data) if row.timestamp else None
    except (TypeError, ValueError, RecursionError):
        return None
    dataset = data.get("package") if isinstance(data, dict) else None
    if not isinstance(dataset, dict) or dataset.get("id") != dataset_id or not _is_whole(dataset):
        return None
    return {**dataset, "state": "deleted"} if row.activity_type == "deleted package" else dataset


def _is_whole(dataset: Dataset) -> bool:
    resources = dataset.get("resources")
    return isinstance(resources, list) and all(
        isinstance(resource, dict) and (isinstance(resource.get("url"), str) or resource.get("url_type") != "upload")
        for resource in resources
    )


def _was_public(row: Any, dataset: Dataset) -> bool:
    """Whether everybody could see the dataset then. Where that cannot be told for sure, nobody could.

    Neither the dataset nor the labels are enough alone. An embargo is in the labels only. And labels that say "public"
    may be made up: CKAN 2.12 gives them to all rows that have none, those of private datasets too
    (``fab3bfdcf830_populate_permission_labels_column.py``). So where a plugin decides the labels, no row can tell.
    """
    if type(get_permission_labels()) is not DefaultPermissionLabels:
        return False
    shown = dataset.get("private") is False and dataset.get("state") == "active"
    return shown and (row.labels is None or "public" in row.labels)
