"""What webhooks are sent: signed as GitHub signs it, in the background, and once."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

_PATIENCE = 10.0
"""Seconds. GitHub waits no longer for an answer."""

_USER_AGENT = "GitHub-Hookshot/57ad1e5"
_TYPES = {"json": "application/json", "form": "application/x-www-form-urlencoded"}


@dataclass(frozen=True)
class Target:
    """Where a webhook is: a repository, or an organization.

    :ivar kind: ``repository`` or ``organization``
    """

    kind: str
    id: int


@dataclass(frozen=True)
class Delivery:
    """One event, as one hook is told of it.

    :ivar status: the answer's; 0: there was none
    """

    hook_id: int
    event: str
    url: str
    headers: Mapping[str, str]
    body: bytes
    status: int = 0

    @property
    def guid(self) -> str:
        """What GitHub calls it by; the same when it is sent again."""
        return self.headers["X-GitHub-Delivery"]

    @property
    def payload(self) -> dict[str, Any]:
        """What is told."""
        form = self.headers["Content-Type"] == _TYPES["form"]
        value: dict[str, Any] = json.loads(_unquoted(self.body) if form else self.body)
        return value


class Deliveries:
    """Sends, each on a thread of its own, and keeps what was sent."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._threads: set[threading.Thread] = set()
        self._done: list[Delivery] = []

    def all(self) -> list[Delivery]:
        """Give what was sent, in the order in which it ended."""
        with self._lock:
            return list(self._done)

    def send(self, delivery: Delivery) -> None:
        """Send, and wait for the answer."""
        done = replace(delivery, status=_post(delivery))
        with self._lock:
            self._done.append(done)

    def in_background(self, work: Callable[[], None]) -> None:
        """Let something be told to hooks while whoever caused it goes on."""

        def run() -> None:
            try:
                work()
            finally:
                with self._lock:
                    self._threads.discard(thread)

        thread = threading.Thread(target=run, daemon=True, name="github-hookshot")
        with self._lock:
            self._threads.add(thread)
        thread.start()

    def wait(self, seconds: float) -> None:
        """Wait until nothing is on its way.

        :raises TimeoutError: something still is
        """
        end = time.monotonic() + seconds
        while threads := self._under_way():
            for thread in threads:
                thread.join(max(end - time.monotonic(), 0))
            if time.monotonic() >= end and self._under_way():
                raise TimeoutError("a webhook has not answered")

    def _under_way(self) -> list[threading.Thread]:
        with self._lock:
            return list(self._threads)


def prepared(number: int, hook: Mapping[str, Any], target: Target, event: str, payload: Mapping[str, Any]) -> Delivery:
    """Write what a hook is told of an event.

    :param number: the hook's
    :param hook: its settings, with the secret
    """
    config = hook["config"]
    body = json.dumps(payload, ensure_ascii=False).encode("utf-8", "surrogatepass")
    if config["content_type"] != "json":
        body = urlencode({"payload": body}).encode()
    headers = {
        "Accept": "*/*",
        "Content-Type": _TYPES["json" if config["content_type"] == "json" else "form"],
        "User-Agent": _USER_AGENT,
        "X-GitHub-Delivery": str(uuid.uuid1()),
        "X-GitHub-Event": event,
        "X-GitHub-Hook-ID": str(number),
        "X-GitHub-Hook-Installation-Target-ID": str(target.id),
        "X-GitHub-Hook-Installation-Target-Type": target.kind,
    }
    if secret := config.get("secret"):
        for header, kind in (("X-Hub-Signature", "sha1"), ("X-Hub-Signature-256", "sha256")):
            headers[header] = f"{kind}={hmac.new(str(secret).encode(), body, getattr(hashlib, kind)).hexdigest()}"
    return Delivery(number, event, config["url"], headers, body)


def _post(delivery: Delivery) -> int:
    """Send it; gives the answer's status. Nowhere else is it taken, whatever the answer says."""
    parts = urlsplit(delivery.url)
    kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    connection = kind(str(parts.hostname), parts.port, timeout=_PATIENCE)
    with suppress(OSError, HTTPException):
        try:
            path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            connection.request("POST", path, delivery.body, dict(delivery.headers))
            return connection.getresponse().status
        finally:
            connection.close()
    return 0


def _unquoted(body: bytes) -> str:
    return parse_qs(body.decode())["payload"][0]
