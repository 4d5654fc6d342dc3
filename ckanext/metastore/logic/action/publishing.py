"""What is published of a dataset, what waits, and what others have committed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import ckantoolkit as tk

from ckanext.metastore import checking, jobs, overview, pulling
from ckanext.metastore.core import MetastoreError
from ckanext.metastore.core.types import utc
from ckanext.metastore.logic import dictize, schema
from ckanext.metastore.logic.access import Context, ckan_errors, find_package, open_history
from ckanext.metastore.model import pulls, queries, repositories
from ckanext.metastore.model.pulls import Divergence
from ckanext.metastore.model.repositories import Failure


@tk.side_effect_free
def dataset_history_show(context: Context, data_dict: dict[str, Any]) -> dict[str, Any]:
    """Tell how long a dataset's history is, and what is published of it.

    :param id: the id or name of the dataset
    :type id: string
    :param publishing: tell what is published, too (optional, default: false)
    :type publishing: bool

    :returns: a dict with ``revisions``, how many there are, and ``publishing``, what ``dataset_publish`` would tell
        without publishing anything; None where it was not asked for, or is not for this user, who may only read
    :rtype: dict
    """
    params = schema.validate(data_dict, schema.history_show())
    history = open_history("dataset_history_show", context, params)
    told = params["publishing"] and history.private
    return {"revisions": history.count(), "publishing": _state(history.dataset_id) if told else None}


def dataset_publish(context: Context, data_dict: dict[str, Any]) -> dict[str, Any]:
    """Publish what waits of a dataset, and tell how that went.

    Each save is published by itself. This is for what could not be published then.

    :param id: the id or name of the dataset
    :type id: string

    :returns: a dict with ``published``, the id of the newest revision that is published, or None; ``waiting``, the ids
        of the revisions that are not, oldest first; ``waiting_tags``, the names of the tags that are not; ``error``,
        None or a dict with ``message``, ``timestamp`` (ISO 8601, UTC) and ``next_attempt``, the time from which CKAN's
        job queue tries again; and ``diverged``, None or a dict that says why a commit which somebody made at the Git
        host is not in CKAN: ``commit``, ``reason``, ``timestamp`` and ``clashes``, dicts with ``path``, ``base``,
        ``ours`` and ``theirs``
    :rtype: dict
    """
    params = schema.validate(data_dict, schema.dataset())
    history = open_history("dataset_publish", context, params)
    tk.check_access("dataset_publish", context, {"id": history.dataset_id})
    # Its reason is kept, and told below.
    with suppress(MetastoreError):
        pulling.publish(history.dataset_id, insist=True)
    state = _state(history.dataset_id)
    if state["waiting"] or state["waiting_tags"]:
        jobs.wake_later()
    return state


def _state(dataset_id: str) -> dict[str, Any]:
    published, waiting, tags = queries.publishing(dataset_id)
    failure = repositories.failure(dataset_id)
    error = _told(failure) if failure else None
    diverged = pulls.divergence(dataset_id)
    return {
        "published": published,
        "waiting": waiting,
        "waiting_tags": tags,
        "error": error,
        "diverged": _apart(diverged) if diverged else None,
    }


@tk.side_effect_free
def dataset_publishing_list(context: Context, data_dict: dict[str, Any]) -> list[dict[str, Any]]:
    """List the datasets that have something to publish or to pull; for sysadmins.

    :param state: only those that are in this state: ``diverged``, ``failed`` or ``waiting`` (optional)
    :type state: string
    :param limit: how many to list, from 1 to 100 (optional, default: 20)
    :type limit: int
    :param offset: how many to leave out first (optional, default: 0)
    :type offset: int

    :returns: a list of dicts with ``id``, ``name`` (None where the dataset is gone), ``state`` and ``publishing``, what
        ``dataset_publish`` would tell; what is worst comes first
    :rtype: list of dicts
    """
    tk.check_access("dataset_publishing_list", context, data_dict)
    params = schema.validate(data_dict, schema.publishing_list())
    return [
        {"id": row.id, "name": row.name, "state": row.state, "publishing": _state(row.id)}
        for row in overview.page(**params)
    ]


@tk.side_effect_free
def dataset_check(context: Context, data_dict: dict[str, Any]) -> list[dict[str, Any]]:
    """Look thoroughly whether all is well with a dataset, as ``ckan metastore check`` does; for sysadmins.

    :param id: the id or name of the dataset
    :type id: string

    :returns: a list of dicts with ``kind``, ``detail`` and ``remedy``; empty where all is well
    :rtype: list of dicts
    """
    tk.check_access("dataset_check", context, data_dict)
    params = schema.validate(data_dict, schema.dataset())
    package = find_package(params["id"])
    found = checking.Check(thorough=True).find([package.id])
    return [dictize.finding(finding) for finding in found]


def dataset_pull(context: Context, data_dict: dict[str, Any]) -> dict[str, Any]:
    """Bring into CKAN what somebody has committed to a dataset's branch at the Git host.

    It is saved as the account in ``ckanext.metastore.pull_user``, which must be allowed to do so. Whose the dataset is,
    who may see it and which files were uploaded is never taken from a commit.

    :param id: the id or name of the dataset
    :type id: string
    :param strategy: ``merge``: both sides' changes, field by field; where both have changed the same field, nothing is
        done, and the error's entry ``strategy`` names the fields. ``theirs``: the same, but such fields become what
        they are at the Git host. ``ours``: the dataset stays what it is in CKAN, and the commit is undone. Nothing is
        lost from the history either way (optional, default: ``merge``)
    :type strategy: string

    :returns: a dict with ``commit``, the id of the commit that came in, or None where there was none, and
        ``revision_id``, the dataset's newest revision
    :rtype: dict
    """
    params = schema.validate(data_dict, schema.pull())
    history = open_history("dataset_pull", context, params)
    tk.check_access("dataset_pull", context, {"id": history.dataset_id})
    with ckan_errors(), _divergence_told():
        pulled = pulling.pull(history.dataset_id, strategy=params["strategy"])
    return {"commit": pulled.sha, "revision_id": pulled.head}


@contextmanager
def _divergence_told() -> Iterator[None]:
    """Give the sentence, and what clashes as data, under the parameter that decides it."""
    try:
        yield
    except pulling.Diverged as error:
        clashes = [pulls.clash(clash) for clash in error.clashes]
        raise tk.ValidationError({"strategy": [str(error), *clashes]}) from error


def _apart(divergence: Divergence) -> dict[str, Any]:
    return {
        "commit": divergence.sha,
        "reason": divergence.reason,
        "timestamp": utc(divergence.noted_at).isoformat(),
        "clashes": divergence.clashes,
    }


def _told(failure: Failure) -> dict[str, Any]:
    return {
        "message": failure.error,
        "timestamp": utc(failure.failed_at).isoformat(),
        "next_attempt": None if failure.retry_at is None else utc(failure.retry_at).isoformat(),
    }
