"""What a backend is, and how one is made by name.

A backend keeps the history of many packages, each in a Git repository of its own. It has four faces:

*   **the halves**: :meth:`~Backend.record` computes a revision as bytes and touches nothing; :meth:`~Backend.publish`
    replays such bytes into the repository, as often as it takes. A caller with a database (the CKAN layer) commits
    between the two.
*   **the upkeep** in ``core/upkeep.py``: what an operator asks for; **the exchange** in ``core/exchange.py``: what
    others did.
*   **the verbs** of a store: ``create``, ``fetch``, ``update``, ... Each is the two halves in one call. Here the
    repository's refs are the truth, and everything is public.

A new backend is a class with these methods, registered under the entry-point group ``ckanext.metastore.backends``,
and a test class that inherits :class:`ckanext.metastore.testing.BackendContract`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from importlib.metadata import entry_points
from typing import Any, Protocol

from ckanext.metastore.core.errors import Invalid
from ckanext.metastore.core.exchange import Exchange
from ckanext.metastore.core.types import (
    Author,
    Change,
    Document,
    Head,
    Hosted,
    Package,
    Profile,
    RecordedRevision,
    Revision,
    Tag,
    TagUpdate,
)
from ckanext.metastore.core.upkeep import Upkeep

ENTRY_POINT_GROUP = "ckanext.metastore.backends"


class Backend(Exchange, Upkeep, Protocol):
    """The history of many packages. Everything after the package id is keyword-only.

    :param keeps_private: whether what :meth:`publish` was given of private revisions is durable here. If not, the
        caller keeps their bytes, and need not publish them
    """

    keeps_private: bool

    # -- the two halves of a transactional save ----------------------------------------------------------------

    def record(
        self,
        package_id: str,
        *,
        document: Document | None,
        author: Author,
        message: str = "",
        timestamp: datetime | None = None,
        public: bool = True,
        user: str = "",
        head: Head | None = None,
        joins: str | None = None,
    ) -> RecordedRevision:
        """Compute the revision that follows ``head``, without reading or writing any repository.

        :param document: what ``datapackage.json`` is to hold; ``None`` takes the generated files away (a deletion)
        :param timestamp: when it happened; now, where left out; never before the head's
        :param user: the account's name, for the ``CKAN-User`` trailer; no trailer where empty
        :param head: the parent; ``None`` makes a root
        :param joins: a second parent, by its full sha, whose files are not looked at: the revision is a merge
        :raises Invalid: the document or the message cannot be stored
        """

    def publish(
        self,
        package_id: str,
        *,
        revisions: Iterable[RecordedRevision] = (),
        tags: Iterable[TagUpdate] = (),
        public: bool | None = None,
        profile: Profile | None = None,
    ) -> None:
        """Replay recorded revisions and tag updates, oldest first, until they are durable. May be repeated.

        Each revision is published on its own: what came before a failure stays. A revision that is there already is
        passed over, also when the history has gone on. Fast-forward only: any other public revision whose parent is
        not the branch's head is a conflict, unless one that comes later joins the two.

        :param public: whether the package is public now, so that its repository at a Git host may be; ``None`` leaves
            that as it is. A repository is hidden before anything is pushed, and where it cannot be, nothing is
        :param profile: how the package presents itself at a Git host now; ``None`` leaves that as it is
        :raises Conflict: the branch has moved elsewhere
        :raises Unauthorized: a Git host refuses our credentials, or what they may do
        :raises RateLimited: a Git host asks us to wait
        :raises Unavailable: not now; nothing is lost
        """

    def load(self, package_id: str, *, sha: str, public: bool = True, path: str = "datapackage.json") -> bytes:
        """Read one file of one revision by its full sha, private ones too. The caller has decided who may.

        :raises NotFound: no such dataset, revision or file
        """

    def commit_url(self, package_id: str, *, sha: str) -> str | None:
        """Give the address of a public revision's page at a Git host; ``None`` where there is no such page."""

    # -- the verbs ---------------------------------------------------------------------------------------------

    def create(
        self,
        package_id: str,
        *,
        document: Document,
        author: Author,
        message: str = "",
        timestamp: datetime | None = None,
    ) -> Package:
        """Start a package's history, or take it up again after :meth:`delete`.

        :raises Conflict: it exists already; carries the head
        :raises Invalid: the document or the message cannot be stored
        :raises InvalidName: ``package_id`` is empty or no text
        """

    def fetch(self, package_id: str, *, revision_ref: str = "HEAD") -> Package:
        """Read the document as it was.

        :param revision_ref: ``HEAD``, a tag, a full sha, or an unambiguous abbreviation of 7 digits or more
        :raises NotFound: no such package or revision, or the package is deleted there
        :raises Invalid: an abbreviation fits more than one revision
        """

    def update(
        self,
        package_id: str,
        *,
        document: Document,
        author: Author,
        message: str = "",
        base_revision: str | None = None,
        timestamp: datetime | None = None,
    ) -> Package:
        """Save a new state of the whole document. Saving what is there already makes no revision.

        :param base_revision: the full sha that the caller started from
        :raises NotFound: there is no such package, or it is deleted
        :raises Conflict: ``base_revision`` is not the head; carries the head
        :raises Invalid: the document or the message cannot be stored
        """

    def delete(
        self, package_id: str, *, author: Author, message: str = "", base_revision: str | None = None
    ) -> Revision:
        """Record that the package is gone. Its history stays.

        :raises NotFound: there is no such package, or it is deleted already
        :raises Conflict: ``base_revision`` is not the head; carries the head
        """

    def purge(self, package_id: str) -> None:
        """Destroy the package's repositories and all history. Purging what is not there is no error."""

    def rename(self, package_id: str, *, new_id: str) -> None:
        """Move a history to another id.

        :raises NotFound: there is no such package
        :raises Conflict: ``new_id`` has a history of its own
        """

    def revision_list(self, package_id: str, *, limit: int = 20, offset: int = 0) -> list[Revision]:
        """List revisions, newest first; reads ``offset + limit`` commits at most.

        :raises NotFound: there is no such package; the history of a deleted one can be listed
        :raises Invalid: ``limit`` is less than 1, or ``offset`` than 0
        """

    def revision_fetch(self, package_id: str, *, revision_ref: str = "HEAD") -> Revision:
        """Read one revision.

        :raises NotFound: no such package or revision
        :raises Invalid: an abbreviation fits more than one revision
        """

    def revert(
        self,
        package_id: str,
        *,
        to_revision_ref: str,
        author: Author,
        message: str = "",
        base_revision: str | None = None,
    ) -> Package:
        """Save the document of an older revision again, as a new one. It brings a deleted package back.

        :raises NotFound: no such package or revision, or the package is deleted there
        :raises Conflict: ``base_revision`` is not the head; carries the head
        """

    def diff(self, package_id: str, *, revision_ref_a: str, revision_ref_b: str = "HEAD") -> list[Change]:
        """List what changed from one revision to another. Where the package is deleted, its document is empty.

        :raises NotFound: no such package or revision
        :raises Invalid: an abbreviation fits more than one revision
        """

    def tag_create(
        self, package_id: str, *, name: str, author: Author, description: str = "", revision_ref: str = "HEAD"
    ) -> Tag:
        """Name a revision.

        :raises NotFound: no such package or revision
        :raises Invalid: the description is too long
        :raises Conflict: the tag exists
        :raises InvalidName: Git or GitHub would refuse the name
        """

    def tag_list(self, package_id: str) -> list[Tag]:
        """List all tags, newest first."""

    def tag_fetch(self, package_id: str, *, tag: str) -> Tag:
        """Read one tag.

        :raises NotFound: no such package or tag
        """

    def tag_update(
        self, package_id: str, *, tag: str, author: Author, name: str | None = None, description: str | None = None
    ) -> Tag:
        """Rename or describe anew; the tag stays at its revision. What is left out stays as it was.

        A rename sets the new ref before it removes the old one.

        :raises NotFound: no such package or tag
        :raises Conflict: a tag has the new name already
        :raises InvalidName: Git or GitHub would refuse the new name
        """

    def tag_delete(self, package_id: str, *, tag: str) -> None:
        """Remove a tag; its revision stays.

        :raises NotFound: no such package or tag
        """


