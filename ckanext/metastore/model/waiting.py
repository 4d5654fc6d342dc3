"""What is recorded but not published yet, taken by one publisher at a time.

A publisher holds an advisory lock of PostgreSQL's, named for the dataset, on a connection of its own. No row is locked
while a repository or a network answers: saves go on, and what they add meanwhile is left for the next.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from ckan.model import meta
from sqlalchemy import case, delete, func, null, select, update
from sqlalchemy.engine import Connection
from sqlalchemy.exc import OperationalError

from ckanext.metastore.core import Unavailable
from ckanext.metastore.core.objects import pack_objects, unpack_objects
from ckanext.metastore.core.types import RecordedRevision, TagUpdate
from ckanext.metastore.model.hosts import Trouble
from ckanext.metastore.model.ledger import author_of
from ckanext.metastore.model.tables import dataset_table, host_table, repository_table, revision_table, tag_table


class Busy(Unavailable):
    """Another process is publishing the dataset."""


@dataclass(frozen=True)
class Waiting:
    """One dataset's unpublished work, in the order in which it is to be done.

    :param purge: destroy the repositories first
    :param trouble: what is known of the Git host, where it failed lately
    """

    dataset_id: str
    purge: bool
    revisions: Sequence[RecordedRevision]
    tags: Sequence[TagUpdate]
    connection: Connection
    trouble: Trouble | None = None

    def kept(self) -> Sequence[RecordedRevision]:
        """The revisions that are published, and whose bytes are here all the same: private ones, from a Git host."""
        mine = (revision_table.c.dataset_id == self.dataset_id) & revision_table.c.published
        query = select(revision_table).where(mine & revision_table.c.objects.is_not(None))
        return [revision_of(row) for row in self.connection.execute(query.order_by(revision_table.c.seq)).all()]

    def done(self, *, keep_private: bool) -> None:
        """Mark everything as published, and drop the bytes that the repository has now.

        :param keep_private: the repository is no durable copy of what is private
        """
        if self.purge:
            mine = dataset_table.c.id == self.dataset_id
            self.connection.execute(update(dataset_table).where(mine).values(purging=False))
            self.connection.execute(delete(dataset_table).where(mine & dataset_table.c.head.is_(None)))
        self._revisions_done(keep_private)
        for tag in self.tags:
            self._tag_done(tag, keep_private)

    def _revisions_done(self, keep_private: bool) -> None:
        """Mark the revisions; in the same statement, forget why the publishing before failed."""
        mine = repository_table.c.dataset_id == self.dataset_id
        failed = repository_table.c.error.is_not(None) | repository_table.c.retry_at.is_not(None)
        known = repository_table.c.host_id.is_not(None)
        well = {"error": None, "failed_at": None, "attempts": 0, "retry_at": None}
        forget = update(repository_table).where(mine & known & failed).values(well).cte("forgotten")
        drop = delete(repository_table).where(mine & ~known).cte("dropped")
        rows = (revision_table.c.dataset_id == self.dataset_id) & revision_table.c.sha.in_(
            [revision.sha for revision in self.revisions]
        )
        kept = case((revision_table.c.public, null()), else_=revision_table.c.objects) if keep_private else null()
        mark = update(revision_table).where(rows).values(published=True, objects=kept)
        self.connection.execute(mark.add_cte(forget).add_cte(drop))

    def _tag_done(self, tag: TagUpdate, keep_private: bool) -> None:
        """Mark a tag, unless it was changed meanwhile."""
        mine = (tag_table.c.dataset_id == self.dataset_id) & (tag_table.c.name == tag.name)
        if tag.object is None:
            self.connection.execute(delete(tag_table).where(mine & (tag_table.c.pending == "delete")))
            return
        same = mine & (tag_table.c.pending == "set") & (tag_table.c.object == pack_objects([tag.object]))
        values: dict[str, Any] = (
            {"pending": None} if keep_private and not tag.public else {"pending": None, "object": None}
        )
        self.connection.execute(update(tag_table).where(same).values(values))


@contextmanager
def take(dataset_id: str, *, patience: float, purge: bool = False, host: str | None = None) -> Iterator[Waiting]:
    """Lock and read what waits; what :meth:`Waiting.done` marked is committed when the block ends without error.

    :param patience: seconds to wait for the publisher before
    :param purge: look whether the repositories are to be destroyed first; costs a query
    :param host: the Git host that will be asked
    :raises Busy: another publisher is at work for longer than that
    """
    with _transaction(apart=host is not None) as connection:
        trouble = _lock(connection, dataset_id, patience, host)
        purge = purge and connection.execute(_purging(dataset_id)).scalar_one_or_none() is not None
        rows = connection.execute(_waiting_revisions(dataset_id)).all()
        tags_wait = rows[0].tags_wait if rows else True
        tags = connection.execute(_waiting_tags(dataset_id)).all() if tags_wait else []
        revisions, updates = [revision_of(row) for row in rows], [tag_of(row) for row in tags]
        yield Waiting(dataset_id, purge, revisions, updates, connection, trouble)


@contextmanager
def _transaction(*, apart: bool) -> Iterator[Connection]:
    """One of its own.

    :param apart: on a connection that leaves its place in CKAN's pool at once. Whoever asks a Git host reads and writes
        meanwhile what is known of it, by other connections: else many publishers would hold all places, and each of
        them would wait for one more.
    """
    assert meta.engine is not None
    with meta.engine.connect() as connection:
        if apart:
            connection.detach()
        with connection.begin():
            yield connection


def datasets() -> Sequence[str]:
    """The ids of all datasets that have something to publish."""
    assert meta.engine is not None
    revisions = select(revision_table.c.dataset_id).where(~revision_table.c.published)
    tags = select(tag_table.c.dataset_id).where(tag_table.c.pending.is_not(None))
    purges = select(dataset_table.c.id).where(dataset_table.c.purging)
    with meta.engine.connect() as connection:
        return connection.execute(revisions.union(tags, purges)).scalars().all()


def _lock(connection: Connection, dataset_id: str, patience: float, host: str | None) -> Trouble | None:
    """Take the lock, until the transaction ends; in the same statement, read what is known of the host.

    The transaction does not wait for the disk: if a crash undoes the mark, the same is published once more.
    """
    settings = (
        func.set_config("lock_timeout", f"{max(int(patience * 1000), 1)}ms", True),
        func.set_config("synchronous_commit", "off", True),
    )
    name = func.hashtextextended(f"metastore {dataset_id}", 0)
    known = [
        select(column).where(host_table.c.host == host).scalar_subquery()
        for column in (host_table.c.error, host_table.c.paused_until)
        if host is not None
    ]
    try:
        _, _, _, *found = connection.execute(select(*settings, func.pg_advisory_xact_lock(name), *known)).one()
    except OperationalError as error:
        raise Busy("another process is publishing this dataset") from error
    return Trouble(*found) if found and found[0] is not None else None


def _waiting_revisions(dataset_id: str) -> Any:
    """The revisions, and whether tags wait too. Whoever adds a tag later comes by themselves."""
    mine = (revision_table.c.dataset_id == dataset_id) & ~revision_table.c.published
    tags_wait = _tags_of(dataset_id).exists().label("tags_wait")
    return select(revision_table, tags_wait).where(mine).order_by(revision_table.c.seq)


def _waiting_tags(dataset_id: str) -> Any:
    return _tags_of(dataset_id).order_by(tag_table.c.pending.desc(), tag_table.c.name)


def _tags_of(dataset_id: str) -> Any:
    return select(tag_table).where((tag_table.c.dataset_id == dataset_id) & tag_table.c.pending.is_not(None))


def _purging(dataset_id: str) -> Any:
    return select(dataset_table.c.id).where((dataset_table.c.id == dataset_id) & dataset_table.c.purging)


def revision_of(row: Any) -> RecordedRevision:
    """The revision in a row that has its bytes."""
    return RecordedRevision(
        sha=row.sha,
        parents=tuple(row.parents.split()),
        tree=b"",
        author=author_of(row),
        message=row.message,
        timestamp=row.timestamp,
        public=row.public,
        objects=unpack_objects(bytes(row.objects)),
    )


def tag_of(row: Any) -> TagUpdate:
    """What is to be done for a tag, as its row says."""
    (obj,) = unpack_objects(bytes(row.object)) if row.object is not None else (None,)
    return TagUpdate(row.name, row.public, obj)
