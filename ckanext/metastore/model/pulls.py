"""What others have committed at a Git host, as far as we know: that it is to be pulled, or why it could not be.

Written on connections of their own: a webhook's word is kept whatever becomes of a transaction here.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ckan.model import meta
from sqlalchemy import case, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert

from ckanext.metastore.core import backoff
from ckanext.metastore.core.types import Clash
from ckanext.metastore.model.tables import pull_table, repository_table

_NOTHING_REFUSED = dict.fromkeys(("sha", "reason", "clashes", "noted_at"))


@dataclass(frozen=True)
class Divergence:
    """Why somebody's commit is not in CKAN.

    :param sha: the commit; empty where it could not be read
    :param clashes: what both sides changed: dicts with ``path``, ``base``, ``ours`` and ``theirs``
    :param noted_at: seconds since 1970-01-01 UTC
    """

    sha: str
    reason: str
    clashes: list[dict[str, Any]]
    noted_at: int


def clash(clash: Clash) -> dict[str, Any]:
    """A clash as it is kept, and told."""
    return {"path": list(clash.path), "base": clash.base, "ours": clash.ours, "theirs": clash.theirs}


def dataset_of(host: str | None, number: int) -> str | None:
    """The dataset of a repository, by the host's own number of it."""
    mine = (repository_table.c.host == host) & (repository_table.c.host_id == number)
    with _engine().connect() as connection:
        return connection.execute(select(repository_table.c.dataset_id).where(mine)).scalar()


def want(dataset_id: str) -> None:
    """Have the dataset pulled by the job queue, as soon as can be."""
    now = int(time.time())
    earlier = func.least(func.coalesce(pull_table.c.due_at, now), now)
    _put(dataset_id, {"due_at": now}, {"due_at": earlier})


def known() -> Sequence[str]:
    """The datasets that are to be pulled, or of which a commit was refused."""
    with _engine().connect() as connection:
        return connection.execute(select(pull_table.c.dataset_id).order_by(pull_table.c.dataset_id)).scalars().all()


def due(limit: int) -> Sequence[str]:
    """Some of the datasets that are to be pulled now, who has waited longest first."""
    with _engine().connect() as connection:
        query = select(pull_table.c.dataset_id).where(_is_due()).order_by(pull_table.c.due_at, pull_table.c.dataset_id)
        return connection.execute(query.limit(limit)).scalars().all()


def next_time() -> int | None:
    """When the next is to be pulled, in seconds since 1970-01-01 UTC; None where there is none."""
    with _engine().connect() as connection:
        return connection.execute(select(func.min(pull_table.c.due_at))).scalar()


def claim(dataset_id: str, seconds: float) -> bool:
    """Take a dataset that is to be pulled; whether it was due, and nobody was first.

    :param seconds: after so many it is due again, unless it is settled or refused before; later, where that was so
        several times in a row
    """
    mine = (pull_table.c.dataset_id == dataset_id) & _is_due()
    with _engine().begin() as connection:
        count = update(pull_table).where(mine).values(attempts=pull_table.c.attempts + 1)
        attempts = connection.execute(count.returning(pull_table.c.attempts)).scalar()
        if attempts is None:
            return False
        wait = max(seconds, backoff.for_dataset(attempts))
        again = update(pull_table).where(pull_table.c.dataset_id == dataset_id)
        connection.execute(again.values(due_at=backoff.at_earliest(time.time(), wait)))
        return True


def settle(dataset_id: str) -> None:
    """All is pulled; what somebody wants to have pulled since this one was claimed stays wanted."""
    mine = pull_table.c.dataset_id == dataset_id
    with _engine().begin() as connection:
        connection.execute(update(pull_table).where(mine & _is_due()).values(_NOTHING_REFUSED))
        connection.execute(delete(pull_table).where(mine & func.coalesce(~_is_due(), True)))


def refuse(dataset_id: str, divergence: Divergence) -> None:
    """Remember why a commit is not in CKAN. It is not tried again by itself."""
    told: dict[str, Any] = {"sha": divergence.sha, "reason": divergence.reason, "noted_at": divergence.noted_at}
    told |= {"clashes": json.dumps(divergence.clashes), "attempts": 0}
    _put(dataset_id, told, {**told, "due_at": case((_is_due(), pull_table.c.due_at))})


def divergence(dataset_id: str) -> Divergence | None:
    """Why somebody's commit is not in CKAN; None where there is no such commit that we know of."""
    with _engine().connect() as connection:
        row = connection.execute(select(pull_table).where(pull_table.c.dataset_id == dataset_id)).one_or_none()
    return Divergence(row.sha, row.reason, json.loads(row.clashes), row.noted_at) if row and row.reason else None


def _is_due() -> Any:
    return pull_table.c.due_at <= int(time.time())


def _put(dataset_id: str, values: dict[str, Any], changes: dict[str, Any]) -> None:
    write = insert(pull_table).values(dataset_id=dataset_id, **values)
    with _engine().begin() as connection:
        connection.execute(write.on_conflict_do_update(index_elements=["dataset_id"], set_=changes))


def _engine() -> Any:
    assert meta.engine is not None
    return meta.engine
