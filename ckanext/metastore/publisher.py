"""Step 6 of a save: what is recorded goes into the repository. Idempotent; whoever comes next finishes."""

from __future__ import annotations

from ckanext.metastore import config, profiles
from ckanext.metastore.core import Backend, Conflict, MetastoreError, RateLimited, Unauthorized, Unavailable
from ckanext.metastore.core.types import TagUpdate, utc
from ckanext.metastore.model import hosts, pulls, repositories, waiting
from ckanext.metastore.model.hosts import Trouble
from ckanext.metastore.model.waiting import Busy, Waiting

OF_THE_HOST = (RateLimited, Unauthorized, Unavailable)
"""What one dataset meets, others may, too."""


class Paused(RateLimited):
    """The Git host is left alone for some time."""

    def __init__(self, trouble: Trouble) -> None:
        until = utc(trouble.paused_until).isoformat()
        super().__init__(f"{trouble.error}; nothing is sent before {until}", retry_after=trouble.pause)
        self.until = trouble.paused_until


def publish(
    dataset_id: str, *, purge: bool = False, patience: float | None = None, insist: bool = False, claimed: bool = False
) -> None:
    """Replay all that waits for one dataset, oldest first, on a connection of its own.

    :param purge: the repositories may have to be destroyed first
    :param patience: seconds to wait for another publisher of this dataset; by default those of the configuration
    :param insist: try it also while the Git host is left alone
    :param claimed: it is this dataset's turn in the job queue
    :raises MetastoreError: it cannot be done now; the rows stay, and the next call takes them up again
    """
    backend, host = config.backend(), config.host()
    patience = config.publish_timeout() if patience is None else patience
    try:
        with waiting.take(dataset_id, patience=patience, purge=purge, host=host) as work:
            if work.trouble and work.trouble.pause and not insist:
                raise Paused(work.trouble)
            sent = _publish(backend, work)
            work.done(keep_private=not backend.keeps_private)
    except Busy:
        raise
    except Paused as error:
        repositories.note_pause(dataset_id, str(error), until=error.until)
        raise
    except Exception as error:
        _note_failure(dataset_id, error, claimed=claimed)
        raise
    if host and work.trouble and sent:
        hosts.note_answer(host)


def _note_failure(dataset_id: str, error: Exception, *, claimed: bool) -> None:
    expected = isinstance(error, MetastoreError)
    said = str(error) if expected else f"an unexpected error, {type(error).__name__}; the log says more"
    retry_after = error.retry_after if isinstance(error, RateLimited) else 0.0
    repositories.note_failure(dataset_id, said, retry_after=retry_after, claimed=claimed)
    if isinstance(error, Conflict) and config.pull_user():
        pulls.want(dataset_id)
    note_host(dataset_id, error)


def note_host(dataset_id: str, error: Exception) -> None:
    """Note what the Git host said, where others may meet that, too: it is left alone for some time."""
    host = config.host()
    if host and isinstance(error, OF_THE_HOST):
        retry_after = error.retry_after if isinstance(error, RateLimited) else 0.0
        hosts.note_failure(host, dataset_id, str(error), retry_after=retry_after)


def _publish(backend: Backend, work: Waiting) -> bool:
    """Hand all to the backend; whether there was anything that the Git host had to take."""
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
    return bool(work.purge or revisions or tags)


def _at_host(tag: TagUpdate) -> TagUpdate:
    """What a Git host is to do for a tag: the name of a private revision may be that of a public one, from before."""
    return tag if tag.public else TagUpdate(tag.name, True, None)
