"""Another editor, at the same time: an action in a thread, on a database connection of its own."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ckan import model
from ckan.model import meta
from ckan.tests import helpers
from sqlalchemy import text

_WAITING = text(
    "SELECT query FROM pg_stat_activity WHERE datname = current_database() AND cardinality(pg_blocking_pids(pid)) > 0"
)


class Elsewhere:
    """What became of the action.

    :param result: what it gave
    :param error: what it raised
    """

    def __init__(self, action: str, params: dict[str, Any]) -> None:
        self.result: Any = None
        self.error: Exception | None = None
        self._thread = threading.Thread(target=self._call, args=(action, params), daemon=True)
        self._thread.start()

    def _call(self, action: str, params: dict[str, Any]) -> None:
        try:
            self.result = helpers.call_action(action, **params)
        except Exception as error:
            self.error = error
        finally:
            model.Session.remove()

    def wait_until_blocked(self) -> str:
        """Wait until the action waits for a lock; gives the statement that does, or nothing where it ends without."""
        # Within one transaction PostgreSQL would show what it has shown first.
        with meta.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            while self._thread.is_alive():
                if statement := connection.execute(_WAITING).scalars().first():
                    return statement
        return ""

    def join(self) -> None:
        self._thread.join()


@contextmanager
def elsewhere(action: str, **params: Any) -> Iterator[Elsewhere]:
    """Start an action elsewhere; it has ended when the block has."""
    other = Elsewhere(action, params)
    try:
        yield other
    finally:
        model.Session.rollback()  # whatever it waits for
        other.join()
