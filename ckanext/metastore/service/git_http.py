"""Git over HTTP: clone and fetch what is public, push the branch and tags, with the same tokens as everything else.

Access is decided here, the protocol is Git's own. What is taken of a push is recorded in the index like every other
change, and published from there.

Errors are plain text here, and not problem documents: it is all that Git shows to people.
"""

from __future__ import annotations

import json
import logging
import socket
import tempfile
import threading
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from http import HTTPStatus
from pathlib import Path
from typing import IO, Any

from flask import Blueprint, Response, request
from werkzeug.exceptions import HTTPException

from ckanext.metastore.authz import InvalidToken
from ckanext.metastore.backends.git.repository import TAGS
from ckanext.metastore.core.errors import MetastoreError, NotFound, Unavailable
from ckanext.metastore.core.text import one_line
from ckanext.metastore.core.types import RecordedRevision
from ckanext.metastore.service import growth, push_hook, pushes
from ckanext.metastore.service.datasets import Dataset
from ckanext.metastore.service.git_child import Call, GitChild, Hearing, write_hooks
from ckanext.metastore.service.incoming import Incoming, Lent, Moved, Objects, Refused
from ckanext.metastore.service.judging import Rules
from ckanext.metastore.service.receiving import ARCHIVED
from ckanext.metastore.service.service import Service
from ckanext.metastore.service.settings import Settings

log = logging.getLogger(__name__)

PUSH = "git-receive-pack"
FETCH = "git-upload-pack"

FETCH_LIMIT = 4 * 1024 * 1024
"""Bytes in which a client may say what it has and what it wants."""

CHUNK = 65536

