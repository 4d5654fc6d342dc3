"""Writing: what goes into the tables within CKAN's own transaction, and nothing that it would not roll back."""

from __future__ import annotations

from typing import Any

from ckan import model
from sqlalchemy import delete, insert, select, update
from sqlalchemy.dialects.postgresql import insert as insert_or_ignore

from ckanext.metastore.core.objects import pack_objects
from ckanext.metastore.core.record import document_sha
from ckanext.metastore.core.types import Author, GitObject, Head, RecordedRevision, Tag
from ckanext.metastore.model.tables import dataset_table, pull_table, revision_table, tag_table

Session = Any
"""A SQLAlchemy session of CKAN's, scoped or local."""


class Ledger:
    """One dataset's row, locked until the transaction ends: the place in line of the next revision.

    :param row: the row as it is under the lock
    :ivar head_document: the sha of the head's document, in the form in which we write documents
    :ivar message: what was said of the dataset while it was a draft, which has no revision
    """

    def __init__(self, session: Session, row: Any) -> None:
        self._session = session
        self.dataset_id: str = row.id
        self.purging: bool = row.purging
        self.message: str = row.message or ""
        self.seq: int = row.seq
        self.public_seq: int = row.public_seq
        self.head = _head(row.head, row.head_tree, row.head_time)
        self.head_document: str | None = row.head_document or (document_sha(self.head.tree) if self.head else None)
        self.public_head = _head(row.public_head, row.public_tree, row.public_time)

    @classmethod
    def lock(cls, session: Session, dataset_id: str) -> Ledger:
        """Take the dataset's row, making it where there is none; waits for whoever holds it."""
        query = select(dataset_table).where(dataset_table.c.id == dataset_id).with_for_update()
        row = session.execute(query).one_or_none()
        if row is None:
            session.execute(insert_or_ignore(dataset_table).values(id=dataset_id).on_conflict_do_nothing())
            row = session.execute(query).one()
        return cls(session, row)

    @property
    def head_is_public(self) -> bool:
        """Whether the newest revision of all is a public one."""
        return self.head is not None and self.public_head is not None and self.head.sha == self.public_head.sha

    def knows(self, sha: str) -> bool:
        """Whether a commit is one of the dataset's revisions."""
        mine = (revision_table.c.dataset_id == self.dataset_id) & (revision_table.c.sha == sha)
        return self._session.execute(select(revision_table.c.seq).where(mine)).one_or_none() is not None

    def keep_message(self, message: str) -> None:
        """Keep what was said of a draft for its first revision."""
        self.message = message
        mine = dataset_table.c.id == self.dataset_id
        self._session.execute(update(dataset_table).where(mine).values(message=message))

    def adopt(self, revision: RecordedRevision, *, document: str) -> None:
        """The same for a commit that somebody else made, and that is where it is to be.

        :param document: the sha of its document in our form
        """
        self._append(revision, user_id=None, published=True, document=document)

    def append(self, revision: RecordedRevision, *, user_id: str | None) -> None:
        """Write the revision's row and move the head to it, in one statement."""
        self._append(revision, user_id=user_id, published=False, document=None)

    def _append(
        self, revision: RecordedRevision, *, user_id: str | None, published: bool, document: str | None
    ) -> None:
        self.seq += 1
        self.public_seq += revision.public
        row = insert(revision_table).values(
            dataset_id=self.dataset_id,
            seq=self.seq,
            sha=revision.sha,
            parents=" ".join(revision.parents),
            public=revision.public,
            public_seq=self.public_seq if revision.public else None,
            author_name=revision.author.name,
            author_email=revision.author.email,
            user_id=user_id,
            message=revision.message,
            timestamp=revision.timestamp,
            published=published,
            objects=None if published else pack_objects(revision.objects),
        )
        moved = {**self._moved(revision), "head_document": document, **({"message": None} if self.message else {})}
        self.message = ""
        self.head_document = document or document_sha(revision.tree)
        move = update(dataset_table).where(dataset_table.c.id == self.dataset_id).values(moved)
        self._session.execute(move.add_cte(row.cte("appended")))

    def _moved(self, revision: RecordedRevision) -> dict[str, Any]:
        self.head = revision.head
        moved: dict[str, Any] = {"seq": self.seq, "head": revision.sha}
        moved |= {"head_tree": revision.tree, "head_time": revision.timestamp}
        if revision.public:
            self.public_head = revision.head
            moved |= {"public_seq": self.public_seq, "public_head": revision.sha}
            moved |= {"public_tree": revision.tree, "public_time": revision.timestamp}
        return moved

    def forget(self) -> None:
        """Drop the whole history; its repositories go when the change is published."""
        self._session.execute(delete(tag_table).where(tag_table.c.dataset_id == self.dataset_id))
        self._session.execute(delete(revision_table).where(revision_table.c.dataset_id == self.dataset_id))
        self._session.execute(delete(pull_table).where(pull_table.c.dataset_id == self.dataset_id))
        ours = ("head", "head_tree", "head_time", "head_document", "public_head", "public_tree", "public_time")
        empty = dict.fromkeys((*ours, "message"))
        change = update(dataset_table).where(dataset_table.c.id == self.dataset_id)
        self._session.execute(change.values(seq=0, public_seq=0, purging=True, **empty))
        self.purging = True
        self.head = self.public_head = None

    def drop(self) -> None:
        """Drop the row of a dataset that never had a history."""
        self._session.execute(delete(dataset_table).where(dataset_table.c.id == self.dataset_id))

    def set_tag(self, tag: Tag, *, obj: GitObject, public: bool, user_id: str | None) -> None:
        """Write the tag's row, in place of one of that name that is on its way out."""
        values = {
            "sha": tag.revision_id,
            "public": public,
            "author_name": tag.author.name,
            "author_email": tag.author.email,
            "user_id": user_id,
            "description": tag.description,
            "timestamp": int(tag.timestamp.timestamp()),
            "pending": "set",
            "object": pack_objects([obj]),
        }
        write = insert_or_ignore(tag_table).values(dataset_id=self.dataset_id, name=tag.name, **values)
        self._session.execute(write.on_conflict_do_update(index_elements=["dataset_id", "name"], set_=values))

    def delete_tag(self, name: str) -> None:
        """Mark the tag as gone; the row follows when the repository knows."""
        mine = (tag_table.c.dataset_id == self.dataset_id) & (tag_table.c.name == name)
        self._session.execute(update(tag_table).where(mine).values(pending="delete", object=None))


def _head(sha: str | None, tree: bytes | None, timestamp: int | None) -> Head | None:
    return Head(sha, bytes(tree or b""), timestamp or 0) if sha else None


def reload_package(session: Session, dataset_id: str, *, lock: bool = False) -> Any:
    """The dataset's row as the database has it now, whatever the session remembers; None where it is gone.

    :param lock: keep others from writing it until the transaction ends
    """
    query = select(model.Package).where(model.Package.id == dataset_id)
    query = query.with_for_update() if lock else query
    return session.execute(query.execution_options(populate_existing=True)).scalar_one_or_none()


def author_of(row: Any) -> Author:
    """The author whose name and address a revision's or a tag's row holds."""
    return Author(row.author_name, row.author_email)
