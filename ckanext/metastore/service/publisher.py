"""What is recorded goes into the repositories. Idempotent; whoever comes next finishes."""

from __future__ import annotations

import fcntl
import json
import logging
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ckanext.metastore.core import Author, Backend, MetastoreError, RateLimited, Unauthorized, Unavailable
from ckanext.metastore.core.objects import pack_objects, unpack_objects
from ckanext.metastore.core.types import Profile, RecordedRevision, TagUpdate
from ckanext.metastore.service.database import Database

log = logging.getLogger(__name__)

PATIENCE = 20.0
PAUSE = 0.005
"""Seconds to wait for another publisher of the same datasets, and between two looks."""

HOST_PAUSE = 20.0
"""Seconds for which a Git host is left alone that failed, unless something is to be hidden there, or destroyed: no save
is to wait for it."""


@dataclass(frozen=True)
class Waiting:
    """One dataset's unpublished work, in the order in which it is to be done.

    :param public: whether the dataset is public now
    :param version: what counts the changes of the dataset's row
    :param profile: how it presents itself; ``None`` where that has been published
    """

    dataset_id: str
    purge: bool = False
    version: int = 0
    public: bool | None = None
    profile: Profile | None = None
    revisions: Sequence[RecordedRevision] = ()
    tags: Sequence[TagUpdate] = ()

    def __bool__(self) -> bool:
        return bool(self.revisions or self.tags or self.profile)


class Publisher:
    """Brings what waits in the index into the repositories.

    :param locks: a folder for lock files, one for each dataset
    :param url: the address of the service
    :param owner: who owns all repositories at a Git host; empty for each dataset's owner
    """

    def __init__(self, database: Database, backend: Backend, *, locks: Path, url: str, owner: str = "") -> None:
        self._database = database
        self._backend = backend
        self._locks = locks
        self._url = url
        self._paused_until = float("-inf")
        self._owner = owner

    def publish(self, dataset_id: str) -> bool:
        """Publish all that waits for one dataset; whether nothing is left to do. What fails stays, and is logged."""
        try:
            with self._turn(dataset_id):
                self._publish(dataset_id)
        except MetastoreError as error:
            log.warning("Dataset %s is recorded, but not published: %s", dataset_id, error)
            return False
        return True

    def resume(self) -> None:
        """Ask the Git host again, however lately it failed."""
        self._paused_until = float("-inf")

    def publish_all(self) -> int:
        """Publish all that waits; gives how many datasets are left."""
        with self._database.read() as connection:
            query = (
                "SELECT dataset_id FROM revision WHERE NOT published UNION "
                "SELECT dataset_id FROM tag WHERE pending IS NOT NULL UNION "
                "SELECT id FROM dataset WHERE arranged < version UNION SELECT dataset_id FROM purge"
            )
            waiting = [row[0] for row in connection.execute(query)]
        return sum(not self.publish(dataset_id) for dataset_id in waiting)

    def _publish(self, dataset_id: str) -> None:
        with self._database.read() as connection:
            work = _waiting(connection, dataset_id, self._profile)
        urgent = work.purge or work.public is False
        if time.monotonic() < self._paused_until and not urgent:
            raise Unavailable("the Git host is left alone for a while")
        try:
            self._hand_over(work)
        except (RateLimited, Unauthorized, Unavailable) as error:
            if not self._backend.keeps_private:
                pause = error.retry_after if isinstance(error, RateLimited) else HOST_PAUSE
                self._paused_until = time.monotonic() + pause
            raise
        with self._database.write() as connection:
            _done(connection, work, keep_private=not self._backend.keeps_private)

    def _hand_over(self, work: Waiting) -> None:
        keeps = self._backend.keeps_private
        if work.purge:
            self._backend.purge(work.dataset_id)
            (self._locks / work.dataset_id).unlink(missing_ok=True)
        elif work:
            revisions = [revision for revision in work.revisions if revision.public or keeps]
            tags = work.tags if keeps else [tag if tag.public else TagUpdate(tag.name, True, None) for tag in work.tags]
            self._backend.publish(
                work.dataset_id, revisions=revisions, tags=tags, public=work.public, profile=work.profile
            )

    def _profile(self, row: sqlite3.Row) -> Profile:
        """How a dataset presents itself. A Git host is told nothing of what is private, not even a title."""
        public, is_mirror = _is_public(row), row["number"] is not None
        title = row["description"] if is_mirror else row["title"] or ""
        # The id proves there whose the repository is.
        page = row["homepage"] or f"{self._url}/v1/datasets/{row['owner']}/{row['name']}"
        return Profile(
            self._owner or row["owner"],
            row["name"],
            description=title if public else "",
            homepage=f"{page}#{row['id']}",
            topics=tuple(json.loads(row["topics"])) if is_mirror and public else (),
        )

    @contextmanager
    def _turn(self, dataset_id: str) -> Iterator[None]:
        """Be the only publisher of a dataset, of all processes on this machine.

        :raises Unavailable: another one is at work for too long
        """
        self._locks.mkdir(parents=True, exist_ok=True)
        deadline = time.monotonic() + PATIENCE
        with (self._locks / dataset_id).open("a") as file:
            while True:
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if time.monotonic() > deadline:
                        raise Unavailable("another process is publishing") from None
                    time.sleep(PAUSE)
            yield


