"""Git hosts that fail, whichever dataset asks. For some time they are left alone, so that no save waits for them.

A host is paused when it asks us to wait, and when several datasets in a row could not be published. What can be
published there ends it. Written on connections of their own, and only where something has failed.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from ckan.model import meta
from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert

from ckanext.metastore.core import backoff
from ckanext.metastore.model.tables import host_table


@dataclass(frozen=True)
class Trouble:
    """What is known of a host that failed lately.

    :param error: what it said last
    :param paused_until: seconds since 1970-01-01 UTC; may be over
    """

    error: str
    paused_until: int

    @property
    def pause(self) -> float:
        """For how many seconds nothing may be sent."""
        return max(self.paused_until - time.time(), 0.0)


def trouble(host: str | None) -> Trouble | None:
    """What is known of a host; None where all is well."""
    if host is None:
        return None
    with _engine().connect() as connection:
        row = connection.execute(select(host_table).where(host_table.c.host == host)).one_or_none()
    return Trouble(row.error, row.paused_until) if row else None


def note_failure(host: str, dataset_id: str, error: str, *, retry_after: float) -> None:
    """Note that a dataset could not be published; the same one again says nothing new of the host.

    :param retry_after: for how many seconds the host itself asks us to wait
    """
    now = time.time()
    with _engine().begin() as connection:
        query = select(host_table).where(host_table.c.host == host).with_for_update()
        row = connection.execute(query).one_or_none()
        failures = (row.failures if row else 0) + (row is None or row.dataset_id != dataset_id)
        wait = max(backoff.for_host(failures), retry_after)
        until = max(backoff.at_earliest(now, wait) if wait else 0, row.paused_until if row else 0)
        values = {"failures": failures, "dataset_id": dataset_id, "error": error, "paused_until": until}
        write = insert(host_table).values(host=host, **values)
        connection.execute(write.on_conflict_do_update(index_elements=["host"], set_=values))


def note_answer(host: str) -> None:
    """Note that a host does what it is asked."""
    with _engine().begin() as connection:
        connection.execute(delete(host_table).where(host_table.c.host == host))


def _engine() -> Any:
    assert meta.engine is not None
    return meta.engine
