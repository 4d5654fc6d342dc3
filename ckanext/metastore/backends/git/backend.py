"""The ``git`` backend: what :class:`ckanext.metastore.core.Backend` asks for, on local repositories."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from datetime import datetime

from ckanext.metastore.backends.git.exchange import GitExchange
from ckanext.metastore.backends.git.history import History
from ckanext.metastore.backends.git.packing import pack
from ckanext.metastore.backends.git.publishing import (
    moved,
    publish_private,
    publish_public,
    publish_tag,
    remove_tag,
    units,
)
from ckanext.metastore.backends.git.repository import TAGS
from ckanext.metastore.core.errors import Conflict, Invalid, NotFound
from ckanext.metastore.core.names import check_package_id, check_tag_name
from ckanext.metastore.core.record import document_sha, record, record_tag
from ckanext.metastore.core.types import (
    Author,
    Document,
    Head,
    Package,
    Profile,
    RecordedRevision,
    Revision,
    Site,
    Tag,
    TagUpdate,
)


class GitBackend(GitExchange):
    """Histories in a folder of bare repositories.

    :param path: the folder; it is made when it is first needed
    :param site: the committer, and where dataset pages are; the author commits where there is none
    :param branch: the name of the one branch that public histories have
    :raises Invalid: there is no path
    :raises InvalidName: Git would refuse the branch
    """

    keeps_private = True

    def __init__(self, path: str | os.PathLike[str], *, site: Site | None = None, branch: str = "main") -> None:
        super().__init__(path, branch=branch)
        self._site = site

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
        """Compute the revision that follows ``head``."""
        return record(
            package_id,
            document=document,
            author=author,
            message=message,
            timestamp=timestamp,
            public=public,
            user=user,
            head=head,
            joins=joins,
            site=self._site,
        )

    def publish(
        self,
        package_id: str,
        *,
        revisions: Iterable[RecordedRevision] = (),
        tags: Iterable[TagUpdate] = (),
        public: bool | None = None,  # noqa: ARG002
        profile: Profile | None = None,  # noqa: ARG002
    ) -> None:
        """Replay recorded revisions and tag updates until they are durable."""
        for unit in units(list(revisions)):
            with self._folder.lock(package_id):
                self._write(package_id, revisions=unit)
        for tag in tags:
            with self._folder.lock(package_id):
                self._write(package_id, tags=[tag])

    def gc(self, repository: str) -> None:
        """Pack a repository's objects and refs."""
        if repository not in self._folder.names():
            raise NotFound("repository", repository)
        pack(self._folder.root / repository)

    def _write(
        self, package_id: str, *, revisions: Sequence[RecordedRevision] = (), tags: Sequence[TagUpdate] = ()
    ) -> None:
        """Put recorded revisions and tags into the repositories, under the lock: all that writes ends here."""
        if public := [revision for revision in revisions if revision.public]:
            self._publish_public(package_id, public)
        for revision in revisions:
            if not revision.public:
                repository = self._folder.open_or_create(package_id, public=False, branch=self._branch)
                publish_private(repository, revision)
        for tag in tags:
            self._publish_tag(package_id, tag)

    def _publish_public(self, package_id: str, revisions: Sequence[RecordedRevision]) -> None:
        if revisions[0].parents and not self.repository_path(package_id).exists():
            raise Conflict(f"the parent of revision {revisions[0].sha} is not in the repository")
        repository = self._folder.open_or_create(package_id, public=True, branch=self._branch)
        publish_public(repository, self._branch, revisions)

    def _publish_tag(self, package_id: str, tag: TagUpdate) -> None:
        repository = self._folder.open(package_id, public=tag.public)
        if tag.object is not None and repository is None:
            raise Conflict(f"the revision of tag {tag.name} is not in the repository")
        if tag.object is not None and repository is not None:
            publish_tag(repository, tag.name, tag.object)
        elif repository is not None:
            remove_tag(repository, tag.name)
        # A name that was given anew, to a revision that is not where the old one is.
        if tag.object is not None and (other := self._folder.open(package_id, public=not tag.public)):
            remove_tag(other, tag.name)

    # -- the verbs that write ----------------------------------------------------------------------------------

    def create(
        self,
        package_id: str,
        *,
        document: Document,
        author: Author,
        message: str = "",
        timestamp: datetime | None = None,
    ) -> Package:
        """Start a package's history, or take it up again after :meth:`delete`."""
        _check_document(document)
        with self._folder.lock(package_id):
            head = self._deleted_head(package_id)
            revision = self.record(
                package_id, document=document, author=author, message=message, timestamp=timestamp, head=head
            )
            self._write(package_id, revisions=[revision])
            return self._package(self._history(package_id), package_id, revision.sha)

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
        """Save a new state of the whole document. Saving what is there already makes no revision."""
        _check_document(document)
        with self._folder.lock(package_id):
            head = self._living_head(package_id, base_revision)
            sha = self._save(package_id, head, document, author, message, timestamp)
            return self._package(self._history(package_id), package_id, sha)

    def revert(
        self,
        package_id: str,
        *,
        to_revision_ref: str,
        author: Author,
        message: str = "",
        base_revision: str | None = None,
    ) -> Package:
        """Save the document of an older revision again, as a new one. It brings a deleted package back."""
        with self._folder.lock(package_id):
            old = self.fetch(package_id, revision_ref=to_revision_ref)
            head = self._head(package_id, base_revision)
            message = message if message.strip() else f"Revert to revision {old.revision.id[:12]}"
            sha = self._save(package_id, head, old.document, author, message)
            return self._package(self._history(package_id), package_id, sha)

    def delete(
        self, package_id: str, *, author: Author, message: str = "", base_revision: str | None = None
    ) -> Revision:
        """Record that the package is gone. Its history stays."""
        with self._folder.lock(package_id):
            head = self._living_head(package_id, base_revision)
            sha = self._save(package_id, head, None, author, message)
            return self._history(package_id).revision(sha)

    def rename(self, package_id: str, *, new_id: str) -> None:
        """Move a history to another id."""
        if check_package_id(new_id) != package_id:
            with self._folder.lock(package_id, new_id):
                self._folder.rename(package_id, new_id)

    def purge(self, package_id: str) -> None:
        """Destroy the package's repositories and all history."""
        self._folder.purge(package_id)

    def tag_create(
        self, package_id: str, *, name: str, author: Author, description: str = "", revision_ref: str = "HEAD"
    ) -> Tag:
        """Name a revision."""
        name = check_tag_name(name)
        with self._folder.lock(package_id):
            history = self._history(package_id)
            _check_free(history, name)
            sha = history.resolve(revision_ref)
            tag = record_tag(name=name, revision_id=sha, author=author, description=description)
            self._write(package_id, tags=[TagUpdate(name, True, tag)])
            return self._history(package_id).tag(name)

    def tag_update(
        self, package_id: str, *, tag: str, author: Author, name: str | None = None, description: str | None = None
    ) -> Tag:
        """Rename or describe anew; the tag stays at its revision."""
        with self._folder.lock(package_id):
            history = self._history(package_id)
            old = history.tag(tag)
            name = old.name if name is None else check_tag_name(name)
            description = old.description if description is None else description
            if name != old.name:
                _check_free(history, name)
            new = record_tag(name=name, revision_id=old.revision_id, author=author, description=description)
            gone = [TagUpdate(old.name, True, None)] if name != old.name else []
            self._write(package_id, tags=[TagUpdate(name, True, new), *gone])
            return self._history(package_id).tag(name)

    def tag_delete(self, package_id: str, *, tag: str) -> None:
        """Remove a tag."""
        with self._folder.lock(package_id):
            history = self._history(package_id)
            self._write(package_id, tags=[TagUpdate(history.tag(tag).name, True, None)])

    def _save(
        self,
        package_id: str,
        head: Head,
        document: Document | None,
        author: Author,
        message: str,
        timestamp: datetime | None = None,
    ) -> str:
        """Make a revision, unless the head's document says the same already; give the sha of the head then."""
        revision = self.record(
            package_id, document=document, author=author, message=message, timestamp=timestamp, head=head
        )
        if document_sha(revision.tree) == document_sha(head.tree):
            return head.sha
        self._write(package_id, revisions=[revision])
        return revision.sha

    def _head(self, package_id: str, base_revision: str | None) -> Head:
        """Read the head.

        :raises Conflict: it is not the base revision
        """
        history = self._history(package_id)
        if base_revision not in (None, history.tip):
            raise moved(history.repository, self._branch)
        return history.head

    def _living_head(self, package_id: str, base_revision: str | None) -> Head:
        """Read the head.

        :raises NotFound: the package is deleted there
        """
        head = self._head(package_id, base_revision)
        if document_sha(head.tree) is None:
            raise NotFound("dataset", package_id)
        return head

    def _deleted_head(self, package_id: str) -> Head | None:
        """Read the head of a package that is deleted; ``None`` where there never was one.

        :raises Conflict: the package exists
        """
        try:
            history = self._history(package_id)
        except NotFound:
            return None
        if document_sha(history.head.tree) is not None:
            raise Conflict(f"{package_id} exists already", current=history.revision(history.tip))
        return history.head


def _check_document(document: Document) -> None:
    """Refuse what :meth:`GitBackend.record` would take for a deletion."""
    if document is None:
        raise Invalid("document", "it must be a JSON object; to delete the package, call delete")


def _check_free(history: History, name: str) -> None:
    if history.repository.ref(TAGS + name) is not None:
        raise Conflict(f"a tag {name} exists already")
