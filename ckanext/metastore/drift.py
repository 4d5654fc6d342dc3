"""What passed by the recorder: changes by SQL, and while the plugin was off."""

from __future__ import annotations

import time

from ckan import model

from ckanext.metastore import config, intent, recorder, recording
from ckanext.metastore.model.ledger import Ledger, reload_package
from ckanext.metastore.recording import State


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
        now = State(
            document=recording.to_document(recording.show(session, dataset_id)),
            public=recording.is_public(package),
            author=(config.site_author(), None, ""),
            message="",
            timestamp=int(time.time()),
        )
        return recording.is_news(ledger, recording.next_revision(ledger, now))
    finally:
        session.rollback()


def record_now(dataset_id: str, message: str) -> None:
    """Record what passed by the events, in the site's name, and publish it."""
    session = model.Session()
    session.rollback()
    with intent.saving(user="", message=message):
        recorder.touched(session, dataset_id, abandoned=False)
        session.commit()
