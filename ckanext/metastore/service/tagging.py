"""Names for revisions. A tag is a row first, and is published like a revision."""

from __future__ import annotations

import sqlite3
import time

from ckanext.metastore.core import Author, Conflict
from ckanext.metastore.core.names import check_tag_name
from ckanext.metastore.core.record import record_tag
from ckanext.metastore.core.text import normalise_author, normalise_message
from ckanext.metastore.core.types import Tag, utc
from ckanext.metastore.service.datasets import Dataset
from ckanext.metastore.service.ledger import Ledger
from ckanext.metastore.service.store import Store


class Tagging:
    """Creates, changes and deletes tags.

    In each method, ``private`` says whether the caller may see private revisions.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    def create(self, dataset: Dataset, name: str, *, ref: str, description: str, author: Author, private: bool) -> Tag:
        """Name a revision.

        :raises Conflict: the tag exists
        :raises NotFound: there is no such revision
        """
        name = check_tag_name(name)
        with self._store.changing(dataset, deleted=True, private=private) as (connection, history):
            _refuse_taken(connection, dataset, name)
            entry = history.resolve(ref)
            now = utc(max(int(time.time()), int(entry.revision.timestamp.timestamp())))
            tag = Tag(name, entry.sha, _text(description), normalise_author(author), now)
            _set(connection, dataset, tag, public=entry.public)
        return tag

    def update(self, dataset: Dataset, tag: str, *, name: str | None, description: str | None, private: bool) -> Tag:
        """Rename a tag or describe it anew. It stays at its revision, and keeps its author and time.

        :raises Conflict: the new name is taken
        :raises NotFound: there is no such tag
        """
        with self._store.changing(dataset, deleted=True, private=private) as (connection, history):
            old = history.tag(tag)
            new_name = old.name if name is None else check_tag_name(name)
            if new_name != old.name:
                _refuse_taken(connection, dataset, new_name)
                Ledger(connection, dataset.id).delete_tag(old.name)
            text = old.description if description is None else _text(description)
            new = Tag(new_name, old.revision_id, text, old.author, old.timestamp)
            _set(connection, dataset, new, public=history.resolve(old.revision_id).public)
        return new

    def delete(self, dataset: Dataset, tag: str, *, private: bool) -> None:
        """Take a name away; its revision stays.

        :raises NotFound: there is no such tag
        """
        with self._store.changing(dataset, deleted=True, private=private) as (connection, history):
            Ledger(connection, dataset.id).delete_tag(history.tag(tag).name)


def _text(description: str) -> str:
    return normalise_message(description, field="description").rstrip("\n")


def _refuse_taken(connection: sqlite3.Connection, dataset: Dataset, name: str) -> None:
    """Tag names are unique across public and private revisions."""
    query = "SELECT 1 FROM tag WHERE dataset_id = ? AND name = ? AND pending IS NOT 'delete'"
    if connection.execute(query, (dataset.id, name)).fetchone():
        raise Conflict(f"there is a tag {name} already")


def _set(connection: sqlite3.Connection, dataset: Dataset, tag: Tag, *, public: bool) -> None:
    obj = record_tag(
        name=tag.name,
        revision_id=tag.revision_id,
        author=tag.author,
        description=tag.description,
        timestamp=tag.timestamp,
    )
    Ledger(connection, dataset.id).set_tag(tag, obj=obj, public=public)
