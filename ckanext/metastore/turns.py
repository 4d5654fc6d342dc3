"""A turn of CKAN's job queue: it does whatever is due, one dataset after the other, for some seconds.

If more is due then, it queues up again behind CKAN's other jobs.
"""

from __future__ import annotations

import logging
import time

from ckanext.metastore import config, jobs, publisher, pulling
from ckanext.metastore.core import MetastoreError
from ckanext.metastore.model import due, pulls, repositories
from ckanext.metastore.model.waiting import Busy

log = logging.getLogger(__name__)

_PATIENCE = 0.1


def turn() -> None:
    """Do what is due. This is the job."""
    end = time.monotonic() + jobs.SECONDS
    for round_ in (_publish_some, _pull_some):
        while not jobs.paused_until() and round_(end):
            pass
    jobs.wake_later()


def _publish_some(end: float) -> bool:
    """Publish some of what is due; whether there may be more to do now."""
    found = False
    for dataset_id in due.now(jobs.BATCH):
        if time.monotonic() > end:
            return False
        if due.claim(dataset_id, jobs.timeout()):
            _publish(dataset_id)
            found = True
        if found and jobs.paused_until():
            return False
    return found


def _publish(dataset_id: str) -> None:
    try:
        publisher.publish(dataset_id, purge=True, patience=_PATIENCE, claimed=True)
    except Busy:
        repositories.put_off(dataset_id, config.publish_timeout())
    except MetastoreError as error:
        log.warning("Dataset %s is not published yet: %s", dataset_id, error)
    except Exception:
        log.exception("Dataset %s is not published yet", dataset_id)


def _pull_some(end: float) -> bool:
    """Pull some of what others have committed; whether there may be more to do now."""
    found = False
    for dataset_id in pulls.due(jobs.BATCH):
        if time.monotonic() > end:
            return False
        if pulls.claim(dataset_id, jobs.timeout()):
            _pull(dataset_id)
            found = True
    return found


def _pull(dataset_id: str) -> None:
    try:
        pulling.pull(dataset_id)
    except Busy as error:
        log.info("Dataset %s is pulled later: %s", dataset_id, error)
    except MetastoreError as error:
        log.warning("Dataset %s: %s", dataset_id, error)
        publisher.note_host(dataset_id, error)
    except Exception:
        log.exception("Dataset %s: what was committed at the Git host could not be pulled", dataset_id)
