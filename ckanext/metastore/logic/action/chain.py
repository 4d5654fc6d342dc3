"""How an action of CKAN's is chained, and what is common to all that are."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from importlib import import_module
from typing import Any, TypeVar

import ckantoolkit as tk
from ckan import model

from ckanext.metastore.model.queries import can_be

F = TypeVar("F", bound=Callable[..., Any])

OWN_PARAMETERS = (
    *("revision_message", "base_revision", "revision_id", "revision_published", "revision_error"),
    "metastore_file",
)
"""What is ours in a dataset or resource dict, and must never be stored as a field of it; the last is in forms only."""


def chained(verb: str, name: str) -> Callable[[F], F]:
    """Chain one of CKAN's own actions; its help is CKAN's, followed by the decorated function's.

    :param verb: the module of ``ckan.logic.action`` that has it
    """

    def decorate(function: F) -> F:
        core = getattr(import_module(f"ckan.logic.action.{verb}"), name)
        function.__name__ = name
        # CKAN wraps a chained action in a functools.partial and keeps only what is in the function's __dict__.
        function.__dict__["__doc__"] = f"{inspect.getdoc(core)}\n\n{inspect.getdoc(function) or ''}".strip()
        return tk.chained_action(function)

    return decorate


def without_ours(fields: dict[str, Any]) -> dict[str, Any]:
    """A dataset or resource dict without what is ours, its resources too."""
    kept = {key: value for key, value in fields.items() if key not in OWN_PARAMETERS}
    if isinstance(kept.get("resources"), list):
        kept["resources"] = [without_ours(item) if isinstance(item, dict) else item for item in kept["resources"]]
    return kept


def dataset_of(resource_id: Any) -> str:
    """The id of the dataset that has a resource now.

    :raises toolkit.ObjectNotFound: none has; of one that is gone nothing tells whether it was ever public
    """
    known = isinstance(resource_id, str) and can_be(resource_id)
    resource = model.Resource.get(resource_id) if known else None
    if resource is None or resource.state != "active":
        raise tk.ObjectNotFound(f"Resource not found: {resource_id}. If it is gone now, name its dataset in package_id")
    return str(resource.package_id)
