"""Git over HTTP: clone and fetch what is public, push to the branch, with the same tokens as everything else.

Access is decided here, the protocol is Git's own. A push goes into a repository that is made for it, and borrows from
the dataset's: what is taken of it is recorded in the index like every other change, and published from there.

Errors are plain text here, and not problem documents: it is all that Git shows to people.
"""

from __future__ import annotations

import json
import logging
import shutil
import socket
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http import HTTPStatus
from pathlib import Path
from typing import IO, Any

from flask import Blueprint, Response, request
from werkzeug.exceptions import HTTPException

from ckanext.metastore.authz import InvalidToken
from ckanext.metastore.backends.git.folder import create_repository
from ckanext.metastore.core.errors import Conflict, MetastoreError, NotFound, Unavailable
from ckanext.metastore.core.text import one_line
from ckanext.metastore.service import push_hook, pushes
from ckanext.metastore.service.access import Access
from ckanext.metastore.service.datasets import Dataset
from ckanext.metastore.service.git_child import Call, GitChild, write_hooks
from ckanext.metastore.service.settings import Settings
from ckanext.metastore.service.store import Store

log = logging.getLogger(__name__)

PUSH = "git-receive-pack"
FETCH = "git-upload-pack"

FETCH_LIMIT = 4 * 1024 * 1024
"""Bytes in which a client may say what it has and what it wants."""

CHUNK = 65536
STALE_AGE = 3600.0
"""Seconds. No push takes longer: an older folder is what a process left behind that was killed."""

_CHALLENGE = {"WWW-Authenticate": 'Basic realm="metastore", charset="UTF-8"'}
_VARIABLES = ("REQUEST_METHOD", "QUERY_STRING", "CONTENT_TYPE", "HTTP_CONTENT_ENCODING", "REMOTE_ADDR")
_PROTOCOLS = ("version=1", "version=2")


class Denied(Exception):
    """Git gets no answer but a line of text."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


class GitHttp:
    """Serves the datasets' repositories at ``/<owner>/<name>.git``."""

    def __init__(self, settings: Settings, store: Store, access: Access) -> None:
        self._settings = settings
        self._store = store
        self._access = access
        self._incoming = settings.path / "incoming"
        self._child = GitChild(
            hooks=write_hooks(settings.path.absolute() / "hooks"),
            push_limit=settings.limits_push,
            seconds=settings.serve_timeout,
        )

    def blueprint(self) -> Blueprint:
        """Give the routes."""
        routes = Blueprint("git", __name__, url_prefix="/<owner>/<name>.git")
        routes.add_url_rule("/info/refs", "refs", self._refs, methods=["GET"])
        routes.add_url_rule(f"/{FETCH}", "fetch", self._fetch, methods=["POST"])
        routes.add_url_rule(f"/{PUSH}", "push", self._push, methods=["POST"])
        routes.register_error_handler(Exception, _told)
        return routes

    def _refs(self, owner: str, name: str) -> Response:
        service = request.args.get("service")
        if service not in (FETCH, PUSH):
            raise Denied(403, "only Git's smart protocol is served here")
        dataset = self._admit(owner, name, pushes=service == PUSH)
        with tempfile.TemporaryFile() as nothing:
            answer = self._child.serve(self._store.repository(dataset), _call("info/refs", nothing))
        return Response(answer.body, answer.status, answer.headers)

    def _fetch(self, owner: str, name: str) -> Response:
        dataset = self._admit(owner, name, pushes=False)
        with _received(FETCH_LIMIT) as body:
            answer = self._child.serve(self._store.repository(dataset), _call(FETCH, body))
        return Response(answer.body, answer.status, answer.headers)

    def _push(self, owner: str, name: str) -> Response:
        dataset = self._admit(owner, name, pushes=True)
        with _received(self._settings.limits_push) as body:
            repository = self._borrowing(dataset)
            try:
                ours, theirs = socket.socketpair()
                threading.Thread(target=self._judge, args=(ours, dataset, repository), daemon=True).start()
                answer = self._child.serve(repository, _call(PUSH, body), theirs)
            except BaseException:
                shutil.rmtree(repository.parent, ignore_errors=True)
                raise
        response = Response(answer.body, answer.status, answer.headers)
        response.call_on_close(lambda: shutil.rmtree(repository.parent, ignore_errors=True))
        return response

    def _admit(self, owner: str, name: str, *, pushes: bool) -> Dataset:
        """Find a dataset, for who may see it, and push to it if they want to."""
        claims = self._access.claims(request.headers.get("Authorization"), basic=True)
        try:
            dataset = self._store.find(owner, name)
        except NotFound:
            if self._access.permits_name(claims, "show", owner, name):
                raise
            raise _no_access(claims) from None
        if not self._access.permits(claims, "update" if pushes else "show", dataset):
            raise _no_access(claims)
        if pushes and dataset.deleted:
            raise Denied(403, "the dataset is deleted; bring it back by PUT or revert first")
        if pushes and dataset.head != dataset.public_head:
            raise Denied(403, "the dataset is private, and what is private is not pushed; change it by PUT or PATCH")
        return dataset

    # -- a push ------------------------------------------------------------------------------------------------

    def _borrowing(self, dataset: Dataset) -> Path:
        """Make a repository for one push: the branch as it is, and nothing else."""
        source = self._store.repository(dataset)
        head = self._store.find(dataset.owner, dataset.name).public_head
        if head is None:
            raise NotFound("repository", dataset.full_name)
        try:
            self._incoming.mkdir(parents=True, exist_ok=True)
            self._clear_stale()
            repository = Path(tempfile.mkdtemp(dir=self._incoming.absolute())) / "repository.git"
            create_repository(repository, self._settings.branch)
            (repository / "objects/info/alternates").write_text(f"{(source / 'objects').absolute()}\n")
            branch = repository / "refs/heads" / self._settings.branch
            branch.parent.mkdir(parents=True, exist_ok=True)
            branch.write_text(f"{head}\n")
        except OSError as error:
            raise Unavailable(f"cannot take a push: {error.strerror}") from error
        return repository

    def _clear_stale(self) -> None:
        for folder in self._incoming.iterdir():
            with suppress(FileNotFoundError):
                if time.time() - folder.stat().st_mtime > STALE_AGE:
                    shutil.rmtree(folder, ignore_errors=True)

    def _judge(self, hook: socket.socket, dataset: Dataset, repository: Path) -> None:
        """Wait for the hook's question, and answer it."""
        with hook, hook.makefile("rb") as file:
            asked = file.read()
            if not asked:
                return
            try:
                verdict = self._verdict(json.loads(asked), dataset, repository)
            except Exception:
                log.exception("A push to %s could not be judged", dataset.full_name)
                verdict = "something went wrong here; the service's log says more"
            with suppress(OSError):
                hook.sendall(one_line(verdict)[:2000].encode("utf-8", "replace"))

    def _verdict(self, asked: dict[str, Any], dataset: Dataset, repository: Path) -> str:
        """Take a push, or say why not."""
        objects = pushes.Objects(repository, asked["objects"])
        rules = pushes.Rules(self._settings.branch, self._settings.limits_body, self._settings.limits_depth)
        try:
            update = pushes.update(asked["updates"], rules)
            revisions = pushes.revisions(objects, update, rules, not_before=dataset.timestamp)
            self._store.accept(dataset, revisions, base=update.old)
        except Conflict:
            return "there is a newer revision: fetch it, and build on it or merge it"
        except MetastoreError as error:
            return str(error)
        return push_hook.TAKEN


