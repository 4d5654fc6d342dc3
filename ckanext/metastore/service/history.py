"""One dataset's history, as far as one reader may see it: every read goes through here.

The index says what there is and in which order; the documents come from the repository or, until a revision is
published, from its row.
"""

from __future__ import annotations

import sqlite3
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from ckanext.metastore.core import Author, Backend, Invalid, NotFound, Unavailable
from ckanext.metastore.core.document import parse_document
from ckanext.metastore.core.names import is_abbreviation
from ckanext.metastore.core.objects import parse_commit, unpack_objects
from ckanext.metastore.core.record import document_sha
from ckanext.metastore.core.types import Document, Revision, Tag, utc
from ckanext.metastore.service.datasets import Dataset

_COLUMNS = "seq, sha, parents, public, author_name, author_email, message, timestamp, published"


@dataclass(frozen=True)
class Entry:
    """A revision, and its place in the index.

    :param public: whether it was recorded while the dataset was public
    :param published: whether the repository has it
    :param hidden: whether all of the dataset is, for now: it is a private mirror
    """

    revision: Revision
    seq: int
    public: bool
    published: bool
    hidden: bool = False

    @property
    def private(self) -> bool:
        """Whether only those with a token may see it."""
        return self.hidden or not self.public

    @property
    def sha(self) -> str:
        """The revision's id."""
        return self.revision.id


