"""``/dataset/<id>/version/<ref>/restore``: what going back would change, and then going back."""

from __future__ import annotations

from typing import Any

import ckantoolkit as tk

from ckanext.metastore.comparison import sections
from ckanext.metastore.core.restore import KEPT_FIELDS
from ckanext.metastore.labels import field_label, place
from ckanext.metastore.views.base import Dataset, aborting, blueprint, call
from ckanext.metastore.views.editing import dataset_to_edit, page, revision, texts, typed


@blueprint.route("/dataset/<id>/version/<ref>/restore", methods=["GET", "POST"])
def restore(id: str, ref: str) -> Any:
    """Preview with ``GET``, of all or of what is picked; restore with ``POST``."""
    dataset = dataset_to_edit(id)
    version = revision(dataset, ref)
    asked = _asked()
    if tk.request.method == "GET" or tk.request.form.get("head") != dataset["revision_id"]:
        moved = tk.request.method == "POST"
        return _preview(dataset, version, asked, moved=moved)
    message = typed("revision_message")["revision_message"]
    try:
        restored = call("dataset_revert", to_revision_ref=version["id"], revision_message=_why(message, ref), **asked)
    except tk.ValidationError as error:
        return _preview(dataset, version, asked, errors=texts(error))
    tk.h.flash_success(tk._("Restored. This is the new version."))
    for warning in restored["warnings"]:
        tk.h.flash_notice(tk._("Not restored: {what}").format(what=warning))
    return tk.redirect_to("metastore.version", id=restored["name"], ref=restored["revision_id"])


def _why(message: str, ref: str) -> str:
    return message.strip() or f"Revert to {ref}"


def _asked() -> dict[str, Any]:
    """What is to be restored, as ``dataset_revert`` takes it."""
    given = tk.request.values
    asked: dict[str, Any] = {"id": tk.request.view_args["id"]}
    if given.get("what") == "parts":
        picked = {kind: given.getlist(kind) for kind in ("fields", "resources")}
        asked |= {kind: names for kind, names in picked.items() if names}
    if given.get("allow_private"):
        asked["allow_private"] = True
    return asked


def _preview(
    dataset: Dataset, version: dict[str, Any], asked: dict[str, Any], *, errors: Any = None, moved: bool = False
) -> str:
    parts = tk.request.values.get("what") == "parts"
    with aborting():
        then = call("package_show", id=dataset["id"], revision_ref=version["id"])
    errors = errors or {}
    whole, planned = None, None
    try:
        whole = _plan(dataset, version, {"allow_private": asked.get("allow_private", False)})
        nothing = parts and not asked.keys() & {"fields", "resources"}
        planned = {"changes": [], "warnings": []} if nothing else _plan(dataset, version, asked)
    except tk.ValidationError as error:
        errors = {**texts(error), **errors}
    changes = planned["changes"] if planned else []
    return page(
        "metastore/restore.html",
        dataset,
        version=version,
        ref=tk.request.view_args["ref"],
        choices=_choices(whole["changes"], dataset, then) if whole else [],
        asked=asked,
        parts=parts,
        changes=changes,
        sections=sections(changes, dataset, then),
        warnings=planned["warnings"] if planned else [],
        message=tk.request.form.get("revision_message", ""),
        errors=errors,
        moved=moved,
    )


def _plan(dataset: Dataset, version: dict[str, Any], asked: dict[str, Any]) -> dict[str, Any]:
    params = {**asked, "id": dataset["id"], "to_revision_ref": version["id"], "dry_run": True}
    plan: dict[str, Any] = call("dataset_revert", **params)
    return plan


def _choices(changes: list[dict[str, Any]], now: Dataset, then: Dataset) -> list[dict[str, str]]:
    """The fields and resources that differ, as tick boxes."""
    fields = {change["path"][0] for change in changes if not _of_resource(change)} - set(KEPT_FIELDS)
    ids = dict.fromkeys(change["path"][1] for change in changes if _of_resource(change))
    names = {item["id"]: item.get("name") for dataset in (then, now) for item in dataset["resources"]}
    kind = now["type"]
    ticks = [{"kind": "fields", "value": name, "label": field_label(name, kind)} for name in fields - {"resources"}]
    ticks.sort(key=lambda tick: place(tick["value"], kind))
    unnamed = tk._("Unnamed resource")
    return ticks + [{"kind": "resources", "value": each, "label": names.get(each) or unnamed} for each in ids]


def _of_resource(change: dict[str, Any]) -> bool:
    return change["path"][0] == "resources" and len(change["path"]) > 1
