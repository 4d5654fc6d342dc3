"""CKAN's activities of datasets, read as they are stored: whatever is in them, none of them stops a reader.

The table is that of CKAN's plugin ``activity``, which need not be loaded, and may be that of any version of CKAN.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any

from ckan.model import meta
from sqlalchemy import BigInteger, cast, column, func, inspect, null, select, table

from ckanext.metastore.model.ledger import Session
from ckanext.metastore.model.tables import revision_table

TYPES = ("new package", "changed package", "deleted package")

_BATCH = 20
"""Rows that are in memory at a time: each holds a whole dataset."""

_LABELS = "permission_labels"

_names = ("id", "timestamp", "user_id", "object_id", "activity_type", "data", _LABELS)
_activity = table("activity", *map(column, _names))


def exist() -> bool:
    """Whether there is a table of activities at all."""
    assert meta.engine is not None
    return inspect(meta.engine).has_table("activity")


def of(session: Session, dataset_id: str) -> Iterator[Any]:
    """A dataset's activities, oldest first: ``timestamp``, ``user_id``, ``activity_type``, ``data``, ``labels``.

    ``data`` is the text as it stands. ``labels`` is None where none were recorded, as in CKAN before 2.11.
    """
    now = _activity.c
    labels = now[_LABELS] if _has_labels() else null()
    query = select(now.timestamp, now.user_id, now.activity_type, now.data, labels.label("labels"))
    query = query.where((now.object_id == dataset_id) & now.activity_type.in_(TYPES)).order_by(now.timestamp, now.id)
    yield from session.execute(query.execution_options(yield_per=_BATCH))


def before_histories(dataset_ids: Sequence[str] | None) -> int:
    """How many activities are older than the history of their dataset, which had begun before they were looked at.

    :param dataset_ids: of these datasets only
    """
    assert meta.engine is not None
    first, old = revision_table.c, _activity.c
    seconds = cast(func.floor(func.extract("epoch", old.timestamp)), BigInteger)
    query = select(func.count()).select_from(
        _activity.join(revision_table, (first.dataset_id == old.object_id) & (first.seq == 1))
    )
    query = query.where(old.activity_type.in_(TYPES) & (seconds < first.timestamp))
    if dataset_ids is not None:
        query = query.where(first.dataset_id.in_(dataset_ids))
    with meta.engine.connect() as connection:
        return int(connection.execute(query).scalar_one())


@lru_cache(maxsize=1)
def _has_labels() -> bool:
    assert meta.engine is not None
    return any(found["name"] == _LABELS for found in inspect(meta.engine).get_columns("activity"))
