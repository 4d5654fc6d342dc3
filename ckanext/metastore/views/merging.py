"""``POST /dataset/<id>/versions/merge``: the edit form again, with what was typed and what others have saved since."""

from __future__ import annotations

import re
from typing import Any

import ckantoolkit as tk
from ckan.lib.navl.dictization_functions import DataError, unflatten
from ckan.logic import clean_dict, parse_params, tuplize_dict
from ckan.views.dataset import EditView
from ckan.views.resource import CreateView as ResourceCreateView
from ckan.views.resource import EditView as ResourceEditView

from ckanext.metastore import conflicts, schemas
from ckanext.metastore.views.base import aborting, blueprint, call
from ckanext.metastore.views.editing import dataset_to_edit

Fields = dict[str, Any]

_PICK = re.compile("metastore_pick-([0-9]{1,4})")


@blueprint.route("/dataset/<id>/versions/merge", methods=["POST"])
def merge(id: str) -> Any:
    """The dataset's form."""
    dataset = dataset_to_edit(id)
    fields = _joined(dataset, "")
    tk.g.form_action = tk.h.url_for(f"{dataset['type']}.edit", id=dataset["name"])
    return EditView().get(dataset["type"], dataset["id"], fields, {}, {})


@blueprint.route("/dataset/<id>/versions/merge/<resource_id>", methods=["POST"])
def merge_resource(id: str, resource_id: str) -> Any:
    """A resource's form."""
    dataset = dataset_to_edit(id)
    if _is_gone(dataset, resource_id):
        return _gone(dataset, resource_id)
    fields = _joined(dataset, resource_id)
    if file := conflicts.chosen_file():
        text = tk._("The file {name} could not be kept: choose it again below before you save.")
        tk.h.flash_notice(text.format(name=file))
    return ResourceEditView().get(dataset["type"], dataset["name"], resource_id, fields, {}, {})


@blueprint.before_app_request
def keep_what_was_typed() -> Any:
    """Where the resource whose form is sent has been deleted meanwhile, CKAN would drop what was typed."""
    values = tk.request.view_args or {}
    if tk.request.method != "POST" or tk.request.endpoint != f"{values.get('package_type')}_resource.edit":
        return None
    dataset = dataset_to_edit(values["id"])
    return _gone(dataset, values["resource_id"]) if _is_gone(dataset, values["resource_id"]) else None


def _is_gone(dataset: Fields, resource_id: str) -> bool:
    return all(resource["id"] != resource_id for resource in dataset["resources"])


def _gone(dataset: Fields, resource_id: str) -> Any:
    """The form for a new resource, with what was typed."""
    typed, file = _typed(), conflicts.chosen_file()
    told = {"metastore_gone": resource_id, "metastore_base": typed.pop("base_revision", None), "metastore_file": file}
    unsaid = {"id": "", **({"url": "", "url_type": ""} if file else {})}
    return ResourceCreateView().get(dataset["type"], dataset["name"], {**typed, **unsaid, **told}, {}, {})


def _joined(dataset: Fields, resource_id: str) -> Fields:
    typed = _typed() | schemas.typed(tk.request.form, dataset["type"], of_resource=bool(resource_id))
    base_revision = typed.get("base_revision") or dataset["revision_id"]
    with aborting():
        base = call("package_show", id=dataset["id"], revision_ref=base_revision)
    was, now = conflicts.sides_of(base, dataset, resource_id)
    typed = conflicts.without_file(was, typed, conflicts.chosen_file())
    numbered = ((_PICK.fullmatch(name), side) for name, side in typed.items())
    picks = {int(found[1]): side for found, side in numbered if found}
    take = typed.get("metastore_take", "mine")
    joined = conflicts.join(was, typed, now, take=take, picks=picks if take == "picked" else None)
    kept = {name: value for name, value in joined.fields.items() if not name.startswith("metastore_")}
    return {**kept, "base_revision": dataset["revision_id"]}


def _typed() -> Fields:
    try:
        typed: Fields = clean_dict(unflatten(tuplize_dict(parse_params(tk.request.form))))
    except DataError:
        tk.abort(400, tk._("The form could not be read"))
    return typed
