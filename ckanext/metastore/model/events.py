"""The events of CKAN's sessions, told in the recorder's terms.

CKAN commits savepoints and the transaction itself through the same events, so each handler looks which it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol

from ckan import model
from ckan.model import meta
from sqlalchemy import event
from sqlalchemy.orm.attributes import get_history

Session = Any
"""A SQLAlchemy session of CKAN's, scoped or local."""


class Listener(Protocol):
    """What wants to know of CKAN's transactions."""

    def enabled(self) -> bool:
        """Whether to tell anything: CKAN's sessions outlive the plugin in tests."""

    def touched(self, session: Session, dataset_id: str, *, abandoned: bool) -> None:
        """A row of the dataset was written; ``abandoned`` where a draft was deleted."""

    def committing(self, session: Session) -> None:
        """The root transaction is about to be committed; everything is flushed."""

    def rolled_back(self, session: Session, *, savepoint: bool) -> None:
        """All was rolled back, or only what came after a savepoint."""

    def committed(self, session: Session) -> None:
        """The root transaction is committed. The session may not be used here."""

    def ended(self, session: Session) -> None:
        """The root transaction is over, and its connection given back. Must not raise."""


def install(listener: Listener) -> None:
    """Listen to CKAN's sessions; once, however often the plugin is loaded."""
    if getattr(meta, "_metastore_listens", False):
        return
    meta._metastore_listens = True  # type: ignore[attr-defined]
    handlers = _Handlers(listener)
    for name in ("after_flush", "before_commit", "after_soft_rollback", "after_commit", "after_transaction_end"):
        for target in (meta.Session, meta.create_local_session):
            event.listen(target, name, getattr(handlers, name))


class _Handlers:
    def __init__(self, listener: Listener) -> None:
        self._listener = listener

    def after_flush(self, session: Session, _context: Any) -> None:
        if not self._listener.enabled():
            return
        for obj in (*session.new, *session.dirty, *session.deleted):
            abandoned = isinstance(obj, model.Package) and obj.state == "deleted" and _was_draft(obj)
            for dataset_id in _datasets(obj):
                self._listener.touched(session, dataset_id, abandoned=abandoned)

    def before_commit(self, session: Session) -> None:
        if session.get_nested_transaction() is None and self._listener.enabled():
            session.flush()
            with _as_scoped(session):
                self._listener.committing(session)

    def after_soft_rollback(self, session: Session, previous: Any) -> None:
        self._listener.rolled_back(session, savepoint=previous.nested)

    def after_commit(self, session: Session) -> None:
        if session.get_nested_transaction() is None:
            self._listener.committed(session)

    def after_transaction_end(self, session: Session, transaction: Any) -> None:
        if transaction.parent is None:
            self._listener.ended(session)


@contextmanager
def _as_scoped(session: Session) -> Iterator[None]:
    """CKAN's actions read through the scoped session: let it be this one, so that they see what it is to commit."""
    registry = meta.Session.registry
    scoped = registry() if registry.has() else None
    registry.set(session)
    try:
        yield
    finally:
        registry.clear() if scoped is None else registry.set(scoped)


def _datasets(obj: Any) -> Iterator[str]:
    """The ids of the datasets that a row belongs to."""
    if isinstance(obj, model.Package):
        yield obj.id
    elif isinstance(obj, (model.Resource, model.PackageTag)) and obj.package_id:
        yield obj.package_id
    elif isinstance(obj, model.Member) and obj.table_name == "package" and obj.table_id:
        yield obj.table_id
    elif type(obj).__name__ == "PackageExtra":  # CKAN 2.11; a column of Package since
        yield obj.package_id


def _was_draft(package: model.Package) -> bool:
    return "draft" in get_history(package, "state").deleted
