"""The verbs that only read. They take no lock: what a ref points to never changes."""

from __future__ import annotations

import os
from pathlib import Path

from ckanext.metastore.backends.git.folder import Folder
from ckanext.metastore.backends.git.history import History
from ckanext.metastore.backends.git.libgit2 import configure
from ckanext.metastore.backends.git.repository import Repository
from ckanext.metastore.core.diff import diff
from ckanext.metastore.core.errors import Invalid, NotFound
from ckanext.metastore.core.names import check_branch
from ckanext.metastore.core.types import Change, Document, Package, Revision, Tag


class GitReader:
    """Reads histories in a folder of bare repositories."""

    def __init__(self, path: str | os.PathLike[str], *, branch: str = "main") -> None:
        if not os.fspath(path):
            raise Invalid("path", "the git backend needs a folder for its repositories")
        configure()
        self._folder = Folder(Path(path).absolute())
        self._branch = check_branch(branch)

    def repository_path(self, package_id: str, *, public: bool = True) -> Path:
        """Give the place of a package's repository on disk, there or not: what ``git clone`` takes."""
        return self._folder.path(package_id, public=public)

    def repositories(self) -> list[str]:
        """List the repositories in the folder, the private ones too."""
        return self._folder.names()

    def commit_url(self, package_id: str, *, sha: str) -> str | None:  # noqa: ARG002
        """A folder has no pages."""
        return None

    def load(self, package_id: str, *, sha: str, public: bool = True, path: str = "datapackage.json") -> bytes:
        """Read one file of one revision by its full sha."""
        repository = self._repository(package_id, public=public)
        if repository is None:
            raise NotFound("dataset", package_id)
        return repository.file(sha, path)

    def fetch(self, package_id: str, *, revision_ref: str = "HEAD") -> Package:
        """Read the document as it was."""
        history = self._history(package_id)
        return self._package(history, package_id, history.resolve(revision_ref))

    def revision_list(self, package_id: str, *, limit: int = 20, offset: int = 0) -> list[Revision]:
        """List revisions, newest first; reads ``offset + limit`` commits at most."""
        if limit < 1:
            raise Invalid("limit", f"it must be 1 or more, not {limit}")
        if offset < 0:
            raise Invalid("offset", f"it must be 0 or more, not {offset}")
        return list(self._history(package_id).revisions(limit=limit, offset=offset))

    def revision_fetch(self, package_id: str, *, revision_ref: str = "HEAD") -> Revision:
        """Read one revision."""
        history = self._history(package_id)
        return history.revision(history.resolve(revision_ref))

    def diff(self, package_id: str, *, revision_ref_a: str, revision_ref_b: str = "HEAD") -> list[Change]:
        """List what changed between two revisions. Where the package is deleted, its document is empty."""
        history = self._history(package_id)
        a, b = (_document_or_empty(history, history.resolve(ref)) for ref in (revision_ref_a, revision_ref_b))
        return diff(a, b)

    def tag_list(self, package_id: str) -> list[Tag]:
        """List all tags, newest first."""
        return self._history(package_id).tags()

    def tag_fetch(self, package_id: str, *, tag: str) -> Tag:
        """Read one tag."""
        return self._history(package_id).tag(tag)

    def _history(self, package_id: str) -> History:
        """Open the history of a package.

        :raises NotFound: it has none
        """
        repository = self._repository(package_id, public=True)
        if repository is None:
            raise NotFound("dataset", package_id)
        return History(repository, self._branch, package_id)

    def _repository(self, package_id: str, *, public: bool) -> Repository | None:
        """Open a package's repository for reading; ``None`` where there is none."""
        return self._folder.open(package_id, public=public)

    def _package(self, history: History, package_id: str, sha: str) -> Package:
        document = history.document(sha)
        return Package(package_id, history.revision(sha), document)


def _document_or_empty(history: History, sha: str) -> Document:
    try:
        return history.document(sha)
    except NotFound:
        return {}
