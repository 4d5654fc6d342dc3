"""Which datasets there are: an id that never changes, and an owner and a name that may."""

from __future__ import annotations

import re
import sqlite3
import time
from collections.abc import Iterator
from dataclasses import dataclass
from uuid import uuid4

from ckanext.metastore.core import Conflict, InvalidName, NotFound

NAME = (
    r"(?!.*\.(?:git|lock)$)(?![0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$)[a-z0-9][a-z0-9._-]{0,99}"
)
"""An owner or a dataset: fit for an address, for a token's scope, for a folder and for a Git host. No UUID: that would
be an id."""

_NAME = re.compile(NAME)
_RIGHT = (
    "1 to 100 lower-case letters, digits, '-', '_' and '.', a letter or digit first; not ending in .git, and no UUID"
)


@dataclass(frozen=True)
class Dataset:
    """One dataset's row.

    :param private: whether only those with a token see what it is now
    :param created: when its name was first taken, in seconds since 1970-01-01 UTC
    :param head: the newest revision of all
    :param public_head: the newest public one
    :param title: as its newest revision has it
    """

    id: str
    owner: str
    name: str
    created: float
    private: bool
    deleted: bool
    head: str
    public_head: str | None
    title: str | None
    timestamp: int

    @property
    def full_name(self) -> str:
        """``owner/name``."""
        return f"{self.owner}/{self.name}"


def check_name(field: str, name: str) -> str:
    """Give the name as it is.

    :raises InvalidName: it is none
    """
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise InvalidName(field, str(name), f"it must be {_RIGHT}")
    return name


def find(connection: sqlite3.Connection, owner: str, name: str) -> Dataset:
    """Find a dataset by the name that it has now.

    :raises NotFound: there is none
    """
    return _one(connection, "owner = ? AND name = ?", (owner, name), f"{owner}/{name}")


def get(connection: sqlite3.Connection, dataset_id: str) -> Dataset:
    """Find a dataset by its id.

    :raises NotFound: there is none
    """
    return _one(connection, "id = ?", (dataset_id,), dataset_id)


def after(connection: sqlite3.Connection, owner: str | None, cursor: tuple[str, str]) -> Iterator[Dataset]:
    """List datasets in the order of their names, from the one after a cursor on."""
    condition, values = ("owner = ? AND ", [owner]) if owner is not None else ("", [])
    query = f"SELECT * FROM dataset WHERE {condition}(owner, name) > (?, ?) ORDER BY owner, name"
    return map(_dataset, connection.execute(query, [*values, *cursor]))


def add(connection: sqlite3.Connection, owner: str, name: str) -> str:
    """Take a name for a new dataset, which has no revision yet.

    :returns: its id
    """
    dataset_id = str(uuid4())
    values = (dataset_id, check_name("owner", owner), check_name("name", name), time.time())
    connection.execute("INSERT INTO dataset (id, owner, name, created) VALUES (?, ?, ?, ?)", values)
    return dataset_id


def move(connection: sqlite3.Connection, dataset: Dataset, owner: str, name: str) -> None:
    """Give a dataset another name.

    :raises Conflict: it is taken
    """
    values = (check_name("owner", owner), check_name("name", name), dataset.id)
    try:
        connection.execute("UPDATE dataset SET owner = ?, name = ?, version = version + 1 WHERE id = ?", values)
    except sqlite3.IntegrityError:
        raise Conflict(f"there is a dataset {owner}/{name} already") from None


def remove(connection: sqlite3.Connection, dataset_id: str) -> None:
    """Destroy all that is known of a dataset; its repositories are to be destroyed next."""
    for table in ("tag", "revision", "answer"):
        connection.execute(f"DELETE FROM {table} WHERE dataset_id = ?", (dataset_id,))
    connection.execute("DELETE FROM dataset WHERE id = ?", (dataset_id,))
    connection.execute("INSERT INTO purge VALUES (?)", (dataset_id,))


def _one(connection: sqlite3.Connection, condition: str, values: tuple[str, ...], called: str) -> Dataset:
    row = connection.execute(f"SELECT * FROM dataset WHERE {condition}", values).fetchone()
    if row is None:
        raise NotFound("dataset", called)
    return _dataset(row)


def _dataset(row: sqlite3.Row) -> Dataset:
    return Dataset(
        id=row["id"],
        owner=row["owner"],
        name=row["name"],
        created=row["created"],
        private=bool(row["private"]),
        deleted=bool(row["deleted"]),
        head=row["head"],
        public_head=row["public_head"],
        title=row["title"],
        timestamp=row["head_time"],
    )
