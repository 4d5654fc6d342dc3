"""Which datasets there are: an id that never changes, and an owner and a name that may."""

from __future__ import annotations

import json
import re
import sqlite3
import time
from collections.abc import Iterator, Sequence
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


Reach = Sequence[tuple[str, str]] | None
"""Some datasets, by their owners and their names or ids, either may be ``*``; None for those that are public."""

_ROWS = "SELECT dataset.*, mirror.* FROM dataset LEFT JOIN mirror ON mirror.dataset_id = dataset.id"


@dataclass(frozen=True)
class Mirror:
    """What a dataset has beside its row whose history is made elsewhere, and comes here by push.

    :param number: its own, for ever
    :param homepage: where its history is made; perhaps empty
    :param archived: whether it takes no pushes
    """

    number: int
    description: str
    homepage: str
    topics: tuple[str, ...]
    archived: bool


@dataclass(frozen=True)
class Dataset:
    """One dataset's row.

    :param private: whether only those with a token see what it is now
    :param created: when its name was first taken, in seconds since 1970-01-01 UTC
    :param head: the newest revision of all; empty where there is none yet, of a mirror
    :param public_head: the newest public one
    :param title: as its newest revision has it
    :param mirror: None where its history is made here
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
    mirror: Mirror | None = None

    @property
    def full_name(self) -> str:
        """``owner/name``."""
        return f"{self.owner}/{self.name}"


def check_is_made_here(dataset: Dataset) -> None:
    """Let nobody write but by push, where the history is made elsewhere.

    :raises Conflict: it is
    """
    if dataset.mirror is not None:
        place = dataset.mirror.homepage
        raise Conflict(f"the history of {dataset.full_name} is made elsewhere{f', at {place}' if place else ''}")


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


def find_mirror(connection: sqlite3.Connection, number: int) -> Dataset:
    """Find a mirror by its number.

    :raises NotFound: there is none
    """
    row = connection.execute(f"{_ROWS} WHERE number = ?", (number,)).fetchone()
    if row is None:
        raise NotFound("mirror", str(number))
    return _dataset(row)


def former(connection: sqlite3.Connection, owner: str, name: str) -> Dataset | None:
    """Find the dataset that was called so last; none, where another has taken the name."""
    asked = "id = (SELECT dataset_id FROM former WHERE owner = ? AND name = ?)"
    row = connection.execute(f"{_ROWS} WHERE {asked}", (owner, name)).fetchone()
    return _dataset(row) if row else None


def get(connection: sqlite3.Connection, dataset_id: str) -> Dataset:
    """Find a dataset by its id.

    :raises NotFound: there is none
    """
    return _one(connection, "id = ?", (dataset_id,), dataset_id)


def after(
    connection: sqlite3.Connection, owner: str | None, cursor: tuple[str, str], reach: Reach
) -> Iterator[Dataset]:
    """List datasets in the order of their names, from the one after a cursor on."""
    condition, values = ("owner = ? AND ", [owner]) if owner is not None else ("", [])
    within, names = _within(reach)
    query = f"{_ROWS} WHERE {condition}(owner, name) > (?, ?) AND head IS NOT NULL AND {within} ORDER BY owner, name"
    return map(_dataset, connection.execute(query, [*values, *cursor, *names]))


def mirrors(
    connection: sqlite3.Connection, owner: str | None, name: str | None, after: int, reach: Reach
) -> Iterator[Dataset]:
    """List mirrors by their numbers, from the one after a number on, the empty ones too."""
    within, names = _within(reach)
    asked = f"number > ? AND owner = coalesce(?, owner) AND name = coalesce(?, name) AND {within}"
    return map(_dataset, connection.execute(f"{_ROWS} WHERE {asked} ORDER BY number", (after, owner, name, *names)))


def _within(reach: Reach) -> tuple[str, list[str]]:
    """Give a condition, and the values in it."""
    if reach is None:
        return "NOT (private OR deleted)", []
    parts, values = ["0"], []
    for owner, name in reach:
        of_owner, of_name = "1" if owner == "*" else "owner = ?", "1" if name == "*" else "? IN (name, id)"
        parts.append(f"{of_owner} AND {of_name}")
        values += [said for said in (owner, name) if said != "*"]
    return f"({' OR '.join(parts)})", values


def add(connection: sqlite3.Connection, owner: str, name: str) -> str:
    """Take a name for a new dataset, which has no revision yet.

    :returns: its id
    :raises Conflict: it is taken
    """
    dataset_id = str(uuid4())
    values = (dataset_id, check_name("owner", owner), check_name("name", name), time.time())
    try:
        connection.execute("INSERT INTO dataset (id, owner, name, created) VALUES (?, ?, ?, ?)", values)
    except sqlite3.IntegrityError:
        raise taken(owner, name) from None
    _take(connection, owner, name)
    return dataset_id


def move(connection: sqlite3.Connection, dataset: Dataset, owner: str, name: str) -> None:
    """Give a dataset another name. The old one leads to it until another dataset takes it.

    :raises Conflict: it is taken
    """
    values = (check_name("owner", owner), check_name("name", name), dataset.id)
    try:
        connection.execute("UPDATE dataset SET owner = ?, name = ?, version = version + 1 WHERE id = ?", values)
    except sqlite3.IntegrityError:
        raise taken(owner, name) from None
    if (owner, name) != (dataset.owner, dataset.name):
        _take(connection, owner, name)
        connection.execute("INSERT INTO former VALUES (?, ?, ?)", (dataset.owner, dataset.name, dataset.id))


def remove(connection: sqlite3.Connection, dataset_id: str) -> None:
    """Destroy all that is known of a dataset; its repositories are to be destroyed next."""
    for table in ("tag", "revision", "answer", "mirror", "former"):
        connection.execute(f"DELETE FROM {table} WHERE dataset_id = ?", (dataset_id,))
    connection.execute("DELETE FROM dataset WHERE id = ?", (dataset_id,))
    connection.execute("INSERT INTO purge VALUES (?)", (dataset_id,))


def _one(connection: sqlite3.Connection, condition: str, values: tuple[str, ...], called: str) -> Dataset:
    row = connection.execute(f"{_ROWS} WHERE {condition}", values).fetchone()
    if row is None:
        raise NotFound("dataset", called)
    return _dataset(row)


def _take(connection: sqlite3.Connection, owner: str, name: str) -> None:
    connection.execute("DELETE FROM former WHERE owner = ? AND name = ?", (owner, name))


def taken(owner: str, name: str) -> Conflict:
    """Say that there is a dataset of that name."""
    return Conflict(f"there is a dataset {owner}/{name} already")


def _dataset(row: sqlite3.Row) -> Dataset:
    return Dataset(
        id=row["id"],
        owner=row["owner"],
        name=row["name"],
        created=row["created"],
        private=bool(row["private"]),
        deleted=bool(row["deleted"]),
        head=row["head"] or "",
        public_head=row["public_head"],
        title=row["title"],
        timestamp=row["head_time"] or 0,
        mirror=_mirror(row) if row["number"] is not None else None,
    )


def _mirror(row: sqlite3.Row) -> Mirror:
    topics = tuple(json.loads(row["topics"]))
    return Mirror(row["number"], row["description"], row["homepage"], topics, bool(row["archived"]))
