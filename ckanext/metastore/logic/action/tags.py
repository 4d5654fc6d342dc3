"""Named versions of a dataset: annotated tags on its revisions."""

from __future__ import annotations

from typing import Any

import ckantoolkit as tk

from ckanext.metastore import tagging
from ckanext.metastore.logic import dictize, schema
from ckanext.metastore.logic.access import Context, ckan_errors, open_history


@tk.side_effect_free
def dataset_tag_list(context: Context, data_dict: dict[str, Any]) -> list[dict[str, Any]]:
    """List the named versions of a dataset, newest first.

    :param id: the id or name of the dataset
    :type id: string

    :returns: a list of dicts with ``name``, ``revision_id``, ``description``, ``author`` and ``timestamp`` (ISO 8601,
        UTC)
    :rtype: list of dicts
    """
    params = schema.validate(data_dict, schema.dataset())
    return [dictize.tag(row) for row in open_history("dataset_tag_list", context, params).tags()]


@tk.side_effect_free
def dataset_tag_show(context: Context, data_dict: dict[str, Any]) -> dict[str, Any]:
    """Show one named version of a dataset.

    :param id: the id or name of the dataset
    :type id: string
    :param tag: the tag's name
    :type tag: string

    :returns: a dict as in ``dataset_tag_list``
    :rtype: dict
    """
    params = schema.validate(data_dict, schema.tag())
    history = open_history("dataset_tag_show", context, params)
    with ckan_errors():
        return dictize.tag(history.tag(params["tag"]))


def dataset_tag_create(context: Context, data_dict: dict[str, Any]) -> dict[str, Any]:
    """Name a revision of a dataset.

    :param id: the id or name of the dataset
    :type id: string
    :param name: the tag's name: one that Git takes, without ``/``, of at most 200 bytes, such as ``v1.0``
    :type name: string
    :param description: what this version is (optional)
    :type description: string
    :param revision_ref: ``HEAD``, a tag, or the first 7 or more digits of a revision id (optional, default: ``HEAD``)
    :type revision_ref: string

    :returns: the tag, a dict as in ``dataset_tag_list``
    :rtype: dict
    """
    params = schema.validate(data_dict, schema.tag_create())
    history = open_history("dataset_tag_create", context, params)
    with ckan_errors():
        tag = tagging.create(
            history,
            name=params["name"],
            description=params["description"],
            revision_ref=params["revision_ref"],
            user=context.get("user") or "",
        )
    return dictize.tag(tag)


def dataset_tag_update(context: Context, data_dict: dict[str, Any]) -> dict[str, Any]:
    """Rename a named version of a dataset, or describe it anew. It stays at its revision.

    :param id: the id or name of the dataset
    :type id: string
    :param tag: the tag's name now
    :type tag: string
    :param name: its new name (optional)
    :type name: string
    :param description: its new description (optional)
    :type description: string

    :returns: the tag, a dict as in ``dataset_tag_list``
    :rtype: dict
    """
    params = schema.validate(data_dict, schema.tag_update())
    history = open_history("dataset_tag_update", context, params)
    with ckan_errors():
        name, description = params.get("name"), params.get("description")
        return dictize.tag(tagging.update(history, params["tag"], name=name, description=description))


def dataset_tag_delete(context: Context, data_dict: dict[str, Any]) -> None:
    """Take a name away from a revision of a dataset. The revision stays.

    :param id: the id or name of the dataset
    :type id: string
    :param tag: the tag's name
    :type tag: string
    """
    params = schema.validate(data_dict, schema.tag())
    history = open_history("dataset_tag_delete", context, params)
    with ckan_errors():
        tagging.delete(history, params["tag"])
