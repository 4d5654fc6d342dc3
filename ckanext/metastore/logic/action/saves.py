"""CKAN's own writers, which learn to say why, and on what base. What they save is recorded by the session's events."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import ckantoolkit as tk
from ckan import model

from ckanext.metastore import intent, recorder
from ckanext.metastore.logic import schema
from ckanext.metastore.logic.access import Context, may_update
from ckanext.metastore.logic.action.chain import chained, without_ours
from ckanext.metastore.model import queries
from ckanext.metastore.translating import _

_MESSAGE_HELP = """
With ckanext-metastore, every save becomes a revision:

:param revision_message: what changed and why, at most 10,000 characters (optional)
"""

_BASE_HELP = """\
:param base_revision: the id of the revision that this change started from; the save fails with a validation error
    that names the newer revision, its author and time, unless it is still the head (optional)

The result has the ``revision_id`` of the dataset's head. Where the revision that was made is not published yet, it has
``revision_published``, which is false, and ``revision_error``, if that is because of an error.
"""

DATASET_SAVES = {
    "create": ["package_create"],
    "update": ["package_update", "package_owner_org_update"],
    "delete": ["package_delete"],
}
"""Those that save the dataset which they name. Most others end in one of them."""

PART_SAVES = {
    "create": ["resource_create"],
    "update": ["resource_update", "package_revise", "package_resource_reorder"],
    "patch": ["package_patch", "resource_patch"],
    "delete": ["resource_delete"],
}
"""Those that save one dataset by ``package_update``."""

OTHER_SAVES = {
    "create": ["member_create", "group_create"],
    "update": ["group_update"],
    "patch": ["group_patch"],
    "delete": [
        "dataset_purge",
        "member_delete",
        "group_delete",
        "group_purge",
        "organization_delete",
        "organization_purge",
    ],
}
"""Those that touch datasets too: chained so that the user and the message are known when CKAN commits."""

BULK_SAVES = {"update": ["bulk_update_private", "bulk_update_public", "bulk_update_delete"]}
"""Those that name many datasets at once."""


def actions() -> dict[str, Any]:
    """The chained actions, by name."""
    with_base = _MESSAGE_HELP + _BASE_HELP
    kinds = (
        (DATASET_SAVES, _save_dataset, with_base),
        (PART_SAVES, _save_part, with_base),
        (OTHER_SAVES, _save_others, _MESSAGE_HELP),
        (BULK_SAVES, _save_bulk, _MESSAGE_HELP),
    )
    return {
        name: _chain(verb, name, save, text)
        for verbs, save, text in kinds
        for verb, names in verbs.items()
        for name in names
    }


def _chain(verb: str, name: str, save: Callable[..., Any], text: str) -> Any:
    def action(next_action: Any, context: Context, data_dict: dict[str, Any]) -> Any:
        return save(next_action, context, data_dict)

    action.__doc__ = text
    return chained(verb, name)(action)


def _save(next_action: Any, context: Context, data_dict: dict[str, Any]) -> Any:
    """Hold the caller's intent while CKAN's action runs."""
    params = schema.validate(data_dict, schema.save())
    with intent.saving(context.get("user") or "", **_given(params)):
        try:
            return next_action(context, without_ours(data_dict))
        except KeyError as error:
            # resource_delete looks for errors of resources in any validation error.
            if isinstance(error.__context__, tk.ValidationError):
                raise error.__context__ from None
            raise


def _save_part(next_action: Any, context: Context, data_dict: dict[str, Any]) -> Any:
    """The same for a part of a dataset, or by way of ``package_update``: the dataset's head is in the result."""
    outermost = not intent.active()
    with intent.saving(context.get("user") or "") as meant:
        result = _save(next_action, context, data_dict)
    if outermost and isinstance(result, dict) and not result.keys() & {"package", "revision_id"}:
        id_or_name = result.get("package_id") or result["id"]
        revision_id = meant.saved.get(id_or_name) or _head(id_or_name)
        return {**result, "revision_id": revision_id, **meant.outcome(id_or_name)}
    return result


def _head(id_or_name: str) -> str | None:
    package = model.Package.get(id_or_name)
    return queries.heads(package.id)[0] if package else None


def _save_others(next_action: Any, context: Context, data_dict: dict[str, Any]) -> Any:
    """The same for what is no save of one dataset, so that it has no base."""
    if data_dict.get("base_revision"):
        raise tk.ValidationError({"base_revision": [_("Is the base of one dataset's save: leave it out here")]})
    return _save(next_action, context, data_dict)


def _save_bulk(next_action: Any, context: Context, data_dict: dict[str, Any]) -> Any:
    """The same for many datasets. CKAN 2.11 writes them by SQL, past the session's events, so they are named here."""

    def touching(context: Context, data_dict: dict[str, Any]) -> Any:
        for dataset_id in data_dict.get("datasets") or []:
            recorder.touched(model.Session(), dataset_id, abandoned=False)
        return next_action(context, data_dict)

    by_sql = not tk.check_ckan_version(min_version="2.12.0a0")
    return _save_others(touching if by_sql else next_action, context, data_dict)


def _save_dataset(next_action: Any, context: Context, data_dict: dict[str, Any]) -> Any:
    """The same for a whole dataset: its base is checked before CKAN does anything, and its head is in the result."""
    params = schema.validate(data_dict, schema.save())
    if not intent.active() and isinstance(data_dict.get("id"), str):
        # As package_patch and its like begin: CKAN writes rows in no particular order, so that two saves can deadlock.
        # It is held, as a session forgets what nobody holds, and CKAN would have to ask for it again.
        _package = model.Package.get(data_dict["id"], for_update=True)
    with intent.saving(context.get("user") or "", **_given(params)) as meant, _conflicts_undone():
        _check_early(meant, context, data_dict)
        result = next_action(context, without_ours(data_dict))
    if isinstance(result, dict) and not context.get("defer_commit"):
        result["revision_id"] = meant.saved.get(result["id"]) or queries.heads(result["id"])[0]
        result |= meant.outcome(result["id"])
    return result


def _given(params: dict[str, Any]) -> dict[str, Any]:
    return {"message": params.get("revision_message") or "", "base_revision": params.get("base_revision")}


def _check_early(meant: intent.Intent, context: Context, data_dict: dict[str, Any]) -> None:
    """Refuse a stale base at once. Whoever may not update the dataset learns nothing: CKAN refuses them by itself."""
    id_or_name = data_dict.get("id")
    package = model.Package.get(id_or_name) if meant.base_revision and isinstance(id_or_name, str) else None
    if package and meant.expect(package.id) != queries.heads(package.id)[0] and may_update(context, package.id):
        raise recorder.conflict(package.id)


@contextmanager
def _conflicts_undone() -> Iterator[None]:
    """Give back the locks of a save that is refused. CKAN may be half done: until we lock, somebody can save first."""
    try:
        yield
    except tk.ValidationError as error:
        if "base_revision" in error.error_dict:
            model.Session.rollback()
        raise
