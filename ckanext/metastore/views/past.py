"""``/dataset/<id>/version/<ref>``: the pages of a dataset and its resources as they were."""

from __future__ import annotations

from inspect import signature
from typing import Any

import ckantoolkit as tk
from ckan.lib.plugins import lookup_package_plugin

from ckanext.metastore import presenting
from ckanext.metastore.views.base import aborting, blueprint, call, dataset_or_abort


@blueprint.route("/dataset/<id>/version/<ref>")
def version(id: str, ref: str) -> str:
    """The dataset's page as it was."""
    shown = _shown(id, ref)
    template = _template("read_template", shown["dataset_type"])
    return tk.render("metastore/version.html", {**shown, "base_template": template})


@blueprint.route("/dataset/<id>/version/<ref>/resource/<resource_id>")
def version_resource(id: str, ref: str, resource_id: str) -> str:
    """A resource's page as it was."""
    shown = _shown(id, ref)
    found = next((each for each in shown["pkg_dict"]["resources"] if each["id"] == resource_id), None)
    if found is None:
        return tk.abort(404, tk._("This version of the dataset has no such resource"))
    template = _template("resource_template", shown["dataset_type"])
    views: dict[str, Any] = {"resource_views": [], "current_resource_view": None}
    return tk.render(
        "metastore/version_resource.html",
        {**shown, **views, "base_template": template, "package": shown["pkg_dict"], "resource": found},
    )


def _template(kind: str, dataset_type: str) -> str:
    """The page that this type of dataset has now; not every plugin asks for the type."""
    find = getattr(lookup_package_plugin(dataset_type), kind)
    return str(find(dataset_type) if signature(find).parameters else find())


def _shown(dataset_id: str, ref: str) -> dict[str, Any]:
    now = dataset_or_abort(dataset_id)
    with aborting():
        shown = call("dataset_revision_show", id=now["id"], revision_ref=ref)
        then = call("package_show", id=now["id"], revision_ref=shown["id"])
    fit = presenting.presentable(then, now)
    return {
        "pkg_dict": fit,
        "dataset_type": now["type"],
        "am_following": False,
        "now": now,
        "ref": ref,
        "version": shown,
        "gone": presenting.gone(fit, now),
        "files": presenting.files(fit, now),
    }
