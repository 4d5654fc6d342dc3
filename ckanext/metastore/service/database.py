"""The service's index: one SQLite file. Writers come one after the other, readers never wait."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ckanext.metastore.core import Unavailable

BUSY_TIMEOUT = 10.0
"""Seconds. A writer computes some hashes and writes a few rows."""

_FIRST = """
CREATE TABLE dataset (
    id TEXT PRIMARY KEY,
    owner TEXT NOT NULL,
    name TEXT NOT NULL,
    created REAL NOT NULL,
    private INTEGER NOT NULL DEFAULT 0,
    deleted INTEGER NOT NULL DEFAULT 0,
    version INTEGER NOT NULL DEFAULT 0,
    arranged INTEGER NOT NULL DEFAULT 0,
    seq INTEGER NOT NULL DEFAULT 0,
    head TEXT, head_tree BLOB, head_time INTEGER,
    public_seq INTEGER NOT NULL DEFAULT 0,
    public_head TEXT, public_tree BLOB, public_time INTEGER,
    title TEXT,
    UNIQUE (owner, name)
);
CREATE TABLE revision (
    dataset_id TEXT NOT NULL,
    seq INTEGER NOT NULL,
    sha TEXT NOT NULL,
    parents TEXT NOT NULL,
    public INTEGER NOT NULL,
    public_seq INTEGER,
    author_name TEXT NOT NULL,
    author_email TEXT NOT NULL,
    message TEXT NOT NULL,
    timestamp INTEGER NOT NULL,
    published INTEGER NOT NULL DEFAULT 0,
    objects BLOB,
    PRIMARY KEY (dataset_id, seq)
);
CREATE INDEX revision_sha ON revision (dataset_id, sha);
CREATE INDEX revision_time ON revision (dataset_id, timestamp);
CREATE UNIQUE INDEX revision_place ON revision (dataset_id, public_seq) WHERE public_seq IS NOT NULL;
CREATE INDEX revision_waiting ON revision (dataset_id) WHERE NOT published;
CREATE TABLE tag (
    dataset_id TEXT NOT NULL,
    name TEXT NOT NULL,
    sha TEXT NOT NULL,
    public INTEGER NOT NULL,
    author_name TEXT NOT NULL,
    author_email TEXT NOT NULL,
    description TEXT NOT NULL,
    timestamp INTEGER NOT NULL,
    pending TEXT,
    object BLOB,
    PRIMARY KEY (dataset_id, name)
);
CREATE TABLE purge (dataset_id TEXT PRIMARY KEY);
CREATE TABLE hosted (
    dataset_id TEXT PRIMARY KEY,
    host_id INTEGER NOT NULL,
    profile TEXT NOT NULL,
    private INTEGER NOT NULL
);
CREATE TABLE answer (
    key TEXT PRIMARY KEY,
    request TEXT NOT NULL,
    started REAL NOT NULL,
    dataset_id TEXT,
    status INTEGER,
    headers TEXT,
    body BLOB
);
"""
_MIRRORS = """
CREATE TABLE mirror (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    dataset_id TEXT NOT NULL UNIQUE,
    description TEXT NOT NULL,
    homepage TEXT NOT NULL,
    topics TEXT NOT NULL,
    archived INTEGER NOT NULL DEFAULT 0
);
"""
_FORMER = """
CREATE TABLE former (
    owner TEXT NOT NULL,
    name TEXT NOT NULL,
    dataset_id TEXT NOT NULL,
    PRIMARY KEY (owner, name)
);
"""
_STEPS = (_FIRST, _MIRRORS, _FORMER)
"""What leads from each version of the index to the next."""


class Database:
    """The file, with a connection for each thread.

    :raises Unavailable: it cannot be opened, or a later version of the service wrote it
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._local = threading.local()
        with _translated(), self.write() as connection:
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            if version > len(_STEPS):
                raise Unavailable(f"{path} was written by a later version of the service")
            for step in _STEPS[version:]:
                for statement in step.split(";"):
                    connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {len(_STEPS)}")

    def close(self) -> None:
        """Close this thread's connection: none may be open where a process forks."""
        if connection := getattr(self._local, "connection", None):
            connection.close()
            self._local.connection = None

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """See one state of the file, whatever others write meanwhile."""
        with self._transaction("BEGIN") as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """Be the only writer; what was written is durable when the block ends, or gone if it raises.

        :raises Unavailable: the disk is full, or other writers took too long
        """
        with self._transaction("BEGIN IMMEDIATE") as connection:
            yield connection

    @contextmanager
    def _transaction(self, begin: str) -> Iterator[sqlite3.Connection]:
        with _translated():
            connection = self._connection()
            if connection.in_transaction:
                # Who reads in the midst of a change, such as a backend that asks for its registry, sees the change.
                yield connection
            else:
                yield from _between(connection, begin)

    def _connection(self) -> sqlite3.Connection:
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = sqlite3.connect(self._path, timeout=BUSY_TIMEOUT, isolation_level=None)
            connection.row_factory = sqlite3.Row
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            self._local.connection = connection
        return connection


def _between(connection: sqlite3.Connection, begin: str) -> Iterator[sqlite3.Connection]:
    connection.execute(begin)
    try:
        yield connection
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except sqlite3.IntegrityError:
        raise
    except sqlite3.DatabaseError as error:
        raise Unavailable(f"the index does not answer: {error}") from error
