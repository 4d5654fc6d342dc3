"""What a dataset is becomes its next revision: what a save and a backfill share, so that they see the same dataset.

Rows in CKAN's own transaction, under the dataset's lock; no network and no repository.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import ckantoolkit as tk
from ckan.lib.plugins import get_permission_labels

from ckanext.metastore import config, impartial, intent, mapper
from ckanext.metastore.core import Author
from ckanext.metastore.core.record import document_sha
from ckanext.metastore.core.types import Document, RecordedRevision, utc
from ckanext.metastore.model.ledger import Ledger, Session

Dataset = dict[str, Any]
"""A dataset as ``package_show`` gives it."""


@dataclass(frozen=True)
class State:
    """A dataset at one time, and who made it so.

    :param author: as :func:`ckanext.metastore.authors.author` gives it
    :param message: the revision's message; empty for the default
    :param timestamp: seconds since 1970-01-01 UTC
    """

    document: Document
    public: bool
    author: tuple[Author, str | None, str]
    message: str
    timestamp: int


def append(ledger: Ledger, state: State) -> RecordedRevision | None:
    """Record a state as the dataset's next revision, at no earlier time than the one before.

    :returns: the revision; None where neither the document nor who may read it is another than at the head
    :raises Invalid: it cannot be stored
    """
    revision = next_revision(ledger, state)
    if not is_news(ledger, revision):
        return None
    _, user_id, _ = state.author
    ledger.append(revision, user_id=user_id)
    return revision


def next_revision(ledger: Ledger, state: State) -> RecordedRevision:
    """The revision that a state would be after the head; nothing is written.

    :raises Invalid: it cannot be stored
    """
    author, _, user = state.author
    return config.backend().record(
        ledger.dataset_id,
        document=state.document,
        author=author,
        message=state.message,
        timestamp=utc(max(state.timestamp, ledger.head.timestamp if ledger.head else 0)),
        public=state.public,
        user=user,
        head=ledger.public_head if state.public else ledger.head,
    )


def to_document(dataset: Dataset) -> Document:
    """The document of a dataset, with addresses that do not depend on the editor's language."""
    return mapper.to_document(_portable(dataset))


def is_public(package: Any) -> bool:
    """Whether everybody may see the dataset now, by the labels that CKAN or a plugin gives it."""
    return "public" in get_permission_labels().get_dataset_labels(package)


def show(session: Session, dataset_id: str) -> Dataset:
    """CKAN's own dict of the dataset, from the database, as the site itself sees it."""
    context = {
        "session": session,
        "user": config.site_id(),
        "ignore_auth": True,
        "use_cache": False,
    }
    with intent.saving(user=""), impartial.nobody_asks():
        return tk.get_action("package_show")(context, {"id": dataset_id})


def is_news(ledger: Ledger, revision: RecordedRevision) -> bool:
    """Whether the document, or who may read it, is another than at the head."""
    if ledger.head is None or ledger.head_is_public != revision.public:
        return True
    return document_sha(ledger.head.tree) != document_sha(revision.tree)


def _portable(dataset: Dataset) -> Dataset:
    """The dict with the addresses of uploads that are the same for all: CKAN puts the language into them."""
    resources = [
        {**resource, "url": config.download_url(dataset, resource)}
        if resource.get("url_type") == "upload"
        else resource
        for resource in dataset["resources"]
    ]
    return {**dataset, "resources": resources}
