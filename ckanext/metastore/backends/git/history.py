"""Reading one dataset's history out of its repository: refs, revisions, documents, tags."""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Iterator
from functools import cached_property
from itertools import islice

from ckanext.metastore.backends.git.repository import TAGS, Repository
from ckanext.metastore.core.document import DOCUMENT_PATH, parse_document
from ckanext.metastore.core.errors import Invalid, NotFound
from ckanext.metastore.core.names import is_abbreviation
from ckanext.metastore.core.objects import parse_commit, parse_tag
from ckanext.metastore.core.record import document_sha, without_trailers
from ckanext.metastore.core.types import Document, Head, Revision, Tag, utc


class History:
    """The history on one branch, as it was when this object was made.

    :raises NotFound: the branch has no revision
    """

    def __init__(self, repository: Repository, branch: str, package_id: str) -> None:
        tip = repository.ref(f"refs/heads/{branch}")
        if tip is None:
            raise NotFound("dataset", package_id)
        self.repository = repository
        self.tip = tip
        self._package_id = package_id

    @cached_property
    def head(self) -> Head:
        """The newest revision, as what the next one builds on."""
        commit = self.repository.commit(self.tip)
        return Head(self.tip, self.repository.tree(commit.tree), commit.timestamp)

    # -- revisions ---------------------------------------------------------------------------------------------

    def resolve(self, ref: str) -> str:
        """Find the revision that a ref means: ``HEAD``, then a tag, then a sha or its beginning on this branch.

        :returns: the full sha
        :raises NotFound: it means none, or an object that is no revision of this branch
        :raises Invalid: an abbreviation fits more than one revision
        """
        if not isinstance(ref, str):
            raise NotFound("revision", repr(ref))
        if ref == "HEAD":
            return self.tip
        if tag := self.find_tag(ref):
            return tag.revision_id
        return self._resolve_sha(ref)

    def _resolve_sha(self, ref: str) -> str:
        if not is_abbreviation(ref):
            raise NotFound("revision", ref)
        fitting = (sha for sha in self.repository.walk(self.tip) if sha.startswith(ref.lower()))
        found = list(islice(fitting, 1 if len(ref) == 40 else 2))
        if not found:
            raise NotFound("revision", ref)
        if len(found) > 1:
            raise Invalid("revision_ref", f"{ref} fits more than one revision; write more digits")
        return found[0]

    def revision(self, sha: str) -> Revision:
        """Read one revision.

        :raises NotFound: no commit has this sha
        """
        commit = self.repository.commit(sha)
        return Revision(
            id=sha,
            timestamp=utc(commit.timestamp),
            author=commit.author,
            message=without_trailers(commit.message),
            parents=commit.parents,
            tags=tuple(self._tag_names.get(sha, ())),
        )

    def revisions(self, *, limit: int, offset: int) -> Iterator[Revision]:
        """Read revisions, newest first."""
        return map(self.revision, islice(self.repository.walk(self.tip), offset, offset + limit))

    def document(self, sha: str) -> Document:
        """Read the document of a revision.

        :raises NotFound: the package is deleted there
        """
        if document_sha(self.repository.tree(self.repository.commit(sha).tree)) is None:
            raise NotFound("dataset", self._package_id)
        return parse_document(self.repository.file(sha, DOCUMENT_PATH))

    # -- tags --------------------------------------------------------------------------------------------------

    def tag(self, name: str) -> Tag:
        """Read one tag.

        :raises NotFound: there is none
        """
        tag = self.find_tag(name) if isinstance(name, str) else None
        if tag is None:
            raise NotFound("tag", str(name))
        return tag

    def find_tag(self, name: str) -> Tag | None:
        """Read one tag; ``None`` where there is none, or it names no revision."""
        name = unicodedata.normalize("NFC", name)
        sha = self.repository.ref(TAGS + name)
        return _tag(self.repository, name, sha) if sha else None

    def tags(self) -> list[Tag]:
        """Read all tags, newest first: the refs, and one object for each."""
        found = (_tag(self.repository, name, sha) for name, sha in self.repository.refs(TAGS).items())
        return sorted(filter(None, found), key=lambda tag: (-tag.timestamp.timestamp(), tag.name))

    @cached_property
    def _tag_names(self) -> dict[str, list[str]]:
        """The names of the tags of each tagged revision, sorted."""
        names = defaultdict(list)
        for tag in self.tags():
            names[tag.revision_id].append(tag.name)
        return {sha: sorted(tags) for sha, tags in names.items()}


def _tag(repository: Repository, name: str, sha: str) -> Tag | None:
    """Read what a tag's ref points to: an annotated tag, or, where a stranger made it, a commit."""
    item = repository.read(sha)
    if item is not None and item.type == "commit":
        commit = parse_commit(item.data)
        return Tag(name, sha, "", commit.author, utc(commit.timestamp))
    if item is None or item.type != "tag":
        return None
    tag = parse_tag(item.data)
    if tag.target_type != "commit":
        return None
    return Tag(name, tag.target, tag.message, tag.tagger, utc(tag.timestamp))
