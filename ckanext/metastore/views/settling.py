"""``/dataset/<id>/versions/settle``: which side counts, where portal and Git host have diverged."""

from __future__ import annotations

from typing import Any

import ckantoolkit as tk

from ckanext.metastore import conflicts
from ckanext.metastore.views.base import aborting, blueprint, call
from ckanext.metastore.views.editing import Errors, dataset_to_edit, page, texts


@blueprint.route("/dataset/<id>/versions/settle", methods=["GET", "POST"])
def settle(id: str) -> Any:
    """Both sides, field by field; an editor decides."""
    dataset = dataset_to_edit(id)
    errors: Errors = {}
    if tk.request.method == "POST":
        try:
            call("dataset_pull", id=dataset["id"], strategy=tk.request.form.get("strategy", "merge"))
        except tk.ValidationError as error:
            errors = texts(error)
        else:
            tk.h.flash_success(tk._("Both sides are joined."))
            return tk.redirect_to("metastore.versions", id=dataset["name"])
    with aborting():
        publishing = call("dataset_history_show", id=dataset["id"], publishing=True)["publishing"]
    diverged = publishing["diverged"]
    clashes = [conflicts.in_words(clash, dataset["type"]) for clash in (diverged["clashes"] if diverged else ())]
    return page("metastore/settle.html", dataset, publishing=publishing, clashes=clashes, errors=errors)
