"""A push is taken: all of it in one transaction. Then it is published."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from ckanext.metastore.backends.git.repository import TAGS, Repository
from ckanext.metastore.core import Backend
from ckanext.metastore.core.objects import unpack_objects
from ckanext.metastore.service import datasets
from ckanext.metastore.service.database import Database
from ckanext.metastore.service.datasets import Dataset
from ckanext.metastore.service.history import History
from ckanext.metastore.service.incoming import Moved, Refused
from ckanext.metastore.service.ledger import Ledger
from ckanext.metastore.service.publisher import Publisher
from ckanext.metastore.service.pushes import NEWER, OTHER_TAG, Push, TagChange
from ckanext.metastore.service.saving import title_of

ARCHIVED = "the dataset is archived, and takes no pushes"


class Receiving:
    """Records what is pushed."""

    def __init__(self, database: Database, backend: Backend, publisher: Publisher) -> None:
        self._database = database
        self._backend = backend
        self._publisher = publisher

    def current(self, dataset: Dataset) -> Dataset:
        """Give a dataset as it is by now, whatever it is called.

        :raises NotFound: it is gone
        """
        with self._database.read() as connection:
            return datasets.get(connection, dataset.id)

    def accept(self, dataset: Dataset, push: Push) -> None:
        """Record a push that was judged, all of it or nothing.

        :raises Refused: somebody was first, or a tag names no public revision
        """
        with self._database.write() as connection:
            now = datasets.get(connection, dataset.id)
            if now.mirror is not None and now.mirror.archived:
                raise Refused(ARCHIVED)
            if push.revisions:
                self._append(connection, now, push)
            if push.tags:
                self._set_tags(connection, now, push.tags)

    def publish(self, dataset: Dataset) -> None:
        """Publish what was recorded."""
        self._publisher.publish(dataset.id)

    def _append(self, connection: sqlite3.Connection, dataset: Dataset, push: Push) -> None:
        ledger = Ledger(connection, dataset.id)
        heads = (ledger.public_head, ledger.head)
        if any((head.sha if head else None) != push.base for head in heads):
            raise Moved("HEAD", NEWER)
        for revision in push.revisions:
            ledger.append(revision)
        history = History(connection, self._backend, datasets.get(connection, dataset.id), private=True)
        title = title_of(history.document_or_empty(history.head()))
        connection.execute("UPDATE dataset SET title = ? WHERE id = ?", (title, dataset.id))

    def _set_tags(self, connection: sqlite3.Connection, dataset: Dataset, changes: Sequence[TagChange]) -> None:
        ledger, refs = Ledger(connection, dataset.id), self._tag_refs(dataset)
        for change in changes:
            query = "SELECT public, pending, object FROM tag WHERE dataset_id = ? AND name = ?"
            row = connection.execute(query, (dataset.id, change.name)).fetchone()
            new = change.new.sha if change.new else None
            if row and not row["public"]:
                raise Refused(f"there is a tag {change.name} already")
            if _now(row, refs.get(change.name)) not in (change.old, new):
                raise Moved(TAGS + change.name, OTHER_TAG)
            if change.new is None or change.tag is None:
                ledger.delete_tag(change.name)
                continue
            target = "SELECT 1 FROM revision WHERE dataset_id = ? AND sha = ? AND public"
            if connection.execute(target, (dataset.id, change.tag.revision_id)).fetchone() is None:
                raise Refused(f"tag {change.name}: {change.tag.revision_id[:12]} is no revision of this dataset")
            ledger.set_tag(change.tag, obj=change.new, public=True)

    def _tag_refs(self, dataset: Dataset) -> dict[str, str]:
        """The tags as they are in the dataset's repository, by their names."""
        place = getattr(self._backend, "repository_path", None)
        path = place(dataset.id) if place else None
        return Repository(path).refs(TAGS) if path and path.exists() else {}


def _now(row: sqlite3.Row | None, ref: str | None) -> str | None:
    """The sha of a tag's object as it is: as it was recorded last or, since that is published, in the repository."""
    if row is None or row["pending"] is None:
        return ref
    if row["object"] is None:
        return None
    (obj,) = unpack_objects(row["object"])
    return obj.sha
