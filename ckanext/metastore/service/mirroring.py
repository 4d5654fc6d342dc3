"""Mirrors: datasets whose histories are made elsewhere, and come here by push. Here is what is done to them beside."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from itertools import islice
from typing import Any

from ckanext.metastore.core.text import one_line
from ckanext.metastore.service import datasets
from ckanext.metastore.service.database import Database
from ckanext.metastore.service.datasets import Dataset
from ckanext.metastore.service.publisher import Publisher


class Mirroring:
    """Creates, finds and changes mirrors."""

    def __init__(self, database: Database, publisher: Publisher) -> None:
        self._database = database
        self._publisher = publisher

    def create(self, owner: str, name: str, given: Mapping[str, Any]) -> Dataset:
        """Take a name for a history that is to come.

        :param given: any of ``description``, ``homepage``, ``topics``, ``private``
        :raises Conflict: the name is taken
        """
        with self._database.write() as connection:
            dataset_id = datasets.add(connection, owner, name)
            add = "INSERT INTO mirror (dataset_id, description, homepage, topics) VALUES (?, '', '', '[]')"
            connection.execute(add, (dataset_id,))
            _change(connection, dataset_id, given)
            return datasets.get(connection, dataset_id)

    def find(self, number: int) -> Dataset:
        """Find a mirror, an empty or a deleted one too.

        :raises NotFound: there is none of this number
        """
        with self._database.read() as connection:
            return datasets.find_mirror(connection, number)

    def list(
        self,
        *,
        owner: str | None,
        name: str | None,
        after: int,
        limit: int,
        reach: datasets.Reach,
        wanted: Callable[[Dataset], bool],
    ) -> list[Dataset]:
        """List those mirrors that are wanted, by their numbers.

        :param reach: among which they are
        """
        with self._database.read() as connection:
            found = datasets.mirrors(connection, owner, name, after, reach)
            return list(islice(filter(wanted, found), limit))

    def update(self, dataset: Dataset, given: Mapping[str, Any]) -> Dataset:
        """Change what is given, all of it or nothing.

        :param given: any of the same, ``archived``, ``owner`` and ``name``
        :raises Conflict: the name is taken
        """
        said = dict(given)
        with self._database.write() as connection:
            now = datasets.get(connection, dataset.id)
            datasets.move(connection, now, said.pop("owner", now.owner), said.pop("name", now.name))
            _change(connection, dataset.id, said)
            changed = datasets.get(connection, dataset.id)
        self._publisher.publish(dataset.id)
        return changed


def _change(connection: sqlite3.Connection, dataset_id: str, given: Mapping[str, Any]) -> None:
    for what, value in given.items():
        table, key, form = _CHANGES[what]
        connection.execute(f"UPDATE {table} SET {what} = ? WHERE {key} = ?", (form(value), dataset_id))


def _topics(topics: Sequence[str]) -> str:
    return json.dumps(list(filter(None, map(one_line, topics))))


_CHANGES: Mapping[str, tuple[str, str, Callable[[Any], Any]]] = {
    "description": ("mirror", "dataset_id", one_line),
    "homepage": ("mirror", "dataset_id", one_line),
    "topics": ("mirror", "dataset_id", _topics),
    "archived": ("mirror", "dataset_id", bool),
    "private": ("dataset", "id", bool),
}
"""What can be said of a mirror beside its name: where it stands, and in which form."""
