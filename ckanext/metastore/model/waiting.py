"""What is recorded but not published yet, taken by one publisher at a time.

The rows themselves are the lock: whoever selects them ``FOR UPDATE`` waits for the publisher before, and then sees
only what that one has left. It works on a connection of its own, outside CKAN's transaction.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from ckan.model import meta
from sqlalchemy import delete, func, select, update
from sqlalchemy.engine import Connection

from ckanext.metastore.core.objects import unpack_objects
from ckanext.metastore.core.types import RecordedRevision, TagUpdate
from ckanext.metastore.model.ledger import author_of
from ckanext.metastore.model.tables import dataset_table, revision_table, tag_table


@dataclass(frozen=True)
class Waiting:
    """One dataset's unpublished work, in the order in which it is to be done.

    :param purge: destroy the repositories first
    """

    dataset_id: str
    purge: bool
    revisions: Sequence[RecordedRevision]
    tags: Sequence[TagUpdate]
    connection: Connection

    def done(self, *, keep_bytes: bool = False) -> None:
        """Mark everything as published. ``keep_bytes`` where the backend is no durable copy by itself."""
        if self.purge:
            mine = dataset_table.c.id == self.dataset_id
            self.connection.execute(update(dataset_table).where(mine).values(purging=False))
            self.connection.execute(delete(dataset_table).where(mine & dataset_table.c.head.is_(None)))
        if self.revisions:
            rows = revision_table.c.dataset_id == self.dataset_id
            rows &= revision_table.c.sha.in_([revision.sha for revision in self.revisions])
            values: dict[str, Any] = {"published": True} if keep_bytes else {"published": True, "objects": None}
            self.connection.execute(update(revision_table).where(rows).values(values))
        self._tags_done()

    def _tags_done(self) -> None:
        mine = tag_table.c.dataset_id == self.dataset_id
        gone = [tag.name for tag in self.tags if tag.object is None]
        here = [tag.name for tag in self.tags if tag.object is not None]
        if gone:
            self.connection.execute(delete(tag_table).where(mine & tag_table.c.name.in_(gone)))
        if here:
            rows = mine & tag_table.c.name.in_(here)
            self.connection.execute(update(tag_table).where(rows).values(pending=None, object=None))


@contextmanager
def take(dataset_id: str, *, purge: bool = False) -> Iterator[Waiting]:
    """Lock and read what waits; what :meth:`Waiting.done` marked is committed when the block ends without error.

    :param purge: look whether the repositories are to be destroyed first; costs a query
    """
    assert meta.engine is not None
    with meta.engine.begin() as connection:
        # The dataset's row before those of its revisions, as everybody takes them.
        purge = purge and connection.execute(_purging(dataset_id)).scalar_one_or_none() is not None
        rows = connection.execute(_waiting_revisions(dataset_id)).all()
        tags_wait = rows[0].tags_wait if rows else True
        tags = connection.execute(_waiting_tags(dataset_id)).all() if tags_wait else []
        yield Waiting(dataset_id, purge, [_revision(row) for row in rows], [_tag(row) for row in tags], connection)


def datasets() -> Sequence[str]:
    """The ids of all datasets that have something to publish."""
    assert meta.engine is not None
    revisions = select(revision_table.c.dataset_id).where(~revision_table.c.published)
    tags = select(tag_table.c.dataset_id).where(tag_table.c.pending.is_not(None))
    purges = select(dataset_table.c.id).where(dataset_table.c.purging)
    with meta.engine.connect() as connection:
        return connection.execute(revisions.union(tags, purges)).scalars().all()


def _waiting_revisions(dataset_id: str) -> Any:
    """The revisions, and whether tags wait too. Whoever adds a tag later comes by themselves.

    The transaction does not wait for the disk: if a crash undoes the mark, the same is published once more.
    """
    mine = (revision_table.c.dataset_id == dataset_id) & ~revision_table.c.published
    tags_wait = _tags_of(dataset_id).exists().label("tags_wait")
    hasten = func.set_config("synchronous_commit", "off", True)
    query = select(revision_table, tags_wait, hasten).where(mine).order_by(revision_table.c.seq)
    return query.with_for_update(of=revision_table)


def _waiting_tags(dataset_id: str) -> Any:
    return _tags_of(dataset_id).order_by(tag_table.c.pending.desc(), tag_table.c.name).with_for_update()


def _tags_of(dataset_id: str) -> Any:
    return select(tag_table).where((tag_table.c.dataset_id == dataset_id) & tag_table.c.pending.is_not(None))


def _purging(dataset_id: str) -> Any:
    mine = (dataset_table.c.id == dataset_id) & dataset_table.c.purging
    return select(dataset_table.c.id).where(mine).with_for_update()


def _revision(row: Any) -> RecordedRevision:
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


def _tag(row: Any) -> TagUpdate:
    (obj,) = unpack_objects(bytes(row.object)) if row.object is not None else (None,)
    return TagUpdate(row.name, row.public, obj)
