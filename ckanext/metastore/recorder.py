"""Step 2 of a save: every dataset that a transaction touched becomes a revision, before CKAN commits it.

No network and no repository here: it reads and writes rows in CKAN's own transaction. Where this fails, the save
fails; where the save is rolled back, so is this. The module is the listener that ``model/events.py`` tells.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, field
from typing import Any

import ckan.logic
import ckantoolkit as tk
from ckan import model
from ckan.plugins import plugin_loaded

from ckanext.metastore import authors, config, impartial, intent, jobs, publisher, recording
from ckanext.metastore.core import Invalid, MetastoreError
from ckanext.metastore.core.types import utc
from ckanext.metastore.intent import Intent
from ckanext.metastore.model import due, queries
from ckanext.metastore.model.ledger import Ledger, Session, reload_package
from ckanext.metastore.recording import Dataset, State
from ckanext.metastore.translating import _, translated

log = logging.getLogger(__name__)

_INDEX_SHOWS_ALL = hasattr(ckan.logic, "package_show_default_and_custom_schemas")

_KEY = "ckanext.metastore"


@dataclass
class Unit:
    """One transaction's business with the metastore; it lives on the session until the transaction ends.

    :param intents: the datasets whose rows were written, and what was meant by it
    :param abandoned: drafts that were deleted; they never became active
    :param ledgers: the locks that this transaction holds
    :param shown: the dicts that CKAN built for its search index under a lock, not written to since
    :param to_publish: dataset id -> whether its repositories may have to be purged first
    """

    intents: dict[str, Intent] = field(default_factory=dict)
    abandoned: set[str] = field(default_factory=set)
    ledgers: dict[str, Ledger] = field(default_factory=dict)
    shown: dict[str, Dataset] = field(default_factory=dict)
    to_publish: dict[str, bool] = field(default_factory=dict)

    def lock(self, session: Session, dataset_id: str) -> Ledger:
        """The dataset's ledger; taken now, unless this transaction holds it already."""
        if dataset_id not in self.ledgers:
            self.ledgers[dataset_id] = Ledger.lock(session, dataset_id)
        return self.ledgers[dataset_id]


def unit(session: Session) -> Unit:
    """What the session's transaction has touched so far."""
    found: Unit = session.info.setdefault(_KEY, Unit())
    return found


# -- told by the plugin's hooks -------------------------------------------------------------------------------------


def before_index(context: Any, dataset_id: str) -> None:
    """Take the dataset's lock before CKAN builds the dict for its search index, so that this dict can be recorded.

    :raises toolkit.ValidationError: the base revision of the save under way is no longer the head
    """
    session = model.Session()
    if context.get("defer_commit") or not _has_history(session, dataset_id):
        return
    session.flush()
    check_base(unit(session).lock(session, dataset_id), intent.current())
    reload_package(session, dataset_id)


def before_delete(dataset_id: str) -> None:
    """The same before CKAN deletes the dataset. CKAN's row is locked first, as in every other save: or two deadlock."""
    session = model.Session()
    reload_package(session, dataset_id, lock=True)
    before_index({}, dataset_id)


def after_show(context: Any, dataset: Dataset) -> None:
    """Keep the dict that CKAN has just built from the database for its search index, if it was built under the lock.

    From CKAN 2.12 on, only there is a dict shown that was neither cached nor validated by ``package_show`` itself. CKAN
    2.11 shows one that is not validated at all: there the recorder asks for a dict of its own, and so it does where
    other plugins have a say in what is shown, as they may show an editor more, or in the editor's language.
    """
    for_index = context.get("validate", True) is False and context.get("use_cache", True) is False
    if _INDEX_SHOWS_ALL and for_index and not impartial.others_change_what_is_shown():
        work = unit(model.Session())
        if dataset.get("id") in work.ledgers:
            work.shown[dataset["id"]] = dataset


def publish_later(session: Session, dataset_id: str) -> None:
    """Publish the dataset once the session's transaction is committed."""
    unit(session).to_publish.setdefault(dataset_id, False)


# -- told by the session's events -----------------------------------------------------------------------------------


def enabled() -> bool:
    """Whether the plugin is loaded."""
    return bool(plugin_loaded("metastore"))


def touched(session: Session, dataset_id: str, *, abandoned: bool) -> None:
    """Note a dataset whose rows were written; what was shown of it before is stale."""
    work, meant = unit(session), intent.current()
    if meant.user or dataset_id not in work.intents:
        work.intents[dataset_id] = meant
    work.shown.pop(dataset_id, None)
    if abandoned:
        work.abandoned.add(dataset_id)


def committing(session: Session) -> None:
    """Record every dataset that the transaction touched, in the order of their ids."""
    work = unit(session)
    for dataset_id in sorted(work.intents):
        _record(session, work, dataset_id)
    work.intents.clear()


def rolled_back(session: Session, *, savepoint: bool) -> None:
    """Forget all, or only the locks and dicts that went with a savepoint: its datasets stay candidates."""
    if savepoint:
        unit(session).ledgers.clear()
        unit(session).shown.clear()
    else:
        session.info.pop(_KEY, None)


