"""What has happened lately in all datasets: what everybody could read when it was recorded, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing

from ckan import model
from sqlalchemy import select, true

from ckanext.metastore.model.queries import REVISION_COLUMNS, TAG_COLUMNS, Row
from ckanext.metastore.model.tables import dataset_table, revision_table, tag_table

_BATCH = 100


def datasets() -> Iterator[Row]:
    """The public datasets with public revisions: ``id``, ``name``, ``title``, ``type``; that with the newest first."""
    package = model.Package
    query = (
        select(package.id, package.name, package.title, package.type)
        .join_from(dataset_table, package, package.id == dataset_table.c.id)
        .where(package.state == model.State.ACTIVE, ~package.private, dataset_table.c.public_head.is_not(None))
        .order_by(dataset_table.c.public_time.desc(), dataset_table.c.id)
    )
    # All are many more than anybody asks for.
    with closing(model.Session.execute(query.execution_options(yield_per=_BATCH))) as rows:
        yield from rows


def revisions(dataset_ids: Sequence[str], *, limit: int) -> Sequence[Row]:
    """The newest public revisions of these datasets together, newest first."""
    mine = (revision_table.c.dataset_id == dataset_table.c.id) & revision_table.c.public
    newest = select(*REVISION_COLUMNS).where(mine).order_by(revision_table.c.public_seq.desc()).limit(limit).lateral()
    query = (
        select(newest)
        .join_from(dataset_table, newest, true())
        .where(dataset_table.c.id.in_(dataset_ids))
        .order_by(newest.c.timestamp.desc(), newest.c.dataset_id, newest.c.public_seq.desc())
        .limit(limit)
    )
    return model.Session.execute(query).all()


def tags(revisions: Sequence[Row]) -> Sequence[Row]:
    """The tags at these public revisions."""
    tag = tag_table.c
    here = tag.dataset_id.in_({row.dataset_id for row in revisions}) & tag.sha.in_([row.sha for row in revisions])
    shown = tag.public & tag.pending.is_distinct_from("delete")
    return model.Session.execute(select(*TAG_COLUMNS).where(here & shown)).all()
