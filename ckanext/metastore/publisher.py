"""Step 4 of a save: what is recorded goes into the repository. Idempotent; whoever comes next finishes."""

from __future__ import annotations

from ckanext.metastore import config, profiles
from ckanext.metastore.core import Backend, Conflict, MetastoreError
from ckanext.metastore.core.types import TagUpdate
from ckanext.metastore.model import repositories, waiting
from ckanext.metastore.model.waiting import Waiting


def publish(dataset_id: str, *, purge: bool = False) -> None:
    """Replay all that waits for one dataset, oldest first, on a connection of its own.

    :param purge: the repositories may have to be destroyed first
    :raises MetastoreError: it cannot be done now; the rows stay, and the next call takes them up again
    """
    backend = config.backend()
    try:
        with waiting.take(dataset_id, patience=config.publish_timeout(), purge=purge) as work:
            _publish(backend, work)
            work.done(keep_private=not backend.keeps_private)
    except MetastoreError as error:
        repositories.note_failure(dataset_id, str(error))
        raise


def _publish(backend: Backend, work: Waiting) -> None:
    if work.purge:
        backend.purge(work.dataset_id)
    public = work.revisions[-1].public if work.revisions else None
    revisions = [revision for revision in work.revisions if revision.public or backend.keeps_private]
    tags = list(work.tags) if backend.keeps_private else [_at_host(tag) for tag in work.tags]
    if revisions or tags or public is False:
        profile = None if backend.keeps_private else profiles.newest(work.dataset_id, revisions)
        try:
            backend.publish(work.dataset_id, revisions=revisions, tags=tags, public=public, profile=profile)
        except Conflict:
            # The portal was on a backend that keeps nothing private: what is private there is in the rows only.
            if not (backend.keeps_private and (kept := work.kept())):
                raise
            backend.publish(work.dataset_id, revisions=[*kept, *revisions], tags=tags)


def _at_host(tag: TagUpdate) -> TagUpdate:
    """What a Git host is to do for a tag: the name of a private revision may be that of a public one, from before."""
    return tag if tag.public else TagUpdate(tag.name, True, None)