class History:
    """The revisions and tags of one dataset.

    :param private: whether the reader may see what was recorded while the dataset was not public. If not, nothing
        here tells that there is any, but the newest revision of a private dataset, for who may read the dataset
    """

    def __init__(self, connection: sqlite3.Connection, backend: Backend, dataset: Dataset, *, private: bool) -> None:
        self._connection = connection
        self._backend = backend
        self.dataset = dataset
        self.private = private

    def head(self) -> Entry:
        """The newest revision."""
        return self._found(self._revisions("sha = ?", self.dataset.head), "HEAD")

    def at(self, timestamp: int) -> Entry:
        """The revision that was the newest at a time in seconds since 1970-01-01 UTC.

        :raises NotFound: the history begins later
        """
        entries = self._revisions("timestamp <= ? ORDER BY timestamp DESC, seq DESC LIMIT 1", timestamp)
        return self._found(entries, f"as of {utc(timestamp).isoformat()}")

    def resolve(self, ref: str, *, field: str = "revision") -> Entry:
        """The revision that a ref names: ``HEAD``, a tag, or a sha of 7 digits or more, tried in this order.

        :param field: the parameter's name, for the error
        :raises NotFound: this dataset has no such revision
        :raises Invalid: the abbreviation fits more than one revision
        """
        if ref == "HEAD":
            return self.head()
        tag = self.find_tag(ref)
        prefix = tag.revision_id if tag else ref.lower()
        entries = self._revisions("sha LIKE ? LIMIT 2", f"{prefix}%") if is_abbreviation(prefix) else []
        if len(entries) > 1:
            raise Invalid(field, f"{ref} is short for more than one revision; give more digits")
        return self._found(entries, ref)

    def page(self, *, limit: int, before: int | None = None) -> list[Entry]:
        """A page of revisions, newest first.

        :param before: only those before this place in the history
        """
        if before is None:
            return self._revisions("1 ORDER BY seq DESC LIMIT ?", limit)
        return self._revisions("seq < ? ORDER BY seq DESC LIMIT ?", before, limit)

    def document(self, entry: Entry) -> Document:
        """The Data Package as it was at a revision.

        :raises NotFound: the dataset is deleted there
        """
        return parse_document(self.text(entry))

    def document_or_empty(self, entry: Entry) -> Document:
        """The same, for a comparison."""
        return parse_document(self.text_or_empty(entry) or b"{}")

    def text(self, entry: Entry) -> bytes:
        """What ``datapackage.json`` held at a revision.

        :raises NotFound: the dataset is deleted there
        :raises Unavailable: it cannot be read now, or the repository has lost it
        """
        packed = self._objects(entry)
        if packed is None:
            return self._load(entry)
        added = {item.sha: item.data for item in unpack_objects(packed)}
        tree = added.get(parse_commit(added[entry.sha]).tree)
        blob = document_sha(tree) if tree is not None else ""
        if blob is None:
            raise NotFound("dataset", self.dataset.full_name)
        return added[blob] if blob in added else self.text(self._parent(entry))

    def text_or_empty(self, entry: Entry) -> bytes:
        """The same; nothing where the dataset is deleted there."""
        try:
            return self.text(entry)
        except NotFound:
            return b""

    def tags(self) -> list[Tag]:
        """All tags, newest first."""
        return self._tags("1 ORDER BY timestamp DESC, name")

    def tag(self, name: str) -> Tag:
        """The tag of that name.

        :raises NotFound: there is none
        """
        tag = self.find_tag(name)
        if tag is None:
            raise NotFound("tag", name)
        return tag

    def find_tag(self, name: str) -> Tag | None:
        """The tag of that name, or None."""
        known = unicodedata.normalize("NFC", name).encode(errors="replace").decode()
        return next(iter(self._tags("name = ?", known)), None)

    def _load(self, entry: Entry) -> bytes:
        try:
            return self._backend.load(self.dataset.id, sha=entry.sha, public=entry.public)
        except NotFound as error:
            if error.kind == "file":
                raise NotFound("dataset", self.dataset.full_name) from error
            raise Unavailable(f"revision {entry.sha} was published, but its repository does not have it") from error

    def _parent(self, entry: Entry) -> Entry:
        return self._found(self._revisions("sha = ?", entry.revision.parents[0], everything=True), "parent")

    def _objects(self, entry: Entry) -> bytes | None:
        if entry.published and entry.public:
            return None
        query = "SELECT objects FROM revision WHERE dataset_id = ? AND seq = ?"
        row = self._connection.execute(query, (self.dataset.id, entry.seq)).fetchone()
        return row["objects"] if row else None

    def _revisions(self, condition: str, *values: str | int, everything: bool = False) -> list[Entry]:
        seen = everything or self.private
        query = f"SELECT {_COLUMNS} FROM revision WHERE dataset_id = ? AND (? OR public OR sha = ?) AND {condition}"
        rows = self._connection.execute(query, (self.dataset.id, seen, self.dataset.head, *values)).fetchall()
        names = self._tag_names([row["sha"] for row in rows])
        hidden = self.dataset.private and self.dataset.mirror is not None
        return [_entry(row, names.get(row["sha"], ()), hidden=hidden) for row in rows]

    def _tag_names(self, shas: Sequence[str]) -> dict[str, tuple[str, ...]]:
        names: dict[str, tuple[str, ...]] = {}
        for tag in self._tags(f"sha IN ({', '.join('?' * len(shas))}) ORDER BY name", *shas):
            names[tag.revision_id] = (*names.get(tag.revision_id, ()), tag.name)
        return names

    def _tags(self, condition: str, *values: str) -> list[Tag]:
        seen = "1" if self.private else "public"
        here = f"dataset_id = ? AND pending IS NOT 'delete' AND {seen}"
        query = f"SELECT * FROM tag WHERE {here} AND {condition}"
        return list(map(_tag, self._connection.execute(query, (self.dataset.id, *values))))

    def _found(self, entries: list[Entry], ref: str) -> Entry:
        if not entries:
            raise NotFound("revision", ref)
        return entries[0]


def _entry(row: sqlite3.Row, tags: tuple[str, ...], *, hidden: bool) -> Entry:
    revision = Revision(
        id=row["sha"],
        timestamp=utc(row["timestamp"]),
        author=Author(row["author_name"], row["author_email"]),
        message=row["message"],
        parents=tuple(row["parents"].split()),
        tags=tags,
    )
    return Entry(revision, row["seq"], bool(row["public"]), bool(row["published"]), hidden)


def _tag(row: sqlite3.Row) -> Tag:
    author = Author(row["author_name"], row["author_email"])
    return Tag(row["name"], row["sha"], row["description"], author, utc(row["timestamp"]))
