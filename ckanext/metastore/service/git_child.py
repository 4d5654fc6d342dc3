"""``git http-backend`` as a child process: it serves one request, within limits of memory and time.

The child knows no configuration but what it is given here, and finds no repository but the one it is to serve.

:see: https://git-scm.com/docs/git-http-backend
"""

from __future__ import annotations

import os
import shlex
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from ckanext.metastore.core.errors import Unavailable
from ckanext.metastore.service import push_hook

CHUNK = 65536
MEMORY_LIMIT = 2**31
"""Bytes. A small pack can be made to claim any size."""

_SETTINGS = {
    "http.receivepack": "true",
    "http.getanyfile": "false",
    "core.bigFileThreshold": "1m",
    "uploadpack.allowFilter": "true",
    "receive.fsckObjects": "true",
    "receive.autogc": "false",
    "gc.auto": "0",
    "safe.directory": "*",
}


@dataclass(frozen=True)
class Call:
    """One request of a Git client.

    :param path: what follows the repository's address: ``info/refs``, ``git-upload-pack`` or ``git-receive-pack``
    :param variables: those of CGI that come from the request
    :param body: the request's whole body
    """

    path: str
    variables: Mapping[str, str]
    body: IO[bytes]


@dataclass(frozen=True)
class Hearing:
    """A push is being judged.

    :param line: for the hook, which asks there
    :param thread: ends when all is done that the verdict brings about
    """

    line: socket.socket
    thread: threading.Thread


class Body:
    """What a child writes. It ends with the child, and the child with it.

    :param seconds: after so many the child is killed
    :param hearing: of a push; it may take longer than the child
    """

    def __init__(self, child: subprocess.Popen[bytes], seconds: float, hearing: Hearing | None) -> None:
        assert child.stdout is not None
        self._child, self._out, self._hearing = child, child.stdout, hearing
        self._watch = threading.Timer(seconds, self._kill)
        self._watch.daemon = True
        self._watch.start()

    def head(self) -> tuple[str, list[tuple[str, str]]]:
        """Read the status and the headers of a CGI answer."""
        status, headers = "200 OK", []
        while line := self._out.readline().decode("latin-1").strip():
            name, _, value = line.partition(":")
            if name.lower() == "status":
                status = value.strip()
            else:
                headers.append((name, value.strip()))
        return status, headers

    def __iter__(self) -> Iterator[bytes]:
        """Give the pieces; the last one only when all is done, so that who has it sees the effects.

        :raises Unavailable: the child was killed; who gets the answer must not take it for a whole one
        """
        last = b""
        while chunk := self._out.read1(CHUNK):  # type: ignore[attr-defined]
            if last:
                yield last
            last = chunk
        if self._child.wait() < 0:
            raise Unavailable("git was killed")
        if self._hearing:
            self._hearing.thread.join()
        yield last

    def close(self) -> None:
        """End the child, if it has not ended by itself."""
        self._watch.cancel()
        self._kill()
        self._child.wait()
        self._out.close()

    def _kill(self) -> None:
        """End it, and all that it has started."""
        if self._child.poll() is None:
            with suppress(ProcessLookupError):
                os.killpg(self._child.pid, signal.SIGKILL)


@dataclass(frozen=True)
class Answer:
    """What Git answers; ``body`` ends when all is done."""

    status: str
    headers: list[tuple[str, str]]
    body: Body


@dataclass(frozen=True)
class GitChild:
    """Serves repositories.

    :param hooks: the folder that :func:`write_hooks` has filled
    :param push_limit: bytes that a push may have
    :param seconds: after so many, a child is killed
    """

    hooks: Path
    push_limit: int
    seconds: float

    def serve(self, repository: Path, call: Call, hearing: Hearing | None = None) -> Answer:
        """Let Git answer.

        :param hearing: its line is handed to the hook, and closed here
        :raises Unavailable: there is no Git program, or it did not answer
        """
        limited = f"ulimit -v {MEMORY_LIMIT // 1024}; exec git http-backend"
        try:
            child = subprocess.Popen(
                ["/bin/sh", "-c", limited],
                env=environment(self._variables(repository, call, hearing)),
                stdin=call.body,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
                pass_fds=[hearing.line.fileno()] if hearing else [],
            )
        except OSError as error:
            raise Unavailable(f"cannot run git: {error.strerror}") from error
        finally:
            if hearing:
                hearing.line.close()
        body = Body(child, self.seconds, hearing)
        status, headers = body.head()
        if not headers:
            body.close()
            raise Unavailable("git did not answer")
        return Answer(status, headers, body)

    def _variables(self, repository: Path, call: Call, hearing: Hearing | None) -> dict[str, str]:
        settings = {
            **_SETTINGS,
            "core.hooksPath": str(self.hooks),
            "receive.maxInputSize": str(self.push_limit),
        }
        numbered = {"GIT_CONFIG_COUNT": str(len(settings))}
        for number, (key, value) in enumerate(settings.items()):
            numbered |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
        return {
            **call.variables,
            **numbered,
            "GIT_PROJECT_ROOT": str(repository.parent),
            "GIT_HTTP_EXPORT_ALL": "1",
            "PATH_INFO": f"/{repository.name}/{call.path}",
            **({push_hook.SOCKET: str(hearing.line.fileno())} if hearing else {}),
        }


def environment(more: Mapping[str, str]) -> dict[str, str]:
    """Give an environment in which no other configuration plays a part."""
    kept = {name: os.environ[name] for name in ("PATH", "TMPDIR") if name in os.environ}
    own = {"LC_ALL": "C.UTF-8", "HOME": os.devnull, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    return {**kept, **own, **more}


def write_hooks(folder: Path) -> Path:
    """Write the hook, which all repositories share, into a folder; gives the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    new = folder / f".pre-receive-{os.getpid()}-{threading.get_ident()}"
    new.write_text(f"#!/bin/sh\nexec {shlex.join([sys.executable, '-I', '-S', push_hook.__file__])}\n", "utf-8")
    new.chmod(0o755)
    new.replace(folder / "pre-receive")
    return folder
