"""``/dataset/<id>/version/<ref>/name``: forms that give a version a name, change it, and take it away."""

from __future__ import annotations

from typing import Any

import ckantoolkit as tk
from flask import Response, jsonify

from ckanext.metastore.logic.validators import metastore_tag_name
from ckanext.metastore.views.base import Dataset, aborting, blueprint, call
from ckanext.metastore.views.editing import dataset_to_edit, page, revision, texts, typed


@blueprint.route("/dataset/<id>/version/<ref>/name", methods=["GET", "POST"])
def name_version(id: str, ref: str) -> Any:
    """Give a version a name."""
    dataset = dataset_to_edit(id)
    version = revision(dataset, ref)
    data = typed("name", "description")
    if tk.request.method == "GET" or "check" in tk.request.form:
        return _form(dataset, version, data)
    try:
        tag = call("dataset_tag_create", id=dataset["id"], revision_ref=version["id"], **data)
    except tk.ValidationError as error:
        return _form(dataset, version, data, errors=texts(error))
    tk.h.flash_success(tk._("This version is called {name} now.").format(name=tag["name"]))
    return tk.redirect_to("metastore.version", id=dataset["name"], ref=tag["name"])


@blueprint.route("/dataset/<id>/version/<ref>/edit-name", methods=["GET", "POST"])
def edit_name(id: str, ref: str) -> Any:
    """Change a version's name, or its description."""
    dataset, tag = _named(id, ref)
    version = revision(dataset, tag["revision_id"])
    if tk.request.method == "GET":
        return _form(dataset, version, tag, tag=tag)
    data = typed("name", "description")
    if "check" in tk.request.form:
        return _form(dataset, version, data, tag=tag)
    try:
        changed = call("dataset_tag_update", id=dataset["id"], tag=tag["name"], **data)
    except tk.ValidationError as error:
        return _form(dataset, version, data, tag=tag, errors=texts(error))
    tk.h.flash_success(tk._("The name is saved."))
    return tk.redirect_to("metastore.version", id=dataset["name"], ref=changed["name"])


@blueprint.route("/dataset/<id>/version/<ref>/delete-name", methods=["GET", "POST"])
def delete_name(id: str, ref: str) -> Any:
    """Take a version's name away; asks first."""
    dataset, tag = _named(id, ref)
    if tk.request.method == "GET":
        return page("metastore/delete_name.html", dataset, tag=tag)
    with aborting():
        call("dataset_tag_delete", id=dataset["id"], tag=tag["name"])
    tk.h.flash_success(tk._("The name {name} is gone. The version itself stays.").format(name=tag["name"]))
    return tk.redirect_to("metastore.versions", id=dataset["name"])


@blueprint.route("/dataset/<id>/versions/check-name")
def check_name(id: str) -> Response:
    """Say of a name that is being typed whether it can be had."""
    dataset = dataset_to_edit(id)
    verdict = _verdict(dataset, tk.request.args.get("name", ""), tk.request.args.get("tag", ""))
    return jsonify(verdict)


def _named(dataset_id: str, name: str) -> tuple[Dataset, dict[str, Any]]:
    dataset = dataset_to_edit(dataset_id)
    with aborting():
        return dataset, call("dataset_tag_show", id=dataset["id"], tag=name)


def _form(
    dataset: Dataset, version: dict[str, Any], data: dict[str, Any], *, tag: dict[str, Any] | None = None, **more: Any
) -> str:
    old = tag["name"] if tag else ""
    verdict = _verdict(dataset, data["name"], old) if "check" in tk.request.form else None
    return page("metastore/name.html", dataset, version=version, data=data, tag=tag, verdict=verdict, **more)


def _verdict(dataset: Dataset, name: str, old: str) -> dict[str, Any]:
    """Whether a version can have this name.

    :param old: the name that it has now
    """
    try:
        metastore_tag_name(name)
    except tk.Invalid as error:
        return {"good": False, "text": error.error}
    taken = {tag["name"] for tag in call("dataset_tag_list", id=dataset["id"])} - {old}
    if name in taken:
        return {"good": False, "text": tk._("Another version has this name already")}
    return {"good": True, "text": tk._("This name can be used")}
