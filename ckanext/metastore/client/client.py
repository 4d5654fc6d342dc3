"""The client: a method for each thing that the service does, by the names that a backend has for them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timezone
from types import TracebackType
from typing import Any

from ckanext.metastore.client import answers
from ckanext.metastore.client.connection import Connection
from ckanext.metastore.client.mirrors import MirrorClient
from ckanext.metastore.client.types import Dataset, Listed
from ckanext.metastore.core.types import Change, Document, Revision, Tag

TIMEOUT = 30.0
"""Seconds."""

DATASETS = "datasets"
JSON = "application/json"
JSON_PATCH = "application/json-patch+json"
MERGE_PATCH = "application/merge-patch+json"
TEXT = "text/plain"


class Client(MirrorClient):
    """One service. A client serves one thread at a time; close it, or use it as a context manager.

    A revision is given by a ref: ``HEAD``, a tag's name, or the revision's id, whole or its first 7 or more digits.
    ``base_revision`` is the full id of the revision that you started from: where it is not the newest one any more,
    nothing is changed, and :class:`~ckanext.metastore.core.Conflict` has the one that is.

    Every method raises the errors of :mod:`ckanext.metastore.core.errors`: ``NotFound``, ``Conflict``, ``Invalid``,
    ``Unauthorized`` (no token, a bad one, or one that does not allow this), ``RateLimited``, and ``Unavailable``
    (the service does not answer, or cannot now).

    :param url: the service's address
    :param token: what its requests carry; a function is asked for one each time, as tokens live for minutes only
    :param timeout: seconds that may pass without a sign of life
    :raises Invalid: the address is none
    """

    def __init__(self, url: str, *, token: str | Callable[[], str] = "", timeout: float = TIMEOUT) -> None:
        super().__init__(Connection(url, token=token, timeout=timeout))

    def __enter__(self) -> Client:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the sockets."""
        self._service.close()

    # -- datasets ----------------------------------------------------------------------------------------------

    def list(self, *, owner: str | None = None) -> Iterator[Listed]:
        """List the datasets that the token may read, by owner and name."""
        return map(answers.listed, self._service.pages(DATASETS, query={"owner": owner}))

    def create(
        self,
        owner: str,
        document: Document,
        *,
        name: str | None = None,
        message: str = "",
        private: bool = False,
    ) -> Dataset:
        """Start a dataset's history, or take it up again after it was deleted.

        :param name: the Data Package's own, where it is left out
        :param private: only those with a token may see it
        :raises Conflict: it is there already
        """
        query = {"owner": owner, "name": name, "message": message or None, "private": private or None}
        response = self._service.send("POST", DATASETS, query=query, json=document)
        return answers.dataset(response, owner, name or str(document.get("name")))

    def fetch(self, owner: str, name: str, *, revision: str | None = None, as_of: datetime | None = None) -> Dataset:
        """Read a dataset as it is; as it was at a revision, or at a time.

        :param as_of: a time without a zone is UTC
        """
        query = {"revision": revision, "as_of": _time(as_of)}
        return answers.dataset(self._service.send("GET", DATASETS, owner, name, query=query), owner, name)

    def update(
        self,
        owner: str,
        name: str,
        document: Document,
        *,
        message: str = "",
        private: bool | None = None,
        base_revision: str | None = None,
    ) -> Dataset:
        """Save a new state of the whole document. Saving what is there already makes no revision.

        :param private: whether only those with a token may see it; as it is, where left out
        """
        return self._change("PUT", owner, name, document, JSON, message, private, base_revision)

    def patch(
        self,
        owner: str,
        name: str,
        changes: Mapping[str, Any],
        *,
        message: str = "",
        private: bool | None = None,
        base_revision: str | None = None,
    ) -> Dataset:
        """Change some properties: a JSON Merge Patch (RFC 7396), in which None takes a property away."""
        return self._change("PATCH", owner, name, changes, MERGE_PATCH, message, private, base_revision)

    def delete(self, owner: str, name: str, *, message: str = "", base_revision: str | None = None) -> Revision:
        """Record that the dataset is gone. Its history stays."""
        query, headers = {"message": message or None}, _guard(base_revision)
        response = self._service.send("DELETE", DATASETS, owner, name, query=query, headers=headers)
        return answers.read(response, answers.revision)

    def move(self, owner: str, name: str, *, new_owner: str | None = None, new_name: str | None = None) -> Listed:
        """Give a dataset another owner or name; its history goes along.

        :raises Conflict: the name is taken
        """
        wanted = {"owner": new_owner, "name": new_name}
        body = {key: value for key, value in wanted.items() if value is not None}
        return answers.read(self._service.send("POST", DATASETS, owner, name, "move", json=body), answers.listed)

    def purge(self, owner: str, name: str) -> None:
        """Destroy a dataset and all its history."""
        self._service.send("POST", DATASETS, owner, name, "purge")

    # -- history -----------------------------------------------------------------------------------------------

    def revision_list(self, owner: str, name: str) -> Iterator[Revision]:
        """List revisions, newest first; they are asked for page by page, as far as you go on."""
        return map(answers.revision, self._service.pages(DATASETS, owner, name, "revisions"))

    def revision_fetch(self, owner: str, name: str, *, revision: str = "HEAD") -> Revision:
        """Read one revision."""
        response = self._service.send("GET", DATASETS, owner, name, "revisions", revision)
        return answers.read(response, answers.revision)

    def diff(self, owner: str, name: str, a: str, b: str = "HEAD") -> Sequence[Change]:
        """List what changed from one revision to another."""
        response = self._diff(owner, name, a, b, JSON)
        return answers.read(response, lambda changes: [answers.change(change) for change in changes])

    def json_patch(self, owner: str, name: str, a: str, b: str = "HEAD") -> Sequence[dict[str, Any]]:
        """Give the JSON Patch (RFC 6902) that makes one revision's document another's."""
        return answers.read(self._diff(owner, name, a, b, JSON_PATCH), list)

    def text_diff(self, owner: str, name: str, a: str, b: str = "HEAD") -> str:
        """Give the difference between two revisions' ``datapackage.json`` as a unified diff."""
        return str(self._diff(owner, name, a, b, TEXT).text)

    def revert(
        self,
        owner: str,
        name: str,
        revision: str,
        *,
        message: str = "",
        fields: Sequence[str] | None = None,
        resources: Sequence[str] | None = None,
        allow_private: bool = False,
        base_revision: str | None = None,
    ) -> Dataset:
        """Save an older revision's document again, as a new one. It brings a deleted dataset back.

        :param fields: only these properties of the Data Package
        :param resources: only these resources, each by its id or name
        :param allow_private: let a public dataset say again what it said while it was private
        """
        said = {
            "revision": revision,
            "message": message or None,
            "fields": fields,
            "resources": resources,
            "allow_private": allow_private or None,
        }
        body = {key: value for key, value in said.items() if value is not None}
        headers = _guard(base_revision)
        response = self._service.send("POST", DATASETS, owner, name, "revert", json=body, headers=headers)
        return answers.dataset(response, owner, name)

    # -- tags --------------------------------------------------------------------------------------------------

    def tag_list(self, owner: str, name: str) -> Sequence[Tag]:
        """List all tags, newest first."""
        return [answers.tag(tag) for tag in self._service.pages(DATASETS, owner, name, "tags")]

    def tag_fetch(self, owner: str, name: str, tag: str) -> Tag:
        """Read one tag."""
        return answers.read(self._service.send("GET", DATASETS, owner, name, "tags", tag), answers.tag)

    def tag_create(self, owner: str, name: str, tag: str, *, description: str = "", revision: str = "HEAD") -> Tag:
        """Name a revision.

        :raises Conflict: the tag is there already
        """
        body = {"name": tag, "description": description, "revision": revision}
        return answers.read(self._service.send("POST", DATASETS, owner, name, "tags", json=body), answers.tag)

    def tag_update(
        self, owner: str, name: str, tag: str, *, new_name: str | None = None, description: str | None = None
    ) -> Tag:
        """Rename or describe anew; the tag stays at its revision. What is left out stays as it was."""
        wanted = {"name": new_name, "description": description}
        body = {key: value for key, value in wanted.items() if value is not None}
        return answers.read(self._service.send("PATCH", DATASETS, owner, name, "tags", tag, json=body), answers.tag)

    def tag_delete(self, owner: str, name: str, tag: str) -> None:
        """Remove a tag; its revision stays."""
        self._service.send("DELETE", DATASETS, owner, name, "tags", tag)

    # -- resources ---------------------------------------------------------------------------------------------

    def resource_list(self, owner: str, name: str, *, revision: str | None = None) -> Sequence[dict[str, Any]]:
        """List the resources, as they are or were."""
        query = {"revision": revision}
        return answers.read(self._service.send("GET", DATASETS, owner, name, "resources", query=query), list)

    def resource_fetch(self, owner: str, name: str, resource: str, *, revision: str | None = None) -> dict[str, Any]:
        """Read one resource, as it is or was.

        :param resource: its id or name
        """
        query = {"revision": revision}
        return answers.read(self._service.send("GET", DATASETS, owner, name, "resources", resource, query=query), dict)

    # -- requests that are alike -------------------------------------------------------------------------------

    def _change(
        self,
        method: str,
        owner: str,
        name: str,
        body: Mapping[str, Any],
        media: str,
        message: str,
        private: bool | None,
        base_revision: str | None,
    ) -> Dataset:
        query = {"message": message or None, "private": private}
        headers = {"Content-Type": media, **_guard(base_revision)}
        response = self._service.send(method, DATASETS, owner, name, query=query, json=body, headers=headers)
        return answers.dataset(response, owner, name)

    def _diff(self, owner: str, name: str, a: str, b: str, media: str) -> Any:
        query, headers = {"a": a, "b": b}, {"Accept": media}
        return self._service.send("GET", DATASETS, owner, name, "diff", query=query, headers=headers)


def _guard(base_revision: str | None) -> dict[str, str]:
    return {"If-Match": f'"{base_revision}"'} if base_revision is not None else {}


def _time(time: datetime | None) -> str | None:
    if time is None:
        return None
    return (time if time.tzinfo else time.replace(tzinfo=timezone.utc)).isoformat()
