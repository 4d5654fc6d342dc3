"""The ``git`` backend: what :class:`ckanext.metastore.core.Backend` asks for, on local repositories."""

from __future__ import annotations

import os
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from ckanext.metastore.backends.git.folder import Folder
from ckanext.metastore.backends.git.libgit2 import configure
from ckanext.metastore.backends.git.publishing import TAGS, publish_private, publish_public, publish_tag
from ckanext.metastore.core.errors import Conflict, Invalid, NotFound
from ckanext.metastore.core.names import check_branch, check_tag_name
from ckanext.metastore.core.record import record
from ckanext.metastore.core.types import Author, Document, Head, RecordedRevision, Site, TagUpdate


class GitBackend:
    """Histories in a folder of bare repositories.

    :param path: the folder; it is made when it is first needed
    :param site: the committer, and where dataset pages are; the author commits where there is none
    :param branch: the name of the one branch that public histories have
    :raises Invalid: there is no path
    :raises InvalidName: Git would refuse the branch
    """

    def __init__(self, path: str | os.PathLike[str], *, site: Site | None = None, branch: str = "main") -> None:
        if not os.fspath(path):
            raise Invalid("path", "the git backend needs a folder for its repositories")
        configure()
        self._folder = Folder(Path(path).absolute())
        self._site = site
        self._branch = check_branch(branch)

    def repository_path(self, package_id: str, *, public: bool = True) -> Path:
        """Give the place of a package's repository on disk, there or not: what ``git clone`` takes."""
        return self._folder.path(package_id, public=public)

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
            site=self._site,
        )

    def publish(
        self, package_id: str, *, revisions: Iterable[RecordedRevision] = (), tags: Iterable[TagUpdate] = ()
    ) -> None:
        """Replay recorded revisions and tag updates until they are durable."""
        revisions, tags = list(revisions), list(tags)
        with self._folder.lock(package_id):
            for revision in revisions:
                self._publish_revision(package_id, revision)
            for tag in tags:
                self._publish_tag(package_id, tag)

    def load(self, package_id: str, *, sha: str, public: bool = True, path: str = "datapackage.json") -> bytes:
        """Read one file of one revision by its full sha."""
        repository = self._folder.open(package_id, public=public)
        if repository is None:
            raise NotFound("dataset", package_id)
        return repository.file(sha, path)

    def purge(self, package_id: str) -> None:
        """Destroy the package's repositories and all history."""
        self._folder.purge(package_id)

    def _publish_revision(self, package_id: str, revision: RecordedRevision) -> None:
        repository = self._folder.open(package_id, public=revision.public)
        if revision.public and repository is None and revision.parents:
            raise Conflict(f"the parent of revision {revision.sha} is not in the repository")
        repository = self._folder.open_or_create(package_id, public=revision.public, branch=self._branch)
        if revision.public:
            publish_public(repository, self._branch, revision)
        else:
            publish_private(repository, revision)

    def _publish_tag(self, package_id: str, tag: TagUpdate) -> None:
        repository = self._folder.open(package_id, public=tag.public)
        if tag.object is None:
            if repository is not None:
                repository.remove(TAGS + check_tag_name(tag.name))
        elif repository is None:
            raise Conflict(f"the revision of tag {tag.name} is not in the repository")
        else:
            publish_tag(repository, tag.name, tag.object)
