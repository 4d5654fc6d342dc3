"""Whether a commit can be a revision: anybody may have made it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ckanext.metastore.backends.git.exchange import SIZE_LIMIT
from ckanext.metastore.core.document import DOCUMENT_PATH
from ckanext.metastore.core.errors import Invalid
from ckanext.metastore.core.objects import Commit, TreeEntry, parse_commit, parse_tree
from ckanext.metastore.core.record import without_trailers
from ckanext.metastore.core.text import MESSAGE_LIMIT, normalise_message
from ckanext.metastore.core.types import GitObject
from ckanext.metastore.service.incoming import Objects, Refused
from ckanext.metastore.service.packages import V2, InvalidPackage, Malformed, package, parse

_REGULAR = ("100644", "100755")


@dataclass(frozen=True)
class Rules:
    """What a revision may be.

    :param size: bytes that ``datapackage.json`` may have
    :param depth: levels that it may have
    :param is_mirror: whether it may be any JSON object, or missing
    """

    size: int
    depth: int
    is_mirror: bool


@dataclass(frozen=True)
class Judged:
    """A commit that can be a revision.

    :param document: None where the dataset is deleted there
    """

    raw: GitObject
    commit: Commit
    message: str
    tree: GitObject
    document: GitObject | None


@dataclass
class Judge:
    """Says which commits can be revisions.

    :param pushed: what is new to the repository, by sha
    """

    objects: Objects
    rules: Rules
    pushed: Mapping[str, GitObject]
    _commits: dict[str, Judged | Invalid] = field(default_factory=dict)
    _roots: dict[str, tuple[GitObject, TreeEntry | None]] = field(default_factory=dict)
    _documents: dict[str, GitObject | Invalid] = field(default_factory=dict)

    def is_pushed(self, sha: str) -> bool:
        """Whether a commit is new to the repository."""
        return sha in self.pushed

    def is_fine(self, sha: str) -> bool:
        """Whether a commit can be a revision."""
        return isinstance(self._judged(sha), Judged)

    def insist(self, shas: Iterable[str]) -> None:
        """Refuse the push where one of these cannot be a revision."""
        for sha in shas:
            self.of(sha)

    def of(self, sha: str) -> Judged:
        """Give what is known of a commit.

        :raises Refused: it cannot be a revision
        """
        found = self._judged(sha)
        if isinstance(found, Invalid):
            raise Refused(f"revision {sha[:12]}: {found}") from found
        return found

    def _judged(self, sha: str) -> Judged | Invalid:
        if sha not in self._commits:
            try:
                self._commits[sha] = self._look(sha)
            except Invalid as error:
                self._commits[sha] = error
        return self._commits[sha]

    def _look(self, sha: str) -> Judged:
        """Read a commit; with care one that somebody has put into the repository by hand, whatever it is.

        :raises Invalid: it cannot be a revision
        """
        raw = self.pushed.get(sha) or self._small(sha)
        commit = parse_commit(raw.data)
        if sha in self.pushed:
            message = normalise_message(without_trailers(commit.message))
        else:
            message = normalise_message(without_trailers(commit.message)[:MESSAGE_LIMIT])
        tree, entry = self._root(commit.tree, any_size=sha in self.pushed)
        return Judged(raw, commit, message, tree, self._document(entry))

    def _root(self, sha: str, *, any_size: bool) -> tuple[GitObject, TreeEntry | None]:
        """Read a root tree, with its entry for the document: once, however many commits have it."""
        if sha not in self._roots:
            tree = self.pushed.get(sha) or (self.objects.read([sha])[0] if any_size else self._small(sha))
            entries = parse_tree(tree.data)
            self._roots[sha] = tree, next((entry for entry in entries if entry.name == DOCUMENT_PATH), None)
        return self._roots[sha]

    def _small(self, sha: str) -> GitObject:
        """Read what is not pushed."""
        if self.objects.sizes([sha])[0] > SIZE_LIMIT:
            raise Invalid("object", f"{sha} has more than {SIZE_LIMIT:,} bytes")
        return self.objects.read([sha])[0]

    def _document(self, entry: TreeEntry | None) -> GitObject | None:
        """Give the document of a root tree; ``None`` where a mirror has none there.

        :raises Invalid: it must be there, or be another
        """
        if entry is None and self.rules.is_mirror:
            return None
        if entry is None:
            raise Invalid(DOCUMENT_PATH, "it is missing; to delete the dataset, send DELETE")
        if entry.mode not in _REGULAR:
            raise Invalid(DOCUMENT_PATH, "it must be a regular file")
        if entry.sha not in self._documents:
            try:
                self._documents[entry.sha] = self._checked(entry.sha)
            except Invalid as error:
                self._documents[entry.sha] = error
        found = self._documents[entry.sha]
        if isinstance(found, Invalid):
            raise found
        return found

    def _checked(self, sha: str) -> GitObject:
        """Read a document. It is taken as it is pushed, or not at all."""
        found = self.pushed.get(sha)
        size = len(found.data) if found else self.objects.sizes([sha])[0]
        if size > self.rules.size:
            raise Invalid(DOCUMENT_PATH, f"it has {size:,} bytes; at most {self.rules.size:,} are allowed")
        found = found or self.objects.read([sha])[0]
        try:
            document = parse(found.data, depth=self.rules.depth)
        except Malformed as error:
            raise Invalid(DOCUMENT_PATH, str(error)) from error
        (_check_object if self.rules.is_mirror else _check_package)(document)
        return found


def _check_object(document: Any) -> None:
    if not isinstance(document, dict):
        raise Invalid(DOCUMENT_PATH, "it must be a JSON object")


def _check_package(document: Any) -> None:
    """See that it could have come by PUT: what is pushed cannot be changed on the way."""
    try:
        taken = package(document)
    except InvalidPackage as error:
        where, reason = error.errors[0]
        raise Invalid(DOCUMENT_PATH, f"{error}: {where or '/'}: {reason}") from error
    if taken != document:
        raise Invalid(
            DOCUMENT_PATH, f'it is of version 1 of the standard; write it as version 2, with "$schema": "{V2}"'
        )
