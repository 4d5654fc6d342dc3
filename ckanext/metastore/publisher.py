"""Step 4 of a save: what is recorded goes into the repository. Idempotent; whoever comes next finishes."""

from __future__ import annotations

from ckanext.metastore import config
from ckanext.metastore.model import waiting


def publish(dataset_id: str, *, purge: bool = False) -> None:
    """Replay all that waits for one dataset, oldest first, on a connection of its own.

    :param purge: the repositories may have to be destroyed first
    :raises MetastoreError: it cannot be done now; the rows stay, and the next call takes them up again
    """
    backend = config.backend()
    with waiting.take(dataset_id, purge=purge) as work:
        if work.purge:
            backend.purge(dataset_id)
        if work.revisions or work.tags:
            backend.publish(dataset_id, revisions=work.revisions, tags=work.tags)
        work.done()
