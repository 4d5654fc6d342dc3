"""The datasets that have something to publish or to pull, the worst first: counted, and a page of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ckan import model
from ckan.model import meta
from sqlalchemy import case, func, select, union
from sqlalchemy.sql import Subquery

from ckanext.metastore.model.queries import Row
from ckanext.metastore.model.tables import dataset_table, pull_table, repository_table, revision_table, tag_table


def counts() -> dict[str, int]:
    """How many datasets are ``diverged``, ``failed`` or ``waiting``; what none is is left out."""
    found = _found()
    query = select(found.c.state, func.count().label("number")).group_by(found.c.state)
    return {row.state: row.number for row in _all(query)}


def page(*, states: Sequence[str], limit: int, offset: int) -> Sequence[Row]:
    """Some of them: ``id``, ``name`` and ``state``. A dataset that is gone has no name.

    :param states: those that are asked for, in this order
    """
    found = _found()
    order = case({state: place for place, state in enumerate(states)}, value=found.c.state)
    query = select(found).where(found.c.state.in_(states)).order_by(order, found.c.name, found.c.id)
    return _all(query.limit(limit).offset(offset))


def _found() -> Subquery:
    ids = union(
        select(revision_table.c.dataset_id.label("id")).where(~revision_table.c.published),
        select(tag_table.c.dataset_id).where(tag_table.c.pending.is_not(None)),
        select(dataset_table.c.id).where(dataset_table.c.purging),
        select(pull_table.c.dataset_id),
    ).subquery()
    package, repository = model.package_table.c, repository_table.c
    state = case(
        (pull_table.c.reason.is_not(None), "diverged"), (repository.error.is_not(None), "failed"), else_="waiting"
    )
    return (
        select(ids.c.id, package.name, state.label("state"))
        .select_from(ids)
        .outerjoin(model.package_table, package.id == ids.c.id)
        .outerjoin(repository_table, repository.dataset_id == ids.c.id)
        .outerjoin(pull_table, pull_table.c.dataset_id == ids.c.id)
        .subquery()
    )


def _all(query: Any) -> Sequence[Row]:
    assert meta.engine is not None
    with meta.engine.connect() as connection:
        return connection.execute(query).all()
