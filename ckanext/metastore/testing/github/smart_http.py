"""Git over HTTP: access as GitHub words it, the rest is ``git http-backend``."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import IO, Any, Protocol
from uuid import uuid4

from ckanext.metastore.testing.github import hook
from ckanext.metastore.testing.github.accounts import Token, now
from ckanext.metastore.testing.github.git import HIDDEN_REFS, environment
from ckanext.metastore.testing.github.problems import Problem
from ckanext.metastore.testing.github.repositories import Repository
from ckanext.metastore.testing.github.rest.events import Move, announce
from ckanext.metastore.testing.github.rest.routes import PREFIX, Call
from ckanext.metastore.testing.github.world import World, secret_of

CHUNK = 65536
_MOVED = "STANDIN_MOVED"
SERVICES = ("git-upload-pack", "git-receive-pack")

_PATH = re.compile(r"/(?P<owner>[^/]+)/(?P<name>[^/]+?)(?:\.git)?/(?P<rest>info/refs|git-upload-pack|git-receive-pack)")
_CHALLENGE = {"WWW-Authenticate": 'Basic realm="GitHub"'}


class StartResponse(Protocol):
    """What WSGI gives to say the status and the headers with."""

    def __call__(self, status: str, headers: list[tuple[str, str]], /) -> object:
        """Say them."""


@dataclass(eq=False)
class Refusal(Exception):
    """Git gets no answer but a line of text."""

    status: int
    message: str
    challenge: bool = False


@dataclass(frozen=True)
class _Push:
    """A push that is under way.

    :ivar moved: where the hook writes which refs have moved
    """

    call: Call
    repository: Repository
    moved: Path

    def moves(self) -> list[Move]:
        """Read which, once."""
        try:
            lines = self.moved.read_text("utf-8").splitlines()
        except FileNotFoundError:
            return []
        self.moved.unlink()
        return [Move(ref, old, new) for old, new, ref in (line.split(" ", 2) for line in lines)]


class SmartHttp:
    """A WSGI application that serves the bare repositories."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._hooks = _write_hooks(world.root / "git-hooks")
        self._moved = world.root / "moved"
        self._moved.mkdir(exist_ok=True)
        self._children: set[subprocess.Popen[bytes]] = set()

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        """Answer a request."""
        try:
            repository, rest, service = self._admit(environ)
        except Refusal as refusal:
            drain(environ)
            headers = list(_CHALLENGE.items()) if refusal.challenge else []
            return plain(start_response, refusal.status, refusal.message, headers)
        if isinstance(repository, str):
            drain(environ)
            return plain(start_response, 301, "", [("Location", repository)])
        return self._serve(environ, start_response, repository, rest, service)

    def stop(self) -> None:
        """End what is still running."""
        for child in list(self._children):
            child.kill()

    def _admit(self, environ: dict[str, Any]) -> tuple[Repository | str, str, str]:
        """Say which repository is meant, or where it went; and for what."""
        path = _PATH.fullmatch(environ["PATH_INFO"])
        query = environ.get("QUERY_STRING", "")
        service = query.removeprefix("service=") if path and path["rest"] == "info/refs" else path and path["rest"]
        if path is None or service not in SERVICES:
            raise Refusal(404, "Not Found")
        token = self._token(environ)
        writes = service == "git-receive-pack"
        repository, moved = self._find(f"{path['owner']}/{path['name']}", token)
        if writes:
            self._check_push(repository, token)
        if moved:
            target = f"/{repository.full_name}.git/{path['rest']}"
            return f"http://{environ['HTTP_HOST']}{target}" + (f"?{query}" if query else ""), "", ""
        return repository, path["rest"], str(service)

    def _token(self, environ: dict[str, Any]) -> Token | None:
        secret = secret_of(environ.get("HTTP_AUTHORIZATION", ""))
        if secret is None:
            return None
        token = self._world.accounts.token(secret)
        if token is None:
            words = "Invalid username or token. Password authentication is not supported for Git operations."
            raise Refusal(401, words, challenge=True)
        environ["standin.user"] = token.name
        environ["standin.token"] = token
        return token

    def _find(self, full_name: str, token: Token | None) -> tuple[Repository, bool]:
        """Find a repository by any of its names; who may not see it cannot tell that it exists."""
        try:
            repository, moved = self._world.repositories.find(full_name)
        except Problem:
            repository = None
        if repository and self._world.sees(token, repository):
            return repository, moved
        if token is None:
            raise Refusal(401, "Repository not found.", challenge=True)
        raise Refusal(404, "Repository not found.")

    def _check_push(self, repository: Repository, token: Token | None) -> None:
        if token is None:
            raise Refusal(401, "No anonymous write access.", challenge=True)
        if not self._world.owns(token, repository.owner):
            raise Refusal(403, f"Permission to {repository.full_name}.git denied to {token.owner}.")
        if "contents" not in token.permissions:
            raise Refusal(403, "Write access to repository not granted.")
        if repository.archived:
            raise Refusal(403, "ERROR: This repository was archived so it is read-only.")

    def _serve(
        self, environ: dict[str, Any], start_response: StartResponse, repository: Repository, rest: str, service: str
    ) -> Iterable[bytes]:
        pushed = environ["REQUEST_METHOD"] == "POST" and service == "git-receive-pack"
        push = _Push(self._call(environ), repository, self._moved / uuid4().hex) if pushed else None
        child = subprocess.Popen(
            ["git", "http-backend"],
            env=environment({**self._cgi(environ, repository, rest), _MOVED: str(push.moved) if push else os.devnull}),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        assert child.stdin is not None
        assert child.stdout is not None
        self._children.add(child)
        threading.Thread(target=_pump, args=(environ, child.stdin), daemon=True).start()
        status, headers = _read_head(child.stdout)
        start_response(status, headers)
        return self._body(child, child.stdout, push)

    def _call(self, environ: dict[str, Any]) -> Call:
        site = f"http://{environ['HTTP_HOST']}"
        return Call(self._world, site + PREFIX, site, environ.get("standin.token"))

    def _cgi(self, environ: dict[str, Any], repository: Repository, rest: str) -> dict[str, str]:
        passed = ("REQUEST_METHOD", "QUERY_STRING", "CONTENT_TYPE", "HTTP_CONTENT_ENCODING", "REMOTE_ADDR")
        variables = {name: environ[name] for name in passed if environ.get(name)}
        if environ.get("CONTENT_LENGTH") and not environ.get("HTTP_TRANSFER_ENCODING"):
            variables["CONTENT_LENGTH"] = environ["CONTENT_LENGTH"]
        if protocol := environ.get("HTTP_GIT_PROTOCOL"):
            variables["GIT_PROTOCOL"] = protocol
        own = self._world.custom_hook(repository)
        return {
            **variables,
            **_configuration(self._hooks, repository),
            "PATH_INFO": f"/{repository.path.name}/{rest}",
            "GIT_PROJECT_ROOT": str(repository.path.parent),
            "GIT_HTTP_EXPORT_ALL": "1",
            "REMOTE_USER": environ.get("standin.user", ""),
            hook.OWN_SCRIPT: str(own) if own.exists() else "",
            hook.PROTECTED: " ".join(_protections(repository)),
        }

    def _body(self, child: subprocess.Popen[bytes], out: IO[bytes], push: _Push | None) -> Iterator[bytes]:
        """Give the answer; its last piece only when all is done, so that who has it sees the effects."""
        try:
            last = b""
            while chunk := out.read1(CHUNK):  # type: ignore[attr-defined]
                if last:
                    yield last
                last = chunk
            child.wait()
            if push:
                push.repository.git.adopt_default_branch()
                changed = self._world.repositories.change(push.repository.id, pushed_at=now(), updated_at=now())
                announce(push.call, changed, push.moves())
            if last:
                yield last
        finally:
            child.kill()
            child.wait()
            out.close()
            self._children.discard(child)


def plain(start_response: StartResponse, status: int, text: str, headers: Iterable[tuple[str, str]]) -> list[bytes]:
    """Answer with a line of text."""
    body = text.encode()
    base = [("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", str(len(body)))]
    start_response(f"{status} {HTTPStatus(status).phrase}", [*base, *headers])
    return [body]


def drain(environ: dict[str, Any]) -> None:
    """Read what is sent to its end: who is still sending would not hear the answer."""
    if environ.get("CONTENT_LENGTH") or environ.get("HTTP_TRANSFER_ENCODING"):
        for _ in pieces(environ):
            pass


def pieces(environ: dict[str, Any]) -> Iterator[bytes]:
    """Read a request's body, be its length known or not."""
    stream = environ["wsgi.input"]
    length = environ.get("CONTENT_LENGTH")
    if environ.get("HTTP_TRANSFER_ENCODING", "").lower() == "chunked":
        while chunk := stream.read(CHUNK):
            yield chunk
        return
    left = int(length or 0)
    while left > 0 and (chunk := stream.read(min(left, CHUNK))):
        left -= len(chunk)
        yield chunk


def _pump(environ: dict[str, Any], stdin: IO[bytes]) -> None:
    """Hand the request's body over. Whichever end goes away, the other one notices."""
    try:
        with stdin:
            for chunk in pieces(environ):
                stdin.write(chunk)
    except (OSError, ValueError):
        return


def _read_head(out: IO[bytes]) -> tuple[str, list[tuple[str, str]]]:
    """Read the CGI answer's status and headers."""
    status, headers = "200 OK", []
    while line := out.readline().decode("latin-1").strip():
        name, _, value = line.partition(":")
        if name.lower() == "status":
            status = value.strip()
        else:
            headers.append((name, value.strip()))
    return status, headers


def _protections(repository: Repository) -> list[str]:
    return [f"{'force' if forced else 'all'}:{branch}" for branch, forced in repository.protected.items()]


def _configuration(hooks: Path, repository: Repository) -> dict[str, str]:
    """Configure Git as GitHub does, without a word in the repository."""
    settings = [
        ("http.receivepack", "true"),
        ("uploadpack.allowAnySHA1InWant", "true"),
        ("uploadpack.allowFilter", "true"),
        ("receive.fsckObjects", "true"),
        ("receive.autogc", "false"),
        ("receive.hideRefs", HIDDEN_REFS),
        ("core.hooksPath", str(hooks)),
        *(("receive.procReceiveRefs", f"refs/heads/{branch}") for branch in repository.protected),
    ]
    variables = {"GIT_CONFIG_COUNT": str(len(settings))}
    for number, (name, value) in enumerate(settings):
        variables[f"GIT_CONFIG_KEY_{number}"], variables[f"GIT_CONFIG_VALUE_{number}"] = name, value
    return variables


def _write_hooks(folder: Path) -> Path:
    """Write the hooks, which all repositories share."""
    folder.mkdir(exist_ok=True)
    for name in ("pre-receive", "proc-receive"):
        _write_script(folder / name, f"exec {shlex.join([sys.executable, '-I', '-S', hook.__file__, name])}")
    _write_script(folder / "post-receive", f'exec cat >"${_MOVED}"')
    return folder


def _write_script(path: Path, command: str) -> None:
    path.write_text(f"#!/bin/sh\n{command}\n", "utf-8")
    path.chmod(0o755)