def committed(session: Session) -> None:
    """Keep what is to be published; the locks are gone."""
    session.info[_KEY] = Unit(to_publish=unit(session).to_publish)


def ended(session: Session) -> None:
    """Publish what was committed, or have it published. The change is saved: nothing is raised here."""
    work: Unit = session.info.pop(_KEY, None) or Unit()
    if not work.to_publish:
        return
    meant = intent.current() if intent.active() else Intent()
    try:
        at_once = _at_once(work.to_publish) if config.publishes_in_background() else work.to_publish
        _publish(at_once, meant)
        if later := work.to_publish.keys() - at_once:
            jobs.wake(later)
        for dataset_id in later:
            meant.note_published(dataset_id, waits=True)
    except Exception:
        log.exception("What was saved is recorded, but not published yet")


def _at_once(to_publish: dict[str, bool]) -> dict[str, bool]:
    """What waits for no worker: at a Git host, a dataset that may have to be hidden."""
    hiding = set() if config.backend().keeps_private else due.hiding(to_publish)
    return {dataset_id: purge for dataset_id, purge in to_publish.items() if dataset_id in hiding}


def _publish(to_publish: dict[str, bool], meant: Intent) -> None:
    errors = {dataset_id: _try_to_publish(dataset_id, purge) for dataset_id, purge in to_publish.items()}
    for dataset_id, error in errors.items():
        meant.note_published(dataset_id, waits=bool(error), error=error)
    if any(errors.values()):
        jobs.wake_later()


def _try_to_publish(dataset_id: str, purge: bool) -> str:
    """Publish; give the reason why it cannot be done now."""
    try:
        publisher.publish(dataset_id, purge=purge)
    except MetastoreError as error:
        log.warning("Dataset %s is saved and recorded, but not published yet: %s", dataset_id, error)
        return str(error)
    except Exception:
        log.exception("Dataset %s is saved and recorded, but not published yet", dataset_id)
        return "an unexpected error; CKAN's log says more"
    return ""


# -- the work itself ------------------------------------------------------------------------------------------------


def check_base(ledger: Ledger, meant: Intent) -> None:
    """Compare the head with the revision that the save started from, if it named one.

    :raises toolkit.ValidationError: it is another; ``base_revision`` says which, by whom and when
    """
    head = ledger.head.sha if ledger.head else None
    expected = meant.expect(ledger.dataset_id)
    if expected is not None and expected != head:
        raise conflict(ledger.dataset_id)


def conflict(dataset_id: str) -> Exception:
    """The error for a save that did not start from the head: a sentence, and the same as data."""
    newer = queries.newest(dataset_id, private=True)
    if newer is None:
        return tk.ValidationError({"base_revision": [_("The dataset has no revision yet: leave base_revision out")]})
    when = utc(newer.timestamp).isoformat()
    sentence = _("{author} saved revision {id} at {time}: start from that one")
    sentence = sentence.format(author=newer.author_name, id=newer.sha, time=when)
    return tk.ValidationError(
        {"base_revision": [sentence, {"id": newer.sha, "author": newer.author_name, "timestamp": when}]}
    )


def _record(session: Session, work: Unit, dataset_id: str) -> None:
    if not _has_history(session, dataset_id):
        return
    ledger = work.lock(session, dataset_id)
    dataset = work.shown.get(dataset_id)
    package = session.get(model.Package, dataset_id) if dataset else reload_package(session, dataset_id)
    if package is None:
        _forget(work, ledger)
    elif ledger.head or not (dataset_id in work.abandoned or package.state.startswith("draft")):
        check_base(ledger, work.intents[dataset_id])
        _record_package(session, work, ledger, package, dataset)
    elif said := work.intents[dataset_id].message:
        ledger.keep_message(said)


def _has_history(session: Session, dataset_id: str) -> bool:
    """Whether the dataset's type is one of those recorded. One that was purged may have been."""
    package = session.get(model.Package, dataset_id)
    return package is None or package.type in config.dataset_types()


def _record_package(session: Session, work: Unit, ledger: Ledger, package: Any, dataset: Dataset | None) -> None:
    meant = work.intents[ledger.dataset_id]
    state = State(
        document=recording.to_document(dataset or recording.show(session, ledger.dataset_id)),
        public=recording.is_public(package),
        author=authors.author(meant.user),
        message=meant.message or ledger.message,
        timestamp=int(time.time()),
    )
    try:
        sha = _append(ledger, state, meant)
    except Invalid as error:
        raise tk.ValidationError({error.field: [translated(error.reason)]}) from error
    if sha is not None:
        meant.note(ledger.dataset_id, sha)
        work.to_publish[ledger.dataset_id] = ledger.purging


def _append(ledger: Ledger, state: State, meant: Intent) -> str | None:
    joined = meant.joins.pop(ledger.dataset_id, None)
    if joined is not None:
        return recording.join(ledger, state, *joined)
    revision = recording.append(ledger, state)
    return revision.sha if revision else None


def _forget(work: Unit, ledger: Ledger) -> None:
    """The dataset was purged: its history goes with it."""
    if ledger.head:
        ledger.forget()
        work.to_publish[ledger.dataset_id] = True
    elif not ledger.purging:
        ledger.drop()
