"""A history for a dataset that was there before the plugin, in one transaction: all of it, or nothing.

It takes the dataset's lock, as a save does, and holds no row of CKAN's. So saves go on meanwhile: one of the same
dataset waits, and builds on it, or was first, and then there is nothing to do.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ckan import model

from ckanext.metastore import authors, config, recording
from ckanext.metastore.activities import Past, not_in_the_future
from ckanext.metastore.core import Invalid
from ckanext.metastore.model.ledger import Ledger, Session, reload_package
from ckanext.metastore.recording import State

_ALONE = "Add to the metastore"
_AFTER_ACTIVITIES = "Add what no activity tells"


@dataclass(frozen=True)
class Outcome:
    """What became of a dataset.

    :param revisions: how many it has now; none where there was nothing to do
    :param unreadable: how many of its activities could not be understood
    """

    revisions: int = 0
    unreadable: int = 0


def backfill(dataset_id: str, *, from_activities: bool) -> Outcome:
    """Begin a dataset's history, unless it has begun. It is not published yet.

    :param from_activities: with what CKAN's activities tell of its past
    :raises Invalid: what the dataset is now cannot be stored
    """
    session = model.Session()
    try:
        ledger = Ledger.lock(session, dataset_id)
        package = reload_package(session, dataset_id)
        if not _is_due(ledger, package):
            return Outcome()
        unreadable = _past(session, ledger, package) if from_activities else 0
        _present(session, ledger, package)
        session.commit()
        return Outcome(ledger.seq, unreadable)
    finally:
        session.rollback()
        model.Session.remove()


def _is_due(ledger: Ledger, package: Any) -> bool:
    """Whether the history is still to begin, now that the dataset is locked."""
    if ledger.head or package is None or package.type not in config.dataset_types():
        return False
    return not package.state.startswith("draft")


def _past(session: Session, ledger: Ledger, package: Any) -> int:
    """Record what the activities tell, oldest first; gives how many could not be understood.

    What is not public now stays private as a whole: a backfill does not give out what somebody has withdrawn.
    """
    past = Past(session, ledger.dataset_id, withheld=not recording.is_public(package))
    unstorable = 0
    for state in past.states():
        try:
            recording.append(ledger, state)
        except Invalid:
            unstorable += 1
    return past.unreadable + unstorable


def _present(session: Session, ledger: Ledger, package: Any) -> None:
    """Record what the dataset is, where that is news. It has been so since CKAN says that it was last modified.

    By whom is not known: the site says it. The time is one that stands in CKAN, so that whoever does this again, as
    after a backup was restored, makes the same revision.
    """
    state = State(
        document=recording.to_document(recording.show(session, ledger.dataset_id)),
        public=recording.is_public(package),
        author=authors.author(""),
        message=_AFTER_ACTIVITIES if ledger.head else _ALONE,
        timestamp=not_in_the_future(package.metadata_modified),
    )
    recording.append(ledger, state)
