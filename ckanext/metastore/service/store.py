"""The store: what can be done with datasets. Each change is recorded in one transaction, then published."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import islice
from pathlib import Path

from ckanext.metastore.core import Backend, Conflict, Invalid, NotFound, Unavailable
from ckanext.metastore.core.restore import restore
from ckanext.metastore.core.types import Document, RecordedRevision, Revision, utc
from ckanext.metastore.service import datasets
from ckanext.metastore.service.database import Database
from ckanext.metastore.service.datasets import Dataset
from ckanext.metastore.service.history import Entry, History
from ckanext.metastore.service.ledger import Ledger
from ckanext.metastore.service.publisher import Publisher
from ckanext.metastore.service.saving import Base, By, Saved, title_of


class Store:
    """Datasets in the index and in the repositories of a backend."""

    def __init__(self, database: Database, backend: Backend, publisher: Publisher) -> None:
        self._database = database
        self._backend = backend
        self._publisher = publisher

    # -- reading -----------------------------------------------------------------------------------------------

    def find(self, owner: str, name: str) -> Dataset:
        """Find a dataset by the name that it has now, a deleted one too.

        :raises NotFound: there is none
        """
        with self._database.read() as connection:
            return datasets.find(connection, owner, name)

    def look(self, owner: str, name: str) -> Dataset | None:
        """The same; ``None`` where there is none, or nothing in it yet."""
        try:
            found = self.find(owner, name)
        except NotFound:
            return None
        return found if found.head else None

    def moved(self, owner: str, name: str) -> Dataset | None:
        """Find the dataset that was called so before it was moved."""
        with self._database.read() as connection:
            return datasets.former(connection, owner, name)

    def list(
        self,
        *,
        owner: str | None,
        after: tuple[str, str],
        limit: int,
        reach: datasets.Reach,
        wanted: Callable[[Dataset], bool],
    ) -> list[Dataset]:
        """List those datasets that are wanted, in the order of their names.

        :param reach: among which they are
        """
        with self._database.read() as connection:
            return list(islice(filter(wanted, datasets.after(connection, owner, after, reach)), limit))

    def counts(self) -> dict[str, int]:
        """Count what there is, and what waits for its repository."""
        queries = {
            "datasets": "dataset WHERE NOT deleted AND head IS NOT NULL",
            "unpublished_revisions": "revision WHERE NOT published",
        }
        with self._database.read() as connection:
            return {name: connection.execute(f"SELECT count(*) FROM {q}").fetchone()[0] for name, q in queries.items()}

    @contextmanager
    def history(self, dataset: Dataset, *, private: bool) -> Iterator[History]:
        """Read a dataset's history.

        :param private: whether the reader may see what was recorded while the dataset was not public
        """
        with self._database.read() as connection:
            yield History(connection, self._backend, datasets.get(connection, dataset.id), private=private)

    def repository(self, dataset: Dataset) -> Path:
        """Give the place of a dataset's public bare repository, with all that is recorded in it.

        Who makes a mirror's history can see there, and mend, what somebody has done to it by hand; so nothing else may
        make it look older than it is.

        :raises NotFound: it has never been public
        :raises Unavailable: it is a mirror's, and waits for a Git host
        """
        published = self._publisher.publish(dataset.id)
        if dataset.mirror is not None and not (published or self._backend.keeps_private):
            raise Unavailable("what was pushed waits for the Git host")
        place = getattr(self._backend, "repository_path", None)
        path: Path | None = place(dataset.id) if place and dataset.public_head else None
        if path is None or dataset.public_head is None:
            raise NotFound("repository", dataset.full_name)
        try:
            # Where it is a copy of one at a Git host, it is fetched if it is missing, or behind.
            self._backend.load(dataset.id, sha=dataset.public_head)
        except NotFound:
            if dataset.mirror is None or not path.exists():
                raise
        return path

    # -- saving ------------------------------------------------------------------------------------------------

    def create(self, owner: str, name: str, document: Document, by: By, *, private: bool = False) -> Saved:
        """Start a dataset's history, or take it up again after it was deleted.

        :raises Conflict: it exists
        """
        with self._database.write() as connection:
            try:
                dataset = datasets.find(connection, owner, name)
            except NotFound:
                dataset_id = datasets.add(connection, owner, name)
            else:
                if dataset.mirror is not None:
                    # Who may create need not be told where that one is made.
                    raise datasets.taken(owner, name)
                if not dataset.deleted:
                    raise Conflict(
                        f"there is a dataset {owner}/{name} already", current=self._head(connection, dataset)
                    )
                dataset_id = dataset.id
            self._append(connection, dataset_id, document, by, public=not private)
            saved = self._saved(connection, dataset_id)
        self._publisher.publish(dataset_id)
        return self._reread(saved)

    def save(
        self,
        dataset: Dataset,
        change: Callable[[Document], Document],
        by: By,
        *,
        private: bool | None = None,
        base: Base = None,
    ) -> Saved:
        """Make a new revision of what the newest one says. One that would say the same is not made.

        :param change: gives the new document for the present one
        :param private: whether only those with a token may see it; ``None`` leaves that as it is
        :raises NotFound: it is deleted, or gone
        :raises Conflict: the head is none of those in ``base``
        """
        self._warm(dataset, "HEAD")
        with self.changing(dataset, base) as (connection, history):
            document = change(history.document(history.head()))
            hidden = history.dataset.private if private is None else private
            news = self._append(connection, dataset.id, document, by, public=not hidden)
            saved = self._saved(connection, dataset.id, created=news)
        return self._reread(saved)

    def delete(self, dataset: Dataset, by: By, *, base: Base = None) -> Entry:
        """Record that the dataset is gone. Nobody but those who may change it see this, as it is with a deleted one.

        :raises NotFound: it is deleted already
        :raises Conflict: the head is none of those in ``base``
        """
        with self.changing(dataset, base) as (connection, _):
            self._append(connection, dataset.id, None, by, public=False)
        with self.history(dataset, private=True) as history:
            return history.head()

    def revert(
        self,
        dataset: Dataset,
        ref: str,
        by: By,
        *,
        fields: Sequence[str] | None = None,
        resources: Sequence[str] | None = None,
        allow_private: bool = False,
        private: bool,
        base: Base = None,
    ) -> Saved:
        """Save what an older revision says again, or some of it. It brings a deleted dataset back.

        :param private: whether the caller may see private revisions
        :raises NotFound: there is no such revision, or the dataset is deleted there
        :raises Invalid: the revision is private and the dataset is not; there is no such field or resource
        """
        self._warm(dataset, ref)
        with self.changing(dataset, base, deleted=True, private=private) as (connection, history):
            old = history.resolve(ref)
            document = history.document(old)
            if not (old.public or history.dataset.private or allow_private):
                raise Invalid("revision", "it is private and the dataset is not; say so by allow_private")
            if fields is not None or resources is not None:
                now = history.document_or_empty(history.head())
                document = restore(now, document, fields=fields, resources=resources)
            message = by.message if by.message.strip() else f"Revert to revision {old.sha[:12]}"
            public = not history.dataset.private
            news = self._append(connection, dataset.id, document, By(by.author, by.user, message), public=public)
            saved = self._saved(connection, dataset.id, created=news)
        return self._reread(saved)

    # -- names -------------------------------------------------------------------------------------------------

    def move(self, dataset: Dataset, *, owner: str, name: str) -> Dataset:
        """Give a dataset another owner or name; its history goes along.

        :raises Conflict: the name is taken, or its history is made elsewhere
        """
        with self._database.write() as connection:
            datasets.check_is_made_here(now := datasets.get(connection, dataset.id))
            datasets.move(connection, now, owner, name)
            moved = datasets.get(connection, dataset.id)
        self._publisher.publish(dataset.id)
        return moved

    def purge(self, dataset: Dataset) -> None:
        """Destroy a dataset and its history."""
        with self._database.write() as connection:
            datasets.remove(connection, datasets.get(connection, dataset.id).id)
        self._publisher.publish(dataset.id)

    # -- one transaction ---------------------------------------------------------------------------------------

    @contextmanager
    def changing(
        self, dataset: Dataset, base: Base = None, *, deleted: bool = False, private: bool = True
    ) -> Iterator[tuple[sqlite3.Connection, History]]:
        """Be the only writer, on the dataset as it is now; publish when the block ends.

        :param deleted: whether it may be a deleted one
        :param private: whether the caller may see private revisions
        :raises Conflict: the head is none of those in ``base``, or its history is made elsewhere
        """
        with self._database.write() as connection:
            datasets.check_is_made_here(now := datasets.get(connection, dataset.id))
            if base is not None and now.head not in base:
                raise Conflict("there is a newer revision", current=self._head(connection, now))
            if now.deleted and not deleted:
                raise NotFound("dataset", now.full_name)
            yield connection, History(connection, self._backend, now, private=private)
        self._publisher.publish(dataset.id)

    def _warm(self, dataset: Dataset, ref: str) -> None:
        """Read a revision before others have to wait: it may have to be fetched from a Git host."""
        with suppress(NotFound, Invalid), self.history(dataset, private=True) as history:
            history.text(history.resolve(ref))

    def _append(
        self, connection: sqlite3.Connection, dataset_id: str, document: Document | None, by: By, *, public: bool
    ) -> bool:
        """Record a revision, unless it would say what the head says; whether it did."""
        ledger = Ledger(connection, dataset_id)
        not_before = ledger.head.timestamp if ledger.head else 0
        revision = self._recorded(ledger, document, by, public=public, timestamp=max(int(time.time()), not_before))
        if ledger.head and revision.sha == ledger.head.sha:
            # The first public one, within the second of the same as a private one.
            revision = self._recorded(ledger, document, by, public=public, timestamp=revision.timestamp + 1)
        news = document is None or ledger.is_news(revision)
        if news:
            ledger.append(revision, title=title_of(document))
        return news

    def _recorded(
        self, ledger: Ledger, document: Document | None, by: By, *, public: bool, timestamp: int
    ) -> RecordedRevision:
        return self._backend.record(
            ledger.dataset_id,
            document=document,
            author=by.author,
            message=by.message,
            timestamp=utc(timestamp),
            public=public,
            user=by.user,
            head=ledger.base(public=public),
        )

    def _saved(self, connection: sqlite3.Connection, dataset_id: str, *, created: bool = True) -> Saved:
        history = History(connection, self._backend, datasets.get(connection, dataset_id), private=True)
        entry = history.head()
        return Saved(history.dataset, entry, history.document(entry), created)

    def _reread(self, saved: Saved) -> Saved:
        """The same, with whether it is published by now."""
        with self.history(saved.dataset, private=True) as history:
            entry = history.resolve(saved.entry.sha)
        return Saved(saved.dataset, entry, saved.document, saved.created)

    def _head(self, connection: sqlite3.Connection, dataset: Dataset) -> Revision:
        return History(connection, self._backend, dataset, private=True).head().revision