PUSHING = ("update", "tag")
"""What a push may do, of the policy's operations."""

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

    def __init__(self, settings: Settings, service: Service) -> None:
        self._settings = settings
        self._store = service.store
        self._receiving = service.receiving
        self._access = service.access
        self._incoming = Incoming(settings.path / "incoming", settings.branch)
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
        wanted = PUSHING if service == PUSH else ("show",)
        if moved := self._moved(owner, name, wanted):
            return Response(status=301, headers={"Location": f"/{moved.full_name}.git/info/refs?service={service}"})
        dataset, _ = self._admit(owner, name, wanted)
        with tempfile.TemporaryFile() as nothing:
            return self._read(dataset, _call("info/refs", nothing))

    def _fetch(self, owner: str, name: str) -> Response:
        dataset, _ = self._admit(owner, name, ("show",))
        with _received(FETCH_LIMIT) as body:
            return self._read(dataset, _call(FETCH, body))

    def _push(self, owner: str, name: str) -> Response:
        dataset, operations = self._admit(owner, name, PUSHING)
        with _received(self._settings.limits_push) as body:
            lent = self._incoming.lend(self._place(dataset))
            return self._lending(lent, _call(PUSH, body), lambda: self._judging(dataset, operations, lent))

    def _read(self, dataset: Dataset, call: Call) -> Response:
        """Let Git answer from the dataset's repository; from an empty one, where nothing is in it yet."""
        place = self._place(dataset)
        if place is None:
            return self._lending(self._incoming.lend(None), call)
        answer = self._child.serve(place, call)
        return Response(answer.body, answer.status, answer.headers)

    def _lending(self, lent: Lent, call: Call, judging: Callable[[], Hearing] | None = None) -> Response:
        """Let Git answer from a repository that is gone afterwards."""
        try:
            answer = self._child.serve(lent.path, call, judging() if judging else None)
        except BaseException:
            self._incoming.take_back(lent)
            raise
        response = Response(answer.body, answer.status, answer.headers)
        response.call_on_close(lambda: self._incoming.take_back(lent))
        return response

    def _place(self, dataset: Dataset) -> Path | None:
        return self._store.repository(dataset) if dataset.head else None

    def _admit(self, owner: str, name: str, wanted: Collection[str]) -> tuple[Dataset, Collection[str]]:
        """Find a dataset, for who may do any of what they want to; gives what of it they may, too.

        :param wanted: operations of the policy
        """
        claims = self._access.claims(request.headers.get("Authorization"), basic=True)
        try:
            dataset = self._store.find(owner, name)
        except NotFound:
            if self._access.permits_name(claims, "show", owner, name):
                raise
            raise _no_access(claims) from None
        allowed = [operation for operation in wanted if self._access.permits(claims, operation, dataset)]
        if not allowed:
            raise _no_access(claims)
        if wanted == PUSHING:
            _check_open(dataset)
        return dataset, allowed

    def _moved(self, owner: str, name: str, wanted: Collection[str]) -> Dataset | None:
        """Find a dataset that was called so before it was moved, for who may do any of what they want to."""
        claims = self._access.claims(request.headers.get("Authorization"), basic=True)
        found = self._store.moved(owner, name)
        may = found is not None and any(self._access.permits(claims, operation, found) for operation in wanted)
        return found if may else None

    # -- a push ------------------------------------------------------------------------------------------------

    def _judging(self, dataset: Dataset, operations: Collection[str], lent: Lent) -> Hearing:
        """Begin to wait for the hook."""
        ours, theirs = socket.socketpair()
        thread = threading.Thread(target=self._judge, args=(ours, dataset, operations, lent), daemon=True)
        thread.start()
        return Hearing(theirs, thread)

    def _judge(self, hook: socket.socket, dataset: Dataset, operations: Collection[str], lent: Lent) -> None:
        """Wait for the hook's question, and answer it."""
        with hook, hook.makefile("rb") as file:
            asked = file.read()
            if not asked:
                return
            try:
                self._take_if_there(json.loads(asked), dataset, operations, lent)
                verdict = push_hook.TAKEN
            except NotFound:
                verdict = str(Moved("HEAD", f"there is no dataset {dataset.full_name} any more"))
            except Unavailable as error:
                log.warning("A push to %s could not be taken: %s", dataset.full_name, error)
                verdict = "internal error: the store does not answer now; try again"
            except MetastoreError as error:
                verdict = str(error)
            except Exception:
                log.exception("A push to %s could not be judged", dataset.full_name)
                verdict = "internal error: the service's log says more"
            with suppress(OSError):
                hook.sendall(one_line(verdict)[:2000].encode("utf-8", "replace"))
        # When Git has the verdict: to publish a thousand revisions takes longer than a child may live.
        self._receiving.publish(dataset)

    def _take_if_there(self, asked: dict[str, Any], dataset: Dataset, operations: Collection[str], lent: Lent) -> None:
        """Take a push. Where the dataset is purged meanwhile, what else seems wrong is nothing of the pusher's.

        :raises MetastoreError: it is not taken
        """
        try:
            self._take(asked, dataset, operations, lent)
        except Refused:
            self._receiving.current(dataset)
            raise

    def _take(self, asked: dict[str, Any], dataset: Dataset, operations: Collection[str], lent: Lent) -> None:
        """Take a push.

        :raises MetastoreError: it is not taken
        """
        objects = Objects(lent.path, asked["objects"])
        updates = pushes.updates(asked["updates"], lent.refs, self._settings.branch)
        pushes.check_scopes(updates, operations)
        tags = pushes.tags(objects, updates)
        now = self._receiving.current(dataset)
        revisions = [
            revision
            for update in updates
            if update.new is not None and not update.ref.startswith(TAGS)
            for revision in self._revisions(objects, now, update.old, update.new)
        ]
        self._receiving.accept(dataset, pushes.Push(now.public_head, revisions, tags))

    def _revisions(self, objects: Objects, now: Dataset, old: str | None, new: str) -> list[RecordedRevision]:
        settings = self._settings
        rules = Rules(settings.limits_body, settings.limits_depth, is_mirror=now.mirror is not None)
        return growth.revisions(objects, growth.Step(now.public_head, old, new, not_before=now.timestamp), rules)


def _check_open(dataset: Dataset) -> None:
    """See that a dataset takes pushes."""
    if dataset.mirror is not None:
        if dataset.mirror.archived:
            raise Denied(403, ARCHIVED)
    elif dataset.deleted:
        raise Denied(403, "the dataset is deleted; bring it back by PUT or revert first")
    elif dataset.head != dataset.public_head:
        raise Denied(403, "the dataset is private, and what is private is not pushed; change it by PUT or PATCH")


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
