"""A client of the action API: it asks over HTTP, with an API token or without, and notes what it was answered."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

import requests

PATIENCE = 120
OK = (200,)


@dataclass(frozen=True)
class Asked:
    """A request and its answer.

    :ivar begin: when it was sent, in seconds of the monotonic clock
    :ivar end: when it was answered
    :ivar status: the answer's; 0 where there was none
    :ivar expected: whether it may have this status
    :ivar dataset: the id of the dataset that was saved; empty for a read
    :ivar token: the revision's message, by which it is found again
    :ivar sha: of the revision that was answered
    :ivar why: what was said where it failed
    """

    kind: str
    begin: float
    end: float
    status: int
    expected: bool
    dataset: str = ""
    token: str = ""
    sha: str = ""
    why: str = ""

    @property
    def done(self) -> bool:
        """Whether it was answered with success."""
        return self.status == 200


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
        self._session = requests.Session()
        self._saves = 0

    def token(self) -> str:
        """A message that no other revision has."""
        self._saves += 1
        return f"c{self.number}-{self._saves}"

    def read(self, kind: str, action: str, *, anonymous: bool, allowed: Collection[int] = OK, **params: Any) -> Any:
        """Call an action that reads; gives its result, or None."""
        who = "" if anonymous else self._editor
        return self._ask(kind, lambda: self._get(f"api/action/{action}", who, params), allowed)

    def page(self, kind: str, path: str, allowed: Collection[int]) -> None:
        """Look at a page."""
        self._ask(kind, lambda: self._get(path, "", {}), allowed)

    def save(
        self, kind: str, action: str, dataset: str, *, allowed: Collection[int] = OK, master: bool = False, **params: Any
    ) -> Any:
        """Call an action that saves; gives its result, or None where that was refused.

        :param dataset: the dataset's id, where it has one
        :param allowed: the statuses that the answer may have
        :param master: as a sysadmin
        """
        headers = {"Authorization": self._master if master else self._editor}
        url = f"{self._url}/api/action/{action}"
        token = params.get("revision_message", "")

        def post() -> requests.Response:
            return self._session.post(url, json=params, headers=headers, timeout=PATIENCE)

        return self._ask(kind, post, allowed, dataset, token)

    def _get(self, path: str, token: str, params: dict[str, Any]) -> requests.Response:
        headers = {"Authorization": token} if token else {}
        return self._session.get(f"{self._url}/{path}", params=params, headers=headers, timeout=PATIENCE)

    def _ask(
        self,
        kind: str,
        send: Callable[[], requests.Response],
        allowed: Collection[int],
        dataset: str = "",
        token: str = "",
    ) -> Any:
        begin = time.monotonic()
        try:
            answer = send()
            status, said = answer.status_code, answer.text
        except requests.RequestException as error:
            answer, status, said = None, 0, f"{type(error).__name__}: {error}"
        end = time.monotonic()
        is_json = answer is not None and answer.headers["Content-Type"].startswith("application/json")
        result = answer.json().get("result") if answer is not None and is_json and status == 200 else None
        fields = result if isinstance(result, dict) else {}
        self.asked.append(
            Asked(
                kind=kind,
                begin=begin,
                end=end,
                status=status,
                expected=status in allowed,
                dataset=dataset or str(fields.get("id", "")) if token or dataset else "",
                token=token,
                sha=str(fields.get("revision_id", "")),
                why="" if status == 200 else said[:500],
            )
        )
        return (result if result is not None else {}) if status == 200 else None
