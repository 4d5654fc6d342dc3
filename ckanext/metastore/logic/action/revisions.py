"""Looking at a dataset's history, and going back in it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import ckantoolkit as tk

from ckanext.metastore import comparing, reverting
from ckanext.metastore.history import History, commit_urls
from ckanext.metastore.logic import dictize, schema
from ckanext.metastore.logic.access import Context, ckan_errors, find_revision, open_history
from ckanext.metastore.model.queries import Row
from ckanext.metastore.translating import _


@tk.side_effect_free
def dataset_revision_list(context: Context, data_dict: dict[str, Any]) -> list[dict[str, Any]]:
    """List the revisions of a dataset.

    Revisions that were recorded while the dataset was not public are listed for those who may update it.

    :param id: the id or name of the dataset
    :type id: string
    :param limit: how many to list, from 1 to 100 (optional, default: 20)
    :type limit: int
    :param offset: how many to leave out first (optional, default: 0)
    :type offset: int
    :param oldest_first: begin with the oldest, and not with the newest (optional, default: false)
    :type oldest_first: bool
    :param details: tell more of each revision: ``url``, ``origin`` and ``user``, as ``dataset_revision_show`` does;
        ``previous``, the id of the revision that is listed after it, or None; and ``changes``, what ``revision_diff``
        tells of these two, None where there is no previous one, or one of the two cannot be read now (optional,
        default: false)
    :type details: bool

    :returns: a list of dicts with ``id``, ``timestamp`` (ISO 8601, UTC), ``author``, ``message``, ``parents``, ``tags``
        and ``published`` (false while the revision is not in the repository yet)
    :rtype: list of dicts
    """
    params = schema.validate(data_dict, schema.revision_list())
    history = open_history("dataset_revision_list", context, params)
    limit, details, oldest_first = params["limit"], params["details"], params["oldest_first"]
    if details and oldest_first:
        raise tk.ValidationError({"details": [_("Not together with oldest_first")]})
    # Details are told of a revision and the one before it.
    rows = history.page(limit=limit + details, offset=params["offset"], oldest_first=oldest_first)
    listed = rows[:limit]
    revisions = dictize.revisions(listed, history.tags(listed))
    return _detailed(history, rows, revisions) if details else revisions


def _detailed(history: History, rows: Sequence[Row], revisions: list[dict[str, Any]]) -> list[dict[str, Any]]:
    more = dictize.details(rows, commit_urls(history.dataset_id, rows), comparing.steps(history, rows))
    return [{**revision, **details} for revision, details in zip(revisions, more, strict=False)]


@tk.side_effect_free
def dataset_revision_show(context: Context, data_dict: dict[str, Any]) -> dict[str, Any]:
    """Show one revision of a dataset. Give either ``revision_ref`` or ``as_of``.

    :param id: the id or name of the dataset
    :type id: string
    :param revision_ref: ``HEAD``, a tag, or the first 7 or more digits of a revision id
    :type revision_ref: string
    :param as_of: an ISO 8601 time, UTC where it names no zone: the revision that was the newest then
    :type as_of: string

    :returns: a dict as in ``dataset_revision_list``, and more: ``origin``, whose change it is: a ``user``'s, that of
        one who is ``gone``, the ``site``'s own, as a harvester's are, or one from ``elsewhere``; ``user``, the name of
        the account, None where it is gone, or where commits do not tell it; and ``url``: the commit's page, or None
        where there is none
    :rtype: dict
    """
    params = schema.validate(data_dict, schema.revision_show())
    history = open_history("dataset_revision_show", context, params)
    with ckan_errors():
        row = find_revision(history, params)
    (shown,) = dictize.revisions([row], history.tags([row]))
    return {**shown, **dictize.whose(row), "url": commit_urls(history.dataset_id, [row]).get(row.sha)}


@tk.side_effect_free
def revision_diff(context: Context, data_dict: dict[str, Any]) -> Any:
    """Compare two revisions of a dataset.

    :param id: the id or name of the dataset
    :type id: string
    :param revision_ref_a: the older: ``HEAD``, a tag, or the first 7 or more digits of a revision id
    :type revision_ref_a: string
    :param revision_ref_b: the newer (optional, default: ``HEAD``)
    :type revision_ref_b: string
    :param format: ``changes``: the dataset's fields, resources matched by id; ``json_patch``: what turns the one
        dataset into the other (RFC 6902); ``unified``: the text of ``datapackage.json`` (optional, default:
        ``changes``)
    :type format: string

    :returns: a list of dicts with ``kind`` (``added``, ``removed``, ``changed`` or ``moved``), ``path`` (a list),
        ``old`` and ``new``; or a list of JSON Patch operations; or a text
    """
    params = schema.validate(data_dict, schema.revision_diff())
    history = open_history("revision_diff", context, params)
    with ckan_errors():
        a = history.resolve(params["revision_ref_a"], field="revision_ref_a")
        b = history.resolve(params["revision_ref_b"], field="revision_ref_b")
        compared = comparing.FORMATS[params["format"]](history, a, b)
    return [dictize.change(change) for change in compared] if params["format"] == "changes" else compared


def dataset_revert(context: Context, data_dict: dict[str, Any]) -> dict[str, Any]:
    """Make a dataset what it was at a revision, as a new revision.

    Its id, name, owner_org, private, state, creator and dates stay. What cannot be restored is named in ``warnings``.

    :param id: the id or name of the dataset
    :type id: string
    :param to_revision_ref: ``HEAD``, a tag, or the first 7 or more digits of a revision id
    :type to_revision_ref: string
    :param revision_message: why (optional)
    :type revision_message: string
    :param fields: restore only these fields of the dataset (optional)
    :type fields: list of strings
    :param resources: restore only the resources with these ids (optional)
    :type resources: list of strings
    :param dry_run: change nothing; the answer has ``changes``, as ``revision_diff`` gives them (optional, default:
        false)
    :type dry_run: bool
    :param allow_private: allow a public dataset to go back to a revision that was not public (optional, default:
        false)
    :type allow_private: bool

    :returns: the dataset, with ``revision_id`` and ``warnings``, a list of texts
    :rtype: dict
    """
    params = schema.validate(data_dict, schema.revert())
    history = open_history("dataset_revert", context, params)
    who = {"user": context.get("user"), "ignore_auth": context.get("ignore_auth", False)}
    with ckan_errors():
        plan = reverting.plan(history, params, who)
    if params["dry_run"]:
        changes = [dictize.change(change) for change in plan.changes]
        return {"id": history.dataset_id, "changes": changes, "warnings": plan.warnings}
    dataset = reverting.carry_out(plan, who)
    return {**dataset, "warnings": plan.warnings}
