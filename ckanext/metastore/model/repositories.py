"""Which repository at a Git host is which dataset's, and why the last publishing failed.

Written on connections of their own: what has happened at the host has happened, whatever becomes of a transaction here.
"""

from __future__ import annotations

import time
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from ckan import model
from ckan.model import meta
from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert

from ckanext.metastore.core import backoff
from ckanext.metastore.core.types import Hosted, Profile
from ckanext.metastore.model.tables import repository_table

_UNKNOWN = dict.fromkeys(("host", "host_id", "owner", "name", "description", "homepage", "topics", "private"))


@dataclass(frozen=True)
class Repositories:
    """The registry of :class:`ckanext.metastore.core.backend.Registry`, in a table.

    :param host: the Git host's address; what was at another host is not known here
    """

    host: str

    def get(self, dataset_id: str) -> Hosted | None:
        """The dataset's repository; None where it has none."""
        row = _row(dataset_id)
        return _hosted(row) if row and row.host == self.host else None

    def get_all(self, dataset_ids: Collection[str]) -> dict[str, Hosted]:
        """The repositories of those of the datasets that have one."""
        table = repository_table.c
        with _engine().connect() as connection:
            query = select(repository_table).where(table.dataset_id.in_(dataset_ids) & (table.host == self.host))
            return {row.dataset_id: _hosted(row) for row in connection.execute(query)}

    def elsewhere(self, dataset_id: str) -> Hosted | None:
        """The dataset's repository under another address: that of another host, or the host's former one."""
        row = _row(dataset_id)
        return _hosted(row) if row and row.host not in (None, self.host) else None

    def put(self, dataset_id: str, hosted: Hosted) -> None:
        """Remember the dataset's repository."""
        profile = hosted.profile
        values = {
            "host": self.host,
            "host_id": hosted.id,
            "owner": profile.owner,
            "name": profile.name,
            "private": hosted.private,
        }
        values |= {"description": profile.description, "homepage": profile.homepage}
        _put(dataset_id, {**values, "topics": " ".join(profile.topics)})

    def forget(self, dataset_id: str) -> None:
        """The dataset's repository is gone."""
        _run(update(repository_table).where(repository_table.c.dataset_id == dataset_id).values(_UNKNOWN))
        empty = repository_table.c.host_id.is_(None) & repository_table.c.error.is_(None)
        _run(delete(repository_table).where((repository_table.c.dataset_id == dataset_id) & empty))


def _hosted(row: Any) -> Hosted:
    profile = Profile(row.owner, row.name, row.description, row.homepage, tuple(row.topics.split()))
    return Hosted(row.host_id, profile, row.private)


@dataclass(frozen=True)
class Failure:
    """Why a dataset could not be published.

    :param failed_at: seconds since 1970-01-01 UTC, as all times here
    :param retry_at: when the job queue tries again
    """

    error: str
    failed_at: int
    retry_at: int | None


def note_failure(dataset_id: str, error: str, *, retry_after: float, claimed: bool) -> None:
    """Remember why the dataset cannot be published, and when to try again; the next success forgets it.

    An attempt before that time, as a save is one, does not count: it was nobody's fault that it came so soon.

    :param retry_after: for how many seconds the host asks us to wait
    :param claimed: it was the turn of this dataset
    """
    now, row = time.time(), _row(dataset_id)
    attempts, planned = (row.attempts, row.retry_at) if row else (0, None)
    if claimed or planned is None or planned <= now:
        attempts += 1
        planned = backoff.at_earliest(now, backoff.for_dataset(attempts))
    retry_at = max(planned, backoff.at_earliest(now, retry_after))
    _put(dataset_id, {"error": error, "failed_at": int(now), "attempts": attempts, "retry_at": retry_at})


def note_pause(dataset_id: str, error: str, *, until: int) -> None:
    """Remember that the dataset was not even tried, as its host is left alone until then."""
    _put(dataset_id, {"error": error, "failed_at": int(time.time()), "retry_at": until})


def put_off(dataset_id: str, seconds: float) -> None:
    """Leave the dataset to who is at it, and look again later."""
    _put(dataset_id, {"retry_at": backoff.at_earliest(time.time(), seconds)})


def failure(dataset_id: str) -> Failure | None:
    """Why the last publishing failed; None where it did not."""
    row = _row(dataset_id)
    return Failure(row.error, row.failed_at, row.retry_at) if row and row.error else None


def organization_name(organization_id: str) -> str:
    """The name of an organization now; empty where there is none."""
    table = model.group_table
    with _engine().connect() as connection:
        return connection.execute(select(table.c.name).where(table.c.id == organization_id)).scalar() or ""


def _row(dataset_id: str) -> Any:
    with _engine().connect() as connection:
        query = select(repository_table).where(repository_table.c.dataset_id == dataset_id)
        return connection.execute(query).one_or_none()


def _put(dataset_id: str, values: dict[str, Any]) -> None:
    write = insert(repository_table).values(dataset_id=dataset_id, **values)
    _run(write.on_conflict_do_update(index_elements=["dataset_id"], set_=values))


def _run(statement: Any) -> None:
    with _engine().begin() as connection:
        connection.execute(statement)


def _engine() -> Any:
    assert meta.engine is not None
    return meta.engine
