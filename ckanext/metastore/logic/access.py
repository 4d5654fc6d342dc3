"""What every action does first: find the dataset, ask who may, and speak CKAN's errors."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import ckantoolkit as tk
from ckan import model

from ckanext.metastore.core import Conflict, Invalid, InvalidName, NotFound, RateLimited, Unauthorized, Unavailable
from ckanext.metastore.history import History
from ckanext.metastore.model.queries import Row, can_be
from ckanext.metastore.translating import _, translated

Context = Any


def open_history(action: str, context: Context, data_dict: dict[str, Any]) -> History:
    """The history of the dataset that ``id`` names, for whoever may call this action on it.

    To those who may not even read the dataset it does not exist.

    :raises toolkit.ObjectNotFound: there is no such dataset, for this user
    :raises toolkit.NotAuthorized: this user may read the dataset, but not do this
    """
    package = find_package(data_dict["id"])
    context = {**context, "package": package}
    if not may(action, context, package.id):
        if not may("package_show", context, package.id):
            raise tk.ObjectNotFound(f"Dataset not found: {data_dict['id']}")
        tk.check_access(action, context, {"id": package.id})
    return History(package.id, private=may("package_update", context, package.id))


def find_package(id_or_name: str) -> Any:
    """The dataset's row.

    :raises toolkit.ObjectNotFound: there is none
    """
    package = model.Package.get(id_or_name) if can_be(id_or_name) else None
    if package is None:
        raise tk.ObjectNotFound(f"Dataset not found: {id_or_name}")
    return package


def find_revision(history: History, params: dict[str, Any]) -> Row:
    """The revision that ``revision_ref`` names, or the newest at the time ``as_of``.

    :raises toolkit.ValidationError: both are given, or neither
    :raises NotFound: there is none
    """
    ref = params.get("revision_ref")
    if "as_of" not in params:
        if not ref:
            raise tk.ValidationError({"revision_ref": [_("Missing value")]})
        return history.resolve(ref)
    if ref:
        raise tk.ValidationError({"as_of": [_("Give either revision_ref or as_of, not both")]})
    return history.at(params["as_of"])


def may_show(context: Context, package: Any) -> bool:
    """Whether this user may see the dataset."""
    return may("package_show", {**context, "package": package}, package.id)


def may_update(context: Context, dataset_id: str) -> bool:
    """Whether this user may update the dataset, and so see all of its history."""
    return may("package_update", context, dataset_id)


def may(action: str, context: Context, dataset_id: str) -> bool:
    """Whether this user may call an action on a dataset."""
    try:
        tk.check_access(action, {**context}, {"id": dataset_id})
    except tk.NotAuthorized:
        return False
    return True


@contextmanager
def ckan_errors() -> Iterator[None]:
    """Turn the metastore's errors into CKAN's."""
    try:
        yield
    except NotFound as error:
        raise tk.ObjectNotFound(f"{error.kind.capitalize()} not found: {error.ref}") from error
    except (Invalid, InvalidName) as error:
        raise tk.ValidationError({error.field: [translated(error.reason)]}) from error
    except Conflict as error:
        raise tk.ValidationError({"name": [translated(error.args[0])]}) from error
    except (RateLimited, Unauthorized, Unavailable) as error:
        sentence = _("The metastore is not available now, try again: {why}").format(why=error)
        raise tk.ValidationError({"message": [sentence]}) from error
