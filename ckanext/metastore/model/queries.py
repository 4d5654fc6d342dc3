"""Reading: the index of a dataset's revisions and tags. Every query here is answered from an index.

``private`` says whether the reader may see revisions that were recorded while the dataset was not public. Without
it, nothing that is returned tells that there are any.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Sequence
from typing import Any

from ckan import model
from sqlalchemy import Column, select
from sqlalchemy.sql import Select

from ckanext.metastore.model.tables import dataset_table, revision_table, tag_table

Row = Any
"""A named tuple with the columns of ``revision_table`` (without ``objects``) or ``tag_table``."""

REVISION_COLUMNS = [column for column in revision_table.c if column.name != "objects"]
"""All but the bytes."""

TAG_COLUMNS = [column for column in tag_table.c if column.name != "object"]


def can_be(text: str) -> bool:
    """Whether any row may hold this text: PostgreSQL takes neither NUL nor surrogates, not even to look for them."""
    return "\0" not in text and not any("\ud800" <= character <= "\udfff" for character in text)


def heads(dataset_id: str) -> tuple[str | None, str | None]:
    """The shas of the newest revision of all and of the newest public one."""
    query = select(dataset_table.c.head, dataset_table.c.public_head).where(dataset_table.c.id == dataset_id)
    row = model.Session.execute(query).one_or_none()
    return (row.head, row.public_head) if row else (None, None)


def newest(dataset_id: str, *, private: bool, until: int | None = None) -> Row | None:
    """The newest revision, or the newest that was there at a time in seconds since 1970-01-01 UTC."""
    query = _revisions(dataset_id, private=private)
    if until is not None:
        query = query.where(revision_table.c.timestamp <= until).order_by(revision_table.c.timestamp.desc())
    return model.Session.execute(query.order_by(_place(private).desc()).limit(1)).one_or_none()


def by_prefix(dataset_id: str, prefix: str, *, private: bool) -> Sequence[Row]:
    """At most two revisions whose sha begins so: one is the answer, two are ambiguous."""
    query = _revisions(dataset_id, private=private)
    return model.Session.execute(query.where(revision_table.c.sha.like(f"{prefix}%")).limit(2)).all()


def page(dataset_id: str, *, private: bool, limit: int, offset: int, oldest_first: bool = False) -> Sequence[Row]:
    """A page of revisions. Places have no gaps, so that an offset is a place in the index."""
    if oldest_first:
        query = _revisions(dataset_id, private=private).where(_place(private) > offset)
        return model.Session.execute(query.order_by(_place(private)).limit(limit)).all()
    last = select(dataset_table.c.seq if private else dataset_table.c.public_seq)
    last_place = last.where(dataset_table.c.id == dataset_id).scalar_subquery()
    query = _revisions(dataset_id, private=private).where(_place(private) <= last_place - offset)
    return model.Session.execute(query.order_by(_place(private).desc()).limit(limit)).all()


def count(dataset_id: str, *, private: bool) -> int:
    """How many revisions there are: the place of the newest."""
    column = dataset_table.c.seq if private else dataset_table.c.public_seq
    return model.Session.execute(select(column).where(dataset_table.c.id == dataset_id)).scalar() or 0


def objects(dataset_id: str, seq: int) -> bytes | None:
    """The bytes of the objects that a revision adds, or None where the repository has them."""
    mine = (revision_table.c.dataset_id == dataset_id) & (revision_table.c.seq == seq)
    packed = model.Session.execute(select(revision_table.c.objects).where(mine)).scalar_one_or_none()
    return None if packed is None else bytes(packed)


def publishing(dataset_id: str) -> tuple[str | None, list[str], list[str]]:
    """The newest revision that is published, those that wait, oldest first, and the names of the tags that wait."""
    mine = revision_table.c.dataset_id == dataset_id
    shas = select(revision_table.c.sha).where(mine).order_by(revision_table.c.seq)
    waiting = model.Session.execute(shas.where(~revision_table.c.published)).scalars().all()
    newest_first = select(revision_table.c.sha).where(mine & revision_table.c.published)
    published = model.Session.execute(newest_first.order_by(revision_table.c.seq.desc()).limit(1)).scalar()
    names = select(tag_table.c.name).where((tag_table.c.dataset_id == dataset_id) & tag_table.c.pending.is_not(None))
    return published, list(waiting), list(model.Session.execute(names.order_by(tag_table.c.name)).scalars())


def published(dataset_id: str) -> str | None:
    """The newest public revision that is published."""
    query = select(revision_table.c.sha).where(revision_table.c.dataset_id == dataset_id)
    query = query.where(revision_table.c.public & revision_table.c.published)
    return model.Session.execute(query.order_by(revision_table.c.public_seq.desc()).limit(1)).scalar()


def tags(dataset_id: str, *, private: bool, shas: Sequence[str] | None = None) -> Sequence[Row]:
    """The tags, newest first; only those at the given revisions, where any are given."""
    query = _tags(dataset_id, private=private)
    if shas is not None:
        query = query.where(tag_table.c.sha.in_(shas))
    return model.Session.execute(query.order_by(tag_table.c.timestamp.desc(), tag_table.c.name)).all()


def tag(dataset_id: str, name: str, *, private: bool) -> Row | None:
    """The tag of that name; names are kept in NFC."""
    if not can_be(name):
        return None
    query = _tags(dataset_id, private=private).where(tag_table.c.name == unicodedata.normalize("NFC", name))
    return model.Session.execute(query).one_or_none()


def accounts(user_ids: Collection[str]) -> dict[str, str]:
    """The names of accounts, by id; of those that are still there."""
    query = select(model.User.id, model.User.name).where(model.User.id.in_(user_ids), model.User.state == "active")
    return {row.id: row.name for row in model.Session.execute(query)}


def _revisions(dataset_id: str, *, private: bool) -> Select[Any]:
    query = select(*REVISION_COLUMNS).where(revision_table.c.dataset_id == dataset_id)
    return query if private else query.where(revision_table.c.public)


def _place(private: bool) -> Column[Any]:
    return revision_table.c.seq if private else revision_table.c.public_seq


def _tags(dataset_id: str, *, private: bool) -> Select[Any]:
    here = (tag_table.c.dataset_id == dataset_id) & (tag_table.c.pending.is_distinct_from("delete"))
    query = select(*TAG_COLUMNS).where(here)
    return query if private else query.where(tag_table.c.public)
