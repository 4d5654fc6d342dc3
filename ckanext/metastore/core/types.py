"""The values that travel through the metastore: frozen, small, and free of behaviour.

A *document* is a Data Package descriptor, a ``dict`` as ``json.loads`` gives it. Everything else is here.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timezone
from functools import cached_property
from hashlib import sha1
from typing import Any, Literal

Document = dict[str, Any]
"""A Data Package descriptor: what ``datapackage.json`` says."""

ObjectType = Literal["blob", "tree", "commit", "tag"]

ChangeKind = Literal["added", "removed", "changed", "moved"]


@dataclass(frozen=True, slots=True)
class Author:
    """Who made a revision or a tag, as Git shows it: display text, never a user and never a right."""

    name: str
    email: str


@dataclass(frozen=True, slots=True)
class Revision:
    """One commit of a dataset's history.

    :param id: the commit's sha, 40 hexadecimal digits
    :param timestamp: when it was made, UTC
    :param message: what the author wrote, without the trailers
    :param parents: the shas of its parents: none for a root, two for a merge
    :param tags: the names of the tags that point here, sorted
    """

    id: str
    timestamp: datetime
    author: Author
    message: str
    parents: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Tag:
    """A named version: an annotated Git tag on one revision.

    :param revision_id: the sha of the commit that it names
    :param timestamp: when the tag was made, UTC
    """

    name: str
    revision_id: str
    description: str
    author: Author
    timestamp: datetime


@dataclass(frozen=True, slots=True)
class Package:
    """A document as it was at one revision."""

    id: str
    revision: Revision
    document: Document


@dataclass(frozen=True, slots=True)
class Change:
    """One difference between two documents.

    :param path: the keys from the document's root; an item of a list of named things (a resource, an extra, a
        tag, a group) is addressed by its identity, not by its place
    :param old: the value before; ``None`` where ``kind`` is ``"added"``
    :param new: the value after; ``None`` where ``kind`` is ``"removed"``
    """

    kind: ChangeKind
    path: tuple[str, ...]
    old: Any = None
    new: Any = None


@dataclass(frozen=True)
class GitObject:
    """A Git object as exact bytes, without the loose-object header.

    :see: https://git-scm.com/book/en/v2/Git-Internals-Git-Objects
    """

    type: ObjectType
    data: bytes

    @cached_property
    def sha(self) -> str:
        """The object's name: SHA-1 over the header and the data, 40 hexadecimal digits."""
        return sha1(self.framed, usedforsecurity=False).hexdigest()

    @property
    def framed(self) -> bytes:
        """The object as Git frames it before compression: ``<type> <size>\\0<data>``."""
        return b"%s %d\0%s" % (self.type.encode(), len(self.data), self.data)


@dataclass(frozen=True, slots=True)
class Head:
    """What the next revision builds on: no repository is needed to compute it.

    :param sha: the commit that becomes the parent
    :param tree: the raw bytes of that commit's root tree, so that files put there by others are kept
    :param timestamp: that commit's time, seconds since 1970-01-01 UTC; the next is never earlier
    """

    sha: str
    tree: bytes
    timestamp: int


@dataclass(frozen=True, slots=True)
class RecordedRevision:
    """A revision that is complete as bytes but perhaps in no repository yet.

    :param objects: every object that it adds, in an order in which each may be written after those that it names
    :param tree: the raw bytes of its root tree
    :param public: whether it may ever be served or pushed
    :param timestamp: seconds since 1970-01-01 UTC
    """

    sha: str
    parents: tuple[str, ...]
    tree: bytes
    author: Author
    message: str
    timestamp: int
    public: bool
    objects: tuple[GitObject, ...]

    @property
    def head(self) -> Head:
        """This revision, as what the next one builds on."""
        return Head(self.sha, self.tree, self.timestamp)


@dataclass(frozen=True, slots=True)
class Theirs:
    """Where a package's branch is, when somebody else has moved it. Nothing here is to be trusted.

    :param head: the newest commit there, with the raw bytes of its root tree and its own time
    :param parents: that commit's parents
    :param author: display text, and whatever its writer claims
    :param message: what they wrote, in the form in which messages are kept
    :param base: the newest commit that their history and ours have in common
    :param lost: whether their history lacks revisions that were published
    :param size: the document's size in bytes; ``None`` where there is no document
    """

    head: Head
    parents: tuple[str, ...]
    author: Author
    message: str
    base: str
    lost: bool = False
    size: int | None = None


@dataclass(frozen=True, slots=True)
class TagUpdate:
    """One tag ref to set or, where ``object`` is None, to delete.

    :param public: whether the tag's revision is public: a tag lives where its revision lives
    """

    name: str
    public: bool
    object: GitObject | None


@dataclass(frozen=True, slots=True)
class Clash:
    """A field that both sides of a merge changed, each in its own way."""

    path: tuple[str, ...]
    base: Any
    ours: Any
    theirs: Any


@dataclass(frozen=True, slots=True)
class Merge:
    """The outcome of a three-way merge.

    :param document: the merged document; where a field clashed, it holds ours
    :param clashes: empty where the merge is clean
    """

    document: Document
    clashes: tuple[Clash, ...] = ()


@dataclass(frozen=True, slots=True)
class Profile:
    """How a package presents itself at a Git host. Nothing here is ever taken from a private revision.

    :param owner: the user or organization there; empty for the backend's own
    :param name: the repository's name
    :param description: one line about it: the title
    :param homepage: the address of the dataset's page
    :param topics: words to find it by, as the host takes them
    """

    owner: str
    name: str
    description: str = ""
    homepage: str = ""
    topics: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Hosted:
    """A package's repository at a Git host, as we last left it.

    :param id: the host's own number of it, which no rename changes
    :param private: whether only those with a right to it may see it
    """

    id: int
    profile: Profile
    private: bool


@dataclass(frozen=True, slots=True)
class Site:
    """The place that commits: its name and address stand in every commit as the committer.

    :param dataset_url: the address of a dataset's page, with ``{id}`` in it; empty where there is none
    :param lfs_url: the address of the Git LFS server, perhaps with ``{id}``, ``{owner_org}`` or ``{prefix}`` in it;
        empty where there is none: then revisions hold no pointers
    """

    committer: Author
    dataset_url: str = ""
    lfs_url: str = ""


def utc(timestamp: int) -> datetime:
    """Turn seconds since 1970-01-01 into a time that knows that it is UTC."""
    return datetime.fromtimestamp(timestamp, timezone.utc)