@contextmanager
def _received(limit: int) -> Iterator[IO[bytes]]:
    """Read the whole request before Git sees any of it: a slow client keeps no process busy."""
    request.max_content_length = limit
    with tempfile.TemporaryFile() as file:
        while chunk := request.stream.read(CHUNK):
            file.write(chunk)
        file.seek(0)
        yield file


def _call(path: str, body: IO[bytes]) -> Call:
    """Give what Git needs to know of the request."""
    variables = {name: request.environ[name] for name in _VARIABLES if request.environ.get(name)}
    if request.method == "POST":
        variables["CONTENT_LENGTH"] = str(body.seek(0, 2))
        body.seek(0)
    if request.headers.get("Git-Protocol") in _PROTOCOLS:
        variables["GIT_PROTOCOL"] = request.headers["Git-Protocol"]
    return Call(path, variables, body)


def _no_access(claims: object) -> Denied:
    """Who has no token is asked for one; who has one is not told whether there is such a dataset."""
    if claims is None:
        return Denied(401, "a token is needed here: give it as the password")
    return Denied(403, "this token does not allow that")


def _told(error: Exception) -> Response:
    """Answer with a line of text."""
    status, text = _told_of(error)
    headers = _CHALLENGE if status == HTTPStatus.UNAUTHORIZED else {}
    response = Response(f"{text}\n", status, {"Cache-Control": "no-store", **headers})
    response.content_type = "text/plain; charset=utf-8"
    return response


def _told_of(error: Exception) -> tuple[int, str]:
    match error:
        case Denied():
            return error.status, str(error)
        case InvalidToken():
            return 401, "the token is not valid here"
        case NotFound():
            return 404, f"there is no {error.kind} {error.ref}"
        case MetastoreError():
            log.warning("%s %s: %s", request.method, request.path, error)
            return 503, "the store does not answer now; nothing is lost"
        case HTTPException():
            return error.code or 500, error.description or ""
    log.error("%s %s failed", request.method, request.path, exc_info=error)
    return 500, "something went wrong here; the service's log says more"