class Registry(Protocol):
    """Where a caller with a database keeps which repository at a Git host is which package's."""

    def get(self, package_id: str) -> Hosted | None:
        """Give the package's repository; ``None`` where it has none."""

    def elsewhere(self, package_id: str) -> Hosted | None:
        """Give what is known of the package's repository under another address of a host; ``None`` where nothing is."""

    def get_all(self, package_ids: Collection[str]) -> Mapping[str, Hosted]:
        """Give the repositories of those of the packages that have one."""

    def put(self, package_id: str, hosted: Hosted) -> None:
        """Remember the package's repository, durably, at once."""

    def forget(self, package_id: str) -> None:
        """The package's repository is gone."""


def create_backend(name: str, **options: Any) -> Backend:
    """Make the backend of that name.

    :param name: ``"git"``, or any name registered under the entry-point group ``ckanext.metastore.backends``
    :param options: the backend's own; ``create_backend("git", path="/srv/metastore")``
    :raises Invalid: there is no such backend; the error names those that there are
    """
    registered = {point.name: point for point in entry_points(group=ENTRY_POINT_GROUP)}
    if name not in registered:
        known = ", ".join(sorted(registered)) or "none; is ckanext-metastore installed?"
        raise Invalid("backend", f"no backend is called {name!r}; there are: {known}")
    try:
        make = registered[name].load()
    except ImportError as error:
        raise Invalid("backend", f"{name!r} needs something that is not installed: {error}") from error
    backend: Backend = make(**options)
    return backend
