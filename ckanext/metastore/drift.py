"""What passed by the recorder: changes by SQL, and while the plugin was off."""

from __future__ import annotations

from ckan import model

from ckanext.metastore import config, intent, recorder
from ckanext.metastore.model.ledger import Ledger, reload_package


def is_unrecorded(dataset_id: str) -> bool:
    """Whether CKAN's dataset is another than the head says: written by SQL, or while the plugin was off.

    Looked at under the dataset's lock, which is given back.
    """
    session = model.Session()
    try:
        package = reload_package(session, dataset_id)
        if package is None:
            return False
        ledger = Ledger.lock(session, dataset_id)
        package = reload_package(session, dataset_id)
        author = config.site_author()
        now = recorder.next_revision(session, ledger, package, None, message="", author=author, user="")
        return recorder.is_news(ledger, now)
    finally:
        session.rollback()


def record_now(dataset_id: str, message: str) -> None:
    """Record what passed by the events, in the site's name, and publish it."""
    session = model.Session()
    session.rollback()
    with intent.saving(user="", message=message):
        recorder.touched(session, dataset_id, abandoned=False)
        session.commit()
