"""``/dataset/<id>/versions``: the history of a dataset, two of its versions side by side, and each as it was."""

from __future__ import annotations

import ckantoolkit as tk
from flask import Blueprint

from ckanext.metastore.views.base import dataset_or_abort

blueprint = Blueprint("metastore", __name__)


@blueprint.route("/dataset/<id>/versions")
def versions(id: str) -> str:
    """The list of versions."""
    dataset = dataset_or_abort(id)
    return tk.render("metastore/versions.html", {"pkg_dict": dataset})


@blueprint.route("/dataset/<id>/versions/compare")
def compare(id: str) -> str:
    """Two versions side by side: ``a``, the older, and ``b``, the newer (default: ``HEAD``)."""
    dataset = dataset_or_abort(id)
    return tk.render("metastore/compare.html", {"pkg_dict": dataset})


@blueprint.route("/dataset/<id>/version/<ref>")
def version(id: str, ref: str) -> str:
    """The dataset's page as it was."""
    dataset = dataset_or_abort(id, revision_ref=ref)
    return tk.render("metastore/version.html", {"pkg_dict": dataset})


@blueprint.route("/dataset/<id>/version/<ref>/resource/<resource_id>")
def version_resource(id: str, ref: str, resource_id: str) -> str:
    """A resource's page as it was."""
    dataset = dataset_or_abort(id, revision_ref=ref)
    return tk.render("metastore/version_resource.html", {"pkg_dict": dataset})
