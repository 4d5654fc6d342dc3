"""What :class:`ckanext.metastore.core.Backend` asks for, written through to a Git host.

The local repositories are a cache: a ref moves there when the host has confirmed that it moved. What is missing is
fetched. So a folder may be lost, and several nodes have one each.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from typing import Any, TypeVar
from urllib.parse import urlsplit

from ckanext.metastore.backends.git.transport import Moved
from ckanext.metastore.backends.hosted import deadline
from ckanext.metastore.backends.hosted.copies import ATTEMPTS, refs
from ckanext.metastore.backends.hosted.exchange import HostExchange
from ckanext.metastore.backends.hosted.host import Credentials, Host
from ckanext.metastore.backends.hosted.hosting import Hosting
from ckanext.metastore.backends.hosted.places import ByName, Places, Registered
from ckanext.metastore.core.backend import Registry
from ckanext.metastore.core.errors import Conflict, Invalid, NotFound, Unavailable
from ckanext.metastore.core.record import document_sha
from ckanext.metastore.core.types import (
    Change,
    Head,
    Package,
    Profile,
    RecordedRevision,
    Revision,
    Site,
    Tag,
    TagUpdate,
)

PURGES = ("delete", "archive")

T = TypeVar("T")


class HostedBackend(HostExchange):
    """Histories at a Git host, and a folder of bare repositories that holds what was needed of them.

    :param path: the folder; all of it may be lost at any time
    :param host: where the repositories are
    :param owner: who owns the repositories there, where a profile names none
    :param timeout: seconds that one call may take for all that it asks of the host
    :param purge: ``"delete"`` or ``"archive"``: what becomes of the repository of a purged package
    :param registry: where is kept which repository is which package's. Without one, a package's repository is the one
        that has the package's id for its name
    :raises Invalid: an option is wrong, or missing
    """

    keeps_private = False

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        host: Host,
        credentials: Credentials,
        owner: str,
        timeout: float,
        purge: str,
        registry: Registry | None,
        site: Site | None,
        branch: str,
    ) -> None:
        if not owner:
            raise Invalid(f"{host.options}.owner", f"is missing: name who owns the repositories at {host.name}")
        if purge not in PURGES:
            raise Invalid("purge", f"must be one of {', '.join(PURGES)}, not {purge!r}")
        if timeout <= 0:
            raise Invalid("publish_timeout", f"must be more than 0 seconds, not {timeout}")
        places: Places = (
            Registered(host, owner, purge, registry) if registry is not None else ByName(host, owner, purge)
        )
        self._hosting = Hosting(host, registry) if registry is not None else None
        super().__init__(path, places=places, credentials=credentials, timeout=timeout, site=site, branch=branch)

    # -- what crosses the network ------------------------------------------------------------------------------

    def publish(
        self,
        package_id: str,
        *,
        revisions: Iterable[RecordedRevision] = (),
        tags: Iterable[TagUpdate] = (),
        public: bool | None = None,
        profile: Profile | None = None,
    ) -> None:
        """Replay recorded revisions and tag updates at the host: one push carries all of them."""
        revisions, tags = list(revisions), list(tags)
        pushes = any(revision.public for revision in revisions)
        with self._talking(), self._folder.lock(package_id):
            self._places.arrange(package_id, profile=profile, public=public, needed=pushes)
            try:
                self._write(package_id, revisions=revisions, tags=tags, replays=True)
            except Conflict as error:
                raise self._told(error) from error

    def _told(self, error: Conflict) -> Conflict:
        """Say whose commit it is that ours does not know."""
        if error.current is None:
            return error
        commit, author = error.current.id[:12], error.current.author.name
        return Conflict(f"{author} has committed {commit} at {self._host.name}: pull it first", current=error.current)

    def purge(self, package_id: str) -> None:
        """Delete or archive the package's repository at the host, and destroy the local ones.

        :raises Conflict: the repository of that name holds something else
        """
        with self._talking():
            if self._places.find(package_id) is not None:
                copy = None if self._places.follows else self._repository(package_id, public=True)
                self._places.purge(package_id, proven=copy is not None and bool(refs(copy)))
        super().purge(package_id)

    def commit_url(self, package_id: str, *, sha: str) -> str | None:
        """Give the address of a public revision at the host."""
        place = self._places.find(package_id)
        return self._host.page_url(*place, sha) if place else None

    # -- the verbs: where another node was first, they look again ----------------------------------------------

    def create(self, package_id: str, **given: Any) -> Package:
        """Start a package's history, or take it up again after :meth:`delete`."""
        return self._again(package_id, lambda: self._created(package_id, given))

    def _created(self, package_id: str, given: dict[str, Any]) -> Package:
        package = super().create(package_id, **given)
        if document_sha(self._history(package_id).head.tree) is None:
            # Made again within a second, it was the very revision that another node has made, and deleted.
            raise Moved("the package was deleted at the Git host")
        return package

    def update(self, package_id: str, **given: Any) -> Package:
        """Save a new state of the whole document. Saving what is there already makes no revision."""
        return self._again(package_id, lambda: super(HostedBackend, self).update(package_id, **given))

    def revert(self, package_id: str, **given: Any) -> Package:
        """Save the document of an older revision again, as a new one. It brings a deleted package back."""
        return self._again(package_id, lambda: super(HostedBackend, self).revert(package_id, **given))

    def delete(self, package_id: str, **given: Any) -> Revision:
        """Record that the package is gone. Its history stays."""
        return self._again(package_id, lambda: super(HostedBackend, self).delete(package_id, **given))

    def tag_create(self, package_id: str, **given: Any) -> Tag:
        """Name a revision."""
        return self._again(package_id, lambda: super(HostedBackend, self).tag_create(package_id, **given))

    def tag_update(self, package_id: str, **given: Any) -> Tag:
        """Rename or describe anew; the tag stays at its revision. A rename is one push."""
        return self._again(package_id, lambda: super(HostedBackend, self).tag_update(package_id, **given))

    def tag_delete(self, package_id: str, **given: Any) -> None:
        """Remove a tag."""
        self._again(package_id, lambda: super(HostedBackend, self).tag_delete(package_id, **given))

    def fetch(self, package_id: str, **given: Any) -> Package:
        """Read the document as it was."""
        return self._again(package_id, lambda: super(HostedBackend, self).fetch(package_id, **given))

    def revision_fetch(self, package_id: str, **given: Any) -> Revision:
        """Read one revision."""
        return self._again(package_id, lambda: super(HostedBackend, self).revision_fetch(package_id, **given))

    def diff(self, package_id: str, **given: Any) -> list[Change]:
        """List what changed between two revisions. Where the package is deleted, its document is empty."""
        return self._again(package_id, lambda: super(HostedBackend, self).diff(package_id, **given))

    def tag_fetch(self, package_id: str, **given: Any) -> Tag:
        """Read one tag."""
        return self._again(package_id, lambda: super(HostedBackend, self).tag_fetch(package_id, **given))

    def rename(self, package_id: str, *, new_id: str) -> None:
        """Move a history to another id, and its repository to another name."""
        with self._talking():
            local = self._repository(package_id, public=True)
            if local is None and (new_id == package_id or self._places.find(package_id) is None):
                raise NotFound("dataset", package_id)
            if new_id != package_id:
                self._places.rename(package_id, new_id)
        if local is not None:
            super().rename(package_id, new_id=new_id)

    def _deleted_head(self, package_id: str) -> Head | None:
        """Where this node knows of none, nothing is asked: there is none, or the push fails, and we look again."""
        return super()._deleted_head(package_id) if self._known(package_id) else None

    def _again(self, package_id: str, call: Callable[[], T]) -> T:
        """Make a call again where it fails, and the host turns out to know more than this node, until time is up."""
        if deadline.running():
            return call()  # inside of another one, which looks again itself
        with self._talking():
            idle = 0
            while True:
                before = self._known(package_id)
                try:
                    return call()
                except (Conflict, NotFound) as error:
                    failure = error
                if self._known(package_id) == before and not self._learns(package_id, before):
                    idle += 1
                    if not isinstance(failure, Moved) or idle == ATTEMPTS:
                        raise failure
                deadline.remaining(self._timeout)

    def _known(self, package_id: str) -> dict[str, str] | None:
        try:
            repository = self._folder.open(package_id, public=True)
            return None if repository is None else refs(repository)
        except Unavailable:
            return None  # somebody purges it this moment

    def _learns(self, package_id: str, before: dict[str, str] | None) -> bool:
        """Fetch; where nothing was here, that was just done."""
        if before is None:
            return False
        try:
            with self._folder.lock(package_id):
                return refs(self._fetched(package_id)) != before
        except NotFound:
            return False


def checked_url(field: str, url: str) -> str:
    """Give an address without the slash at its end. What is wrong with one is told without it: it may hold a secret.

    :raises Invalid: it is none, or holds a credential
    """
    if "@" in url:
        raise Invalid(field, "must not hold a user or a password: there are options for these")
    try:
        parts = urlsplit(url)
        fits = parts.scheme in ("https", "http") and parts.hostname and parts.port != 0
    except ValueError:
        fits = False
    if not fits:
        raise Invalid(field, "must be an http or https address, such as https://git.example.org")
    return url.rstrip("/")
