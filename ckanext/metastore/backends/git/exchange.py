"""What others have done to a branch: read with care, for anybody may have written it."""

from __future__ import annotations

from ckanext.metastore.backends.git.exporter import GitExporter
from ckanext.metastore.backends.git.repository import Repository
from ckanext.metastore.core.document import DOCUMENT_PATH
from ckanext.metastore.core.errors import Conflict, Invalid, NotFound
from ckanext.metastore.core.objects import parse_tree
from ckanext.metastore.core.text import MESSAGE_LIMIT, normalise_message
from ckanext.metastore.core.types import Head, Theirs

SIZE_LIMIT = 2**20
"""Bytes of a commit, or of the list of files in the root: what is larger is nobody's work, and is not read."""

_REGULAR_FILE = "100"
"""What the modes of regular files begin with; those of folders, symbolic links and submodules do not."""


class GitExchange(GitExporter):
    """Histories that others may push to."""

    def theirs(self, package_id: str, *, ours: str) -> Theirs | None:
        """Look where the branch is now."""
        history = self._history(package_id)
        return look(history.repository, history.tip, ours)

    def report(self, package_id: str, *, sha: str, accepted: bool, reason: str) -> None:
        """A folder has no place to say it."""


def look(repository: Repository, tip: str, ours: str) -> Theirs | None:
    """Read the commit that a branch is at; ``None`` where it is ours.

    :raises Conflict: their history and ours have nothing in common
    :raises Invalid: it is larger than anything that could be built upon, or no commit
    """
    if tip == ours:
        return None
    if ours not in repository:
        raise Conflict(f"revision {ours}, which was published, is neither in the branch nor in the repository")
    base = repository.common(tip, ours)
    if base is None:
        raise Conflict("the branch holds a history that has nothing in common with the package's")
    _check_size(repository, tip, "commit")
    commit = repository.commit(tip)
    _check_size(repository, commit.tree, "tree")
    tree = repository.tree(commit.tree)
    return Theirs(
        head=Head(tip, tree, commit.timestamp),
        parents=commit.parents,
        author=commit.author,
        message=normalise_message(commit.message[:MESSAGE_LIMIT]),
        base=base,
        lost=base != ours,
        size=_document_size(repository, tree),
    )


def _check_size(repository: Repository, sha: str, kind: str) -> None:
    found = repository.measure(sha)
    if found is None:
        raise NotFound(kind, sha)
    if found[0] != kind or found[1] > SIZE_LIMIT:
        raise Invalid(
            kind, f"{sha} is a {found[0]} of {found[1]:,} bytes, where a {kind} of at most {SIZE_LIMIT:,} is read"
        )


def _document_size(repository: Repository, tree: bytes) -> int | None:
    entry = next((entry for entry in parse_tree(tree) if entry.name == DOCUMENT_PATH), None)
    found = repository.measure(entry.sha) if entry and entry.mode.startswith(_REGULAR_FILE) else None
    return found[1] if found and found[0] == "blob" else None
