"""What survives a restart: named things as JSON in one SQLite file."""

from __future__ import annotations

import json
import sqlite3
import threading
from pathlib import Path
from typing import Any

_TABLE = "CREATE TABLE IF NOT EXISTS item (kind TEXT, name TEXT, value TEXT NOT NULL, PRIMARY KEY (kind, name))"


class Store:
    """One table of ``(kind, name, JSON)``, used from any thread."""

    def __init__(self, path: Path) -> None:
        path.touch(mode=0o600)
        self._lock = threading.Lock()
        self._connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = NORMAL")
        self._connection.execute(_TABLE)

    def put(self, kind: str, name: str, value: object) -> None:
        """Keep a value, in place of the one before."""
        with self._lock:
            self._connection.execute("REPLACE INTO item VALUES (?, ?, ?)", (kind, name, json.dumps(value)))

    def remove(self, kind: str, name: str) -> None:
        """Forget a value."""
        with self._lock:
            self._connection.execute("DELETE FROM item WHERE kind = ? AND name = ?", (kind, name))

    def all(self, kind: str) -> dict[str, Any]:
        """Give all values of a kind by their names."""
        with self._lock:
            rows = self._connection.execute("SELECT name, value FROM item WHERE kind = ?", (kind,)).fetchall()
        return {name: json.loads(value) for name, value in rows}

    def next_number(self) -> int:
        """Give a number that nothing else had and, like GitHub's, one that is no small one."""
        with self._lock:
            query = "SELECT COALESCE(MAX(CAST(value AS INTEGER)), 70000000) + 1 FROM item WHERE kind = 'number'"
            number = int(self._connection.execute(query).fetchone()[0])
            self._connection.execute("REPLACE INTO item VALUES ('number', 'last', ?)", (str(number),))
            return number

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()
