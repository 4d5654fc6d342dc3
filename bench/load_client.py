"""A client of the action API: it asks over HTTP, with an API token or without, and notes what it was answered."""

from __future__ import annotations

import time
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import requests
from load_park import Slot

Statuses = Collection[int]

PATIENCE = 120
OK = (200,)
UNSTEADY = (200, 403, 404)
"""What a read of a dataset may be answered that others hide, delete or purge meanwhile."""


@dataclass(frozen=True)
class Asked:
    """A request and its answer.

    :ivar status: the answer's; 0 where there was none
    :ivar expected: whether it may have this status
    :ivar dataset: the id of the dataset that was saved; empty for a read
    :ivar token: the revision's message, by which it is found again
    :ivar sha: of the revision that was answered
    :ivar why: what was said where it failed
    :ivar begin: when it was sent, in seconds of the monotonic clock
    :ivar end: when it was answered
    """

    kind: str
    status: int
    expected: bool
    dataset: str
    token: str
    sha: str
    why: str
    begin: float
    end: float

    @property
    def done(self) -> bool:
        """Whether it was answered with success."""
        return self.status == 200


@dataclass(frozen=True)
class Reply:
    """What came back; ``result`` is an action's."""

    begin: float
    end: float
    status: int
    text: str
    result: Any = None

    @property
    def ok(self) -> bool:
        """Whether it is a success."""
        return self.status == 200

    @property
    def fields(self) -> dict[str, Any]:
        """The result, where it is an object."""
        return self.result if isinstance(self.result, dict) else {}


class Client:
    """One client.

    :param number: its number
    :param url: the portal's
    :param token: an editor's API token
    :param master: a sysadmin's
    """

    def __init__(self, number: int, url: str, token: str, master: str) -> None:
        self.number, self._url, self._editor, self._master = number, url, token, master
        self.asked: list[Asked] = []
        self.wrong: list[str] = []
        self._saves = 0

    def token(self) -> str:
        """A message that no other revision has."""
        self._saves += 1
        return f"c{self.number}-{self._saves}"

    def read(self, kind: str, action: str, slot: Slot | None = None, *, anonymous: bool, **params: Any) -> Any:
        """Call an action that reads; gives its result, or None.

        :param slot: what is read, where it is one dataset
        """
        token = "" if anonymous else self._editor
        return self._note(kind, self._send("GET", f"api/action/{action}", token, params=params), slot=slot)

    def page(self, kind: str, slot: Slot) -> None:
        """Look at a dataset's page."""
        self._note(kind, self._send("GET", f"dataset/{slot.id}", ""), slot=slot)

    def save(
        self,
        kind: str,
        action: str,
        dataset: str,
        *,
        allowed: Statuses = OK,
        master: bool = False,
        **params: Any,
    ) -> Any:
        """Call an action that saves; gives its result, or None where that was refused.

        :param dataset: the dataset's id, where it has one
        :param allowed: the statuses that the answer may have
        :param master: as a sysadmin
        """
        reply = self._send("POST", f"api/action/{action}", self._master if master else self._editor, json=params)
        dataset = dataset or str(reply.fields.get("id", ""))
        return self._note(kind, reply, dataset=dataset, token=params.get("revision_message", ""), allowed=allowed)

    def _send(self, method: str, path: str, token: str, **data: Any) -> Reply:
        headers = {"Authorization": token} if token else {}
        begin = time.monotonic()
        try:
            answer = requests.request(method, f"{self._url}/{path}", headers=headers, timeout=PATIENCE, **data)
        except requests.RequestException as error:
            return Reply(begin, time.monotonic(), 0, f"{type(error).__name__}: {error}")
        end = time.monotonic()
        is_json = answer.ok and answer.headers["Content-Type"].startswith("application/json")
        return Reply(begin, end, answer.status_code, answer.text, answer.json()["result"] if is_json else None)

    def _note(
        self,
        kind: str,
        reply: Reply,
        *,
        slot: Slot | None = None,
        dataset: str = "",
        token: str = "",
        allowed: Statuses = OK,
    ) -> Any:
        expected = reply.status in (UNSTEADY if slot and slot.unsteady else allowed)
        why = "" if reply.ok else reply.text[:500]
        times = {"begin": reply.begin, "end": reply.end}
        sha = str(reply.fields.get("revision_id", "")) if dataset else ""
        self.asked.append(Asked(kind, reply.status, expected, dataset, token, sha, why, **times))
        return (reply.result or {}) if reply.ok else None
