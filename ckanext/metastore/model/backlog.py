"""What there is to do for a whole portal, each in one query."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from ckan import model
from ckan.model import meta
from sqlalchemy import select

from ckanext.metastore.model.tables import dataset_table, repository_table, revision_table


def without_history(types: Collection[str], dataset_ids: Sequence[str] | None) -> Sequence[str]:
    """The ids of the datasets that have no revision yet. Drafts have none to come.

    :param types: the dataset types that are recorded
    :param dataset_ids: of these datasets only
    """
    package = model.Package
    begun = select(dataset_table.c.id).where((dataset_table.c.id == package.id) & dataset_table.c.head.is_not(None))
    query = select(package.id).where(package.type.in_(types), ~package.state.like("draft%"), ~begun.exists())
    if dataset_ids is not None:
        query = query.where(package.id.in_(dataset_ids))
    assert meta.engine is not None
    with meta.engine.connect() as connection:
        return connection.execute(query.order_by(package.id)).scalars().all()


def without_repository(host: str) -> frozenset[str]:
    """The ids of the datasets with something public to publish that have no repository at a Git host yet.

    :param host: its address
    """
    waits = revision_table.c.public & ~revision_table.c.published
    there = select(repository_table.c.dataset_id).where(
        (repository_table.c.dataset_id == revision_table.c.dataset_id) & (repository_table.c.host == host)
    )
    assert meta.engine is not None
    with meta.engine.connect() as connection:
        query = select(revision_table.c.dataset_id).where(waits, ~there.exists()).distinct()
        return frozenset(connection.execute(query).scalars())
