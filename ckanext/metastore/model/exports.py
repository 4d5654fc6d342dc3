"""What an export asks of the tables."""

from __future__ import annotations

from ckan import model
from sqlalchemy import select

from ckanext.metastore.core.types import RecordedRevision, TagUpdate
from ckanext.metastore.model.tables import revision_table, tag_table
from ckanext.metastore.model.waiting import revision_of, tag_of


def recorded(dataset_id: str) -> tuple[list[RecordedRevision], list[TagUpdate]]:
    """The revisions and tags whose bytes are here: what waits, and what is private and a Git host never gets."""
    revisions = select(revision_table).where(
        (revision_table.c.dataset_id == dataset_id) & revision_table.c.objects.is_not(None)
    )
    tags = select(tag_table).where(
        (tag_table.c.dataset_id == dataset_id) & (tag_table.c.object.is_not(None) | tag_table.c.pending.is_not(None))
    )
    session = model.Session()
    rows = session.execute(revisions.order_by(revision_table.c.seq)).all()
    tag_rows = session.execute(tags.order_by(tag_table.c.pending.desc(), tag_table.c.name)).all()
    return [revision_of(row) for row in rows], [tag_of(row) for row in tag_rows]