def _is_public(row: sqlite3.Row) -> bool:
    """Whether everybody may see what a dataset is now. All revisions of a mirror are public ones, whatever it is."""
    if row["number"] is None:
        return bool(row["head"] == row["public_head"])
    return not (row["private"] or row["deleted"])


def _waiting(connection: sqlite3.Connection, dataset_id: str, profile: Callable[[sqlite3.Row], Profile]) -> Waiting:
    purge = connection.execute("SELECT 1 FROM purge WHERE dataset_id = ?", (dataset_id,)).fetchone() is not None
    about = "SELECT dataset.*, mirror.* FROM dataset LEFT JOIN mirror ON dataset_id = id WHERE id = ?"
    row = connection.execute(about, (dataset_id,)).fetchone()
    if row is None:
        return Waiting(dataset_id, purge)
    revisions = "SELECT * FROM revision WHERE dataset_id = ? AND NOT published ORDER BY seq"
    tags = "SELECT * FROM tag WHERE dataset_id = ? AND pending IS NOT NULL ORDER BY pending DESC, name"
    return Waiting(
        dataset_id,
        purge,
        row["version"],
        _is_public(row),
        profile(row) if row["arranged"] < row["version"] else None,
        [_revision(found) for found in connection.execute(revisions, (dataset_id,))],
        [_tag(found) for found in connection.execute(tags, (dataset_id,))],
    )


def _done(connection: sqlite3.Connection, work: Waiting, *, keep_private: bool) -> None:
    """Mark everything as published, and drop the bytes that the repository has now."""
    if work.purge:
        connection.execute("DELETE FROM purge WHERE dataset_id = ?", (work.dataset_id,))
    for revision in work.revisions:
        objects = "objects" if keep_private and not revision.public else "NULL"
        mark = f"UPDATE revision SET published = 1, objects = {objects} WHERE dataset_id = ? AND sha = ?"
        connection.execute(mark, (work.dataset_id, revision.sha))
    for tag in work.tags:
        _tag_done(connection, work.dataset_id, tag, keep_private=keep_private)
    arranged = "UPDATE dataset SET arranged = ? WHERE id = ?"
    connection.execute(arranged, (work.version, work.dataset_id))


def _tag_done(connection: sqlite3.Connection, dataset_id: str, tag: TagUpdate, *, keep_private: bool) -> None:
    """Mark a tag, unless it was changed meanwhile."""
    mine = "dataset_id = ? AND name = ?"
    if tag.object is None:
        connection.execute(f"DELETE FROM tag WHERE {mine} AND pending = 'delete'", (dataset_id, tag.name))
        return
    objects = "object" if keep_private and not tag.public else "NULL"
    mark = f"UPDATE tag SET pending = NULL, object = {objects} WHERE {mine} AND pending = 'set' AND object = ?"
    connection.execute(mark, (dataset_id, tag.name, pack_objects([tag.object])))


def _revision(row: sqlite3.Row) -> RecordedRevision:
    return RecordedRevision(
        sha=row["sha"],
        parents=tuple(row["parents"].split()),
        tree=b"",
        author=Author(row["author_name"], row["author_email"]),
        message=row["message"],
        timestamp=row["timestamp"],
        public=bool(row["public"]),
        objects=unpack_objects(row["objects"]),
    )


def _tag(row: sqlite3.Row) -> TagUpdate:
    (obj,) = unpack_objects(row["object"]) if row["object"] is not None else (None,)
    return TagUpdate(row["name"], bool(row["public"]), obj)
