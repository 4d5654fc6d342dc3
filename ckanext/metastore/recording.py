"""How a dataset becomes its next revision: what saves, backfills and pulls share, so that they see the same dataset.

Rows in CKAN's own transaction, under the dataset's lock; no network and no repository.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import ckantoolkit as tk
from ckan.lib.plugins import get_permission_labels

from ckanext.metastore import config, impartial, intent, mapper
from ckanext.metastore.core import Author, Conflict
from ckanext.metastore.core.diff import same
from ckanext.metastore.core.record import document_sha
from ckanext.metastore.core.types import Document, Head, RecordedRevision, Theirs, utc
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


def join(ledger: Ledger, state: State, theirs: Theirs, document: Document) -> str | None:
    """Record somebody's commit as a revision; and a second one on top, unless that commit says what the dataset is.

    Where revisions were made that their commit does not build on, the second one has both for its parents. In the
    tables their commit has the time at which it came in: its own may be anything.

    :param document: what ``datapackage.json`` says in their commit
    :returns: the sha of the head then; None where somebody else has brought it in, and there is nothing to record
    :raises Conflict: the dataset is not public
    :raises Invalid: it cannot be stored
    """
    ours, known = ledger.public_head, ledger.knows(theirs.head.sha)
    if ours is None or not (state.public and ledger.head_is_public):
        raise Conflict("the dataset is not public: nothing is pulled into it")
    if known and not theirs.lost:
        revision = append(ledger, state)
        return revision.sha if revision else None
    head = replace(theirs.head, timestamp=max(state.timestamp, ours.timestamp))
    apart = ours.sha != theirs.base
    second = next_revision(ledger, state, head=head, joins=ours.sha if apart else None)
    if not known:  # the branch may have been moved back to one that is
        ledger.adopt(_as_recorded(theirs, head), document=document_sha(second.tree) or "")
    if not apart and same(document, state.document):
        return head.sha
    ledger.append(second, user_id=state.author[1])
    return second.sha


def _as_recorded(theirs: Theirs, head: Head) -> RecordedRevision:
    return RecordedRevision(
        sha=head.sha,
        parents=theirs.parents,
        tree=head.tree,
        author=theirs.author,
        message=theirs.message,
        timestamp=head.timestamp,
        public=True,
        objects=(),
    )


def next_revision(
    ledger: Ledger, state: State, *, head: Head | None = None, joins: str | None = None
) -> RecordedRevision:
    """The revision that a state would be after the head; nothing is written.

    :param head: what it is to follow instead
    :param joins: a second parent
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
        head=head or (ledger.public_head if state.public else ledger.head),
        joins=joins,
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
    return ledger.head_document != document_sha(revision.tree)


def _portable(dataset: Dataset) -> Dataset:
    """The dict with the addresses of uploads that are the same for all: CKAN puts the language into them."""
    resources = [
        {**resource, "url": config.download_url(dataset, resource)}
        if resource.get("url_type") == "upload"
        else resource
        for resource in dataset["resources"]
    ]
    return {**dataset, "resources": resources}
