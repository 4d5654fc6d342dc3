"""What happens to every request, whoever answers it: the log, the latency, the faults."""

from __future__ import annotations

import io
import itertools
import json
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import Any

from ckanext.metastore.testing.github.faults import Fault, Faults
from ckanext.metastore.testing.github.log import Exchange, Log, Request
from ckanext.metastore.testing.github.rest.accounts import HOURLY_LIMIT
from ckanext.metastore.testing.github.rest.routes import PREFIX
from ckanext.metastore.testing.github.smart_http import SmartHttp, StartResponse, drain, pieces

Application = Callable[..., Iterable[bytes]]

_STILL_OPEN = 0.05


class _Cut(ConnectionError):
    """The connection is closed on purpose."""


@dataclass
class _Answer:
    """What an application said, before any of it is sent."""

    status: str = ""
    headers: list[tuple[str, str]] = field(default_factory=list)

    def __call__(self, status: str, headers: list[tuple[str, str]], /) -> object:
        self.status, self.headers = status, headers
        return None

    @property
    def code(self) -> int:
        """The status as a number."""
        return int(self.status.split(" ", 1)[0])


class Front:
    """A WSGI application before the two others."""

    def __init__(self, rest: Application, git: SmartHttp, log: Log, faults: Faults, latency: float) -> None:
        self._rest = rest
        self._git = git
        self._log = log
        self._faults = faults
        self.latency = latency
        self.stopping = threading.Event()
        self._numbers = itertools.count(1)

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        """Answer a request."""
        request = _request(environ)
        fault = self._faults.take(request)
        self.stopping.wait(self.latency + (fault.delay if fault else 0))
        if fault is None:
            return self._go(request, environ, start_response)
        return self._fail(fault, request, environ, start_response)

    def _go(self, request: Request, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        answer = _Answer()
        if request.kind == "git":
            body = self._git(environ, answer)
            self._note(request, environ, answer.code)
            start_response(answer.status, answer.headers)
            return body
        sent = _read_input(environ)
        received = b"".join(self._rest(environ, answer))
        done = self._note(request, environ, answer.code)
        self._log.tell(Exchange(done, sent, received, dict(answer.headers)))
        start_response(answer.status, [*answer.headers, *self._usual_headers(environ)])
        return [received]

    def _fail(
        self, fault: Fault, request: Request, environ: dict[str, Any], start_response: StartResponse
    ) -> Iterable[bytes]:
        if fault.hang or fault.drop == "before":
            fault.hits.append(self._note(request, environ, 0))
            self._hang(fault)
            raise _cut(environ)
        if fault.status is not None:
            drain(environ)
            fault.hits.append(self._note(request, environ, fault.status))
            status, headers, body = _made_up(fault)
            usual = self._usual_headers(environ) if request.kind == "rest" else []
            own = {name.lower() for name, _ in headers}
            start_response(status, [*headers, *(pair for pair in usual if pair[0] not in own)])
            return self._send(fault, environ, body)
        answer = _Answer()
        body = b"".join(self._go(request, environ, answer))
        fault.hits.append(self._log.all()[-1])
        if fault.drop == "after":
            raise _cut(environ)
        start_response(answer.status, answer.headers)
        return self._send(fault, environ, body)

    def _hang(self, fault: Fault) -> None:
        cleared = self._faults.cleared
        while fault.hang and not (self.stopping.is_set() or cleared.is_set()):
            self.stopping.wait(_STILL_OPEN)

    def _send(self, fault: Fault, environ: dict[str, Any], body: bytes) -> Iterator[bytes]:
        """Send the answer as the fault wants it: slowly, or not to its end."""
        end = len(body) // 2 if fault.truncate else len(body)
        step = 1 if fault.drip else max(end, 1)
        for start in range(0, end, step):
            yield body[start : min(start + step, end)]
            if self.stopping.wait(fault.drip):
                break
        if fault.truncate:
            raise _cut(environ)

    def _note(self, request: Request, environ: Mapping[str, Any], status: int) -> Request:
        user = environ.get("standin.user")
        done = replace(request, status=status, user=user)
        self._log.add(done)
        return done

    def _usual_headers(self, environ: Mapping[str, Any]) -> list[tuple[str, str]]:
        scopes = [("x-oauth-scopes", "delete_repo, repo")] if environ.get("standin.user") else []
        return [
            ("x-github-request-id", f"57AD:1:{next(self._numbers):08X}"),
            ("x-github-media-type", "github.v3; format=json"),
            ("x-ratelimit-limit", str(HOURLY_LIMIT)),
            ("x-ratelimit-remaining", str(HOURLY_LIMIT)),
            ("x-ratelimit-used", "0"),
            ("x-ratelimit-reset", str(int(time.time()) + 3600)),
            ("x-ratelimit-resource", "core"),
            *scopes,
        ]


def _request(environ: Mapping[str, Any]) -> Request:
    path, query = environ["PATH_INFO"], environ.get("QUERY_STRING", "")
    kind = "rest" if path.startswith(PREFIX + "/") else "git"
    shown = path.removeprefix(PREFIX) + (f"?{query}" if query else "")
    is_probe = kind == "git" and environ.get("CONTENT_LENGTH") == str(len(b"0000"))
    return Request(kind, environ["REQUEST_METHOD"], shown, 0, is_probe=is_probe)


def _read_input(environ: dict[str, Any]) -> bytes:
    """Read what a REST request sends, and leave it for the application to read again."""
    sent = b"".join(pieces(environ))
    environ["wsgi.input"], environ["CONTENT_LENGTH"] = io.BytesIO(sent), str(len(sent))
    environ.pop("HTTP_TRANSFER_ENCODING", None)
    return sent


def _made_up(fault: Fault) -> tuple[str, list[tuple[str, str]], bytes]:
    is_text = isinstance(fault.body, str)
    body = str(fault.body).encode() if is_text else json.dumps(fault.body).encode() if fault.body is not None else b""
    kind = "text/html; charset=utf-8" if is_text else "application/json; charset=utf-8"
    base = {"Content-Type": kind, "Content-Length": str(len(body))}
    status = int(fault.status or 500)
    return f"{status} {HTTPStatus(status).phrase}", list({**base, **fault.headers}.items()), body


def _cut(environ: Mapping[str, Any]) -> _Cut:
    """Close the connection; to be raised, so that the server does not go on."""
    with suppress(OSError):  # The client may have been faster.
        environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
    return _Cut("a fault")
