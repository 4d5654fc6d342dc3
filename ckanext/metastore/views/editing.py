"""What the pages for editors have in common."""

from __future__ import annotations

from typing import Any

import ckantoolkit as tk

from ckanext.metastore.views.base import Dataset, aborting, call, dataset_or_abort, refuse

Errors = dict[str, list[str]]


def dataset_to_edit(dataset_id: str) -> Dataset:
    """The dataset, for whoever may change it; for others the page does not go on."""
    dataset = dataset_or_abort(dataset_id)
    if not tk.h.check_access("package_update", {"id": dataset["id"]}):
        refuse(tk._("Only editors of this dataset can do that"))
    return dataset


def revision(dataset: Dataset, ref: str) -> dict[str, Any]:
    """One of its versions."""
    with aborting():
        found: dict[str, Any] = call("dataset_revision_show", id=dataset["id"], revision_ref=ref)
    return found


def page(template: str, dataset: Dataset, **more: Any) -> str:
    """A page in the dataset's frame."""
    return tk.render(template, {"pkg_dict": dataset, "dataset_type": dataset["type"], "errors": {}, **more})


def typed(*names: str) -> dict[str, str]:
    """What was typed into these fields of a form, with the line ends of Unix."""
    return {name: tk.request.form.get(name, "").replace("\r\n", "\n") for name in names}


def texts(error: tk.ValidationError) -> Errors:
    """What is wrong, field by field; what is there for machines only is left out."""
    return {field: [each for each in said if isinstance(each, str)] for field, said in error.error_dict.items()}
