"""Answers that are kept for a day, so that a request that is sent again does nothing again."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass

from ckanext.metastore.core import Conflict, Invalid
from ckanext.metastore.service.database import Database

KEPT = 86_400.0
"""Seconds."""

UNFINISHED = 120.0
"""Seconds after which a request that has no answer counts as lost."""


@dataclass(frozen=True)
class Answer:
    """What was answered."""

    status: int
    headers: dict[str, str]
    body: bytes


class Answers:
    """The answers in the index."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def begin(self, key: str, request: str) -> Answer | None:
        """Give the answer that this request got before; ``None`` where it is to be done now.

        :param key: what the client calls the request, and who it is
        :param request: a hash of all that the request says
        :raises Invalid: another request has this key
        :raises Conflict: the same request is being answered this moment
        """
        now = time.time()
        with self._database.write() as connection:
            connection.execute("DELETE FROM answer WHERE started < ?", (now - KEPT,))
            lost = "DELETE FROM answer WHERE status IS NULL AND started < ?"
            connection.execute(lost, (now - UNFINISHED,))
            row = connection.execute("SELECT * FROM answer WHERE key = ?", (key,)).fetchone()
            if row is None:
                values = (key, request, now)
                connection.execute("INSERT INTO answer (key, request, started) VALUES (?, ?, ?)", values)
                return None
        if row["request"] != request:
            raise Invalid("Idempotency-Key", "it was used for another request; take a new one")
        if row["status"] is None:
            raise Conflict("the same request is being answered")
        return Answer(row["status"], json.loads(row["headers"]), row["body"])

    def keep(self, key: str, answer: Answer, *, dataset_id: str | None) -> None:
        """Keep an answer."""
        values = (answer.status, json.dumps(answer.headers), answer.body, dataset_id, key)
        with self._database.write() as connection:
            change = "UPDATE answer SET status = ?, headers = ?, body = ?, dataset_id = ? WHERE key = ?"
            connection.execute(change, values)

    def drop(self, key: str) -> None:
        """Forget a request that failed: it may be sent again."""
        with self._database.write() as connection:
            connection.execute("DELETE FROM answer WHERE key = ?", (key,))


def headers_to_keep(headers: Mapping[str, str]) -> dict[str, str]:
    """Those headers of an answer that say something about it."""
    names = ("Content-Type", "ETag", "Location", "Metastore-Private", "Metastore-Published")
    return {name: headers[name] for name in names if name in headers}
