"""Which datasets the job queue is to publish now, and which later. The rows that wait are the queue; Redis only rings.

A turn of the queue claims a dataset before it publishes it: until the claim ends, or the publication, other turns pass
by it. Where the process dies the claim runs out, and the dataset is due again.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Sequence
from typing import Any

from ckan.model import meta
from sqlalchemy import false, func, literal, select, true, union_all
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.sql import ColumnElement

from ckanext.metastore.model.tables import dataset_table, repository_table, revision_table, tag_table

_retry_at = func.coalesce(repository_table.c.retry_at, 0)


def now(limit: int) -> Sequence[str]:
    """Some of the datasets that are due: first where something may have to be hidden, then who has waited longest."""
    with _engine().connect() as connection:
        waits = _waits()
        query = _with_retry(waits, waits.c.dataset_id).where(_is_due()).group_by(waits.c.dataset_id)
        found = query.order_by(*_order(waits)).limit(limit)
        return connection.execute(found).scalars().all()


def everything() -> Sequence[str]:
    """All datasets that wait, due or not: what is to be purged, which frees a name, then in the same order."""
    with _engine().connect() as connection:
        waits = _waits()
        query = select(waits.c.dataset_id).group_by(waits.c.dataset_id).order_by(*_order(waits))
        return connection.execute(query).scalars().all()


def hiding(dataset_ids: Iterable[str]) -> set[str]:
    """Those of the datasets where something may have to be taken away from the public."""
    waits = _waits()
    query = select(waits.c.dataset_id).where(waits.c.hides & waits.c.dataset_id.in_(list(dataset_ids)))
    with _engine().connect() as connection:
        return set(connection.execute(query).scalars())


def next_time() -> int | None:
    """When the next of those is due that are not yet, in seconds since 1970-01-01 UTC; None where there is none."""
    with _engine().connect() as connection:
        query = _with_retry(_waits(), func.min(repository_table.c.retry_at)).where(~_is_due())
        return connection.execute(query).scalar()


def claim(dataset_id: str, seconds: float) -> bool:
    """Take a dataset that is due; whether nobody was first.

    :param seconds: for how long, if the process should die
    """
    until = math.ceil(time.time() + seconds)
    write = insert(repository_table).values(dataset_id=dataset_id, retry_at=until)
    taken = write.on_conflict_do_update(index_elements=["dataset_id"], set_={"retry_at": until}, where=_is_due())
    with _engine().begin() as connection:
        return connection.execute(taken.returning(repository_table.c.dataset_id)).one_or_none() is not None


def _order(waits: Any) -> tuple[Any, ...]:
    return func.bool_or(waits.c.hides).desc(), func.min(waits.c.since), waits.c.dataset_id


def _waits() -> Any:
    """One row for each thing that waits: of which dataset, since when, and whether it may take away what is public."""
    since, hides = revision_table.c.timestamp.label("since"), (~revision_table.c.public).label("hides")
    revisions = select(revision_table.c.dataset_id, since, hides)
    tags = select(tag_table.c.dataset_id, tag_table.c.timestamp, false())
    purges = select(dataset_table.c.id, literal(0), true()).where(dataset_table.c.purging)
    return union_all(
        revisions.where(~revision_table.c.published), tags.where(tag_table.c.pending.is_not(None)), purges
    ).subquery("waits")


def _with_retry(waits: Any, what: Any) -> Any:
    joined = waits.outerjoin(repository_table, repository_table.c.dataset_id == waits.c.dataset_id)
    return select(what).select_from(joined)


def _is_due() -> ColumnElement[bool]:
    return _retry_at <= int(time.time())


def _engine() -> Any:
    assert meta.engine is not None
    return meta.engine
