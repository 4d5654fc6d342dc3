"""Names for revisions. A tag is a row first, within CKAN's transaction, and is published like a revision."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from ckan import model

from ckanext.metastore import authors, recorder
from ckanext.metastore.core import Conflict
from ckanext.metastore.core.record import record_tag
from ckanext.metastore.core.saying import N_
from ckanext.metastore.core.text import normalise_author, normalise_message
from ckanext.metastore.core.types import Tag, utc
from ckanext.metastore.history import History
from ckanext.metastore.model import queries
from ckanext.metastore.model.ledger import Ledger, author_of
from ckanext.metastore.model.queries import Row


def create(history: History, *, name: str, description: str, revision_ref: str, user: str) -> Row:
    """Name a revision.

    :param user: the name of the account that does so
    :raises Conflict: the tag exists
    :raises NotFound: there is no such revision
    """
    author, user_id, _name = authors.author(user)
    with _locked(history) as ledger:
        revision = history.resolve(revision_ref)
        _refuse_taken(history, name)
        now = utc(max(int(time.time()), revision.timestamp))
        tag = Tag(name, revision.sha, _text(description), normalise_author(author), now)
        _set(ledger, tag, public=revision.public, user_id=user_id)
    return queries.tag(history.dataset_id, name, private=True)


def update(history: History, tag: str, *, name: str | None, description: str | None) -> Row:
    """Rename a tag or describe it anew. It stays at its revision, and keeps its author and time.

    :param name: the new name; ``None`` keeps the old
    :param description: the new description; ``None`` keeps the old
    :raises Conflict: the new name is taken
    :raises NotFound: there is no such tag
    """
    with _locked(history) as ledger:
        old = history.tag(tag)
        new_name = old.name if name is None else name
        if new_name != old.name:
            _refuse_taken(history, new_name)
            ledger.delete_tag(old.name)
        text = old.description if description is None else _text(description)
        new = Tag(new_name, old.sha, text, author_of(old), utc(old.timestamp))
        _set(ledger, new, public=old.public, user_id=old.user_id)
    return queries.tag(history.dataset_id, new_name, private=True)


def delete(history: History, tag: str) -> None:
    """Take a name away; its revision stays.

    :raises NotFound: there is no such tag
    """
    with _locked(history) as ledger:
        ledger.delete_tag(history.tag(tag).name)


@contextmanager
def _locked(history: History) -> Iterator[Ledger]:
    """Hold the dataset's lock; then commit and publish, or give the lock back as if nothing had been."""
    session = model.Session()
    try:
        yield Ledger.lock(session, history.dataset_id)
        recorder.publish_later(session, history.dataset_id)
        session.commit()
    except Exception:
        session.rollback()
        raise


def _text(description: str) -> str:
    return normalise_message(description, field="description").rstrip("\n")


def _refuse_taken(history: History, name: str) -> None:
    """Tag names are unique across public and private revisions."""
    if queries.tag(history.dataset_id, name, private=True):
        raise Conflict(N_("a version named {name} exists already", name=name))


def _set(ledger: Ledger, tag: Tag, *, public: bool, user_id: str | None) -> None:
    obj = record_tag(
        name=tag.name,
        revision_id=tag.revision_id,
        author=tag.author,
        description=tag.description,
        timestamp=tag.timestamp,
    )
    ledger.set_tag(tag, obj=obj, public=public, user_id=user_id)
