"""Writing one dataset's history into the index, within a transaction of its own."""

from __future__ import annotations

import sqlite3
from typing import Any

from ckanext.metastore.core.objects import pack_objects
from ckanext.metastore.core.record import document_sha
from ckanext.metastore.core.types import GitObject, Head, RecordedRevision, Tag


class Ledger:
    """A dataset's row, while nobody else writes.

    :param connection: within a transaction that writes
    :param head: the newest revision of all, as what the next one builds on; None where there is none yet
    :param public_head: the newest public one
    """

    def __init__(self, connection: sqlite3.Connection, dataset_id: str) -> None:
        row = connection.execute("SELECT * FROM dataset WHERE id = ?", (dataset_id,)).fetchone()
        self._connection = connection
        self.dataset_id = dataset_id
        self.private = bool(row["private"])
        mirror = "SELECT 1 FROM mirror WHERE dataset_id = ?"
        self._is_mirror = connection.execute(mirror, (dataset_id,)).fetchone() is not None
        self._version: int = row["version"]
        self.seq: int = row["seq"]
        self.public_seq: int = row["public_seq"]
        self.head = _head(row["head"], row["head_tree"], row["head_time"])
        self.public_head = _head(row["public_head"], row["public_tree"], row["public_time"])

    def base(self, *, public: bool) -> Head | None:
        """What the next revision builds on: a public one names no private one."""
        return self.public_head if public else self.head

    def is_news(self, revision: RecordedRevision) -> bool:
        """Whether the document, or who may read it, is another than at the head."""
        if self.head is None or self.private == revision.public:
            return True
        return document_sha(self.head.tree) != document_sha(revision.tree)

    def append(self, revision: RecordedRevision, *, title: str | None = None) -> None:
        """Write the revision's row, and move the head to it.

        A deletion does not change whether the dataset is private, and nothing that is pushed to a mirror does.
        """
        self.seq += 1
        self.public_seq += revision.public
        deleted = document_sha(revision.tree) is None
        self._insert(revision)
        self._set(seq=self.seq, head=revision.sha, head_tree=revision.tree, head_time=revision.timestamp)
        self._version += 1
        self._set(deleted=deleted, version=self._version)
        self.head = revision.head
        if revision.public:
            self.public_head = revision.head
            self._set(public_seq=self.public_seq, public_head=revision.sha)
            self._set(public_tree=revision.tree, public_time=revision.timestamp)
        if not deleted:
            self.private = self.private if self._is_mirror else not revision.public
            self._set(private=self.private, title=title)

    def set_tag(self, tag: Tag, *, obj: GitObject, public: bool) -> None:
        """Write the tag's row, in place of one of that name that is on its way out."""
        about = (self.dataset_id, tag.name, tag.revision_id, public, tag.author.name, tag.author.email)
        values = (*about, tag.description, int(tag.timestamp.timestamp()), "set", pack_objects([obj]))
        self._connection.execute("INSERT OR REPLACE INTO tag VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", values)

    def delete_tag(self, name: str) -> None:
        """Mark the tag as gone, known here or not; the row follows when the repository knows."""
        mark = (
            "INSERT INTO tag VALUES (?, ?, '', 1, '', '', '', 0, 'delete', NULL) "
            "ON CONFLICT (dataset_id, name) DO UPDATE SET pending = 'delete', object = NULL"
        )
        self._connection.execute(mark, (self.dataset_id, name))

    def _insert(self, revision: RecordedRevision) -> None:
        row: dict[str, Any] = {
            "dataset_id": self.dataset_id,
            "seq": self.seq,
            "sha": revision.sha,
            "parents": " ".join(revision.parents),
            "public": revision.public,
            "public_seq": self.public_seq if revision.public else None,
            "author_name": revision.author.name,
            "author_email": revision.author.email,
            "message": revision.message,
            "timestamp": revision.timestamp,
            "objects": pack_objects(revision.objects),
        }
        places = ", ".join(f":{column}" for column in row)
        self._connection.execute(f"INSERT INTO revision ({', '.join(row)}) VALUES ({places})", row)

    def _set(self, **values: Any) -> None:
        changes = ", ".join(f"{column} = :{column}" for column in values)
        self._connection.execute(f"UPDATE dataset SET {changes} WHERE id = :id", {**values, "id": self.dataset_id})


def _head(sha: str | None, tree: bytes | None, timestamp: int | None) -> Head | None:
    return Head(sha, tree or b"", timestamp or 0) if sha else None
