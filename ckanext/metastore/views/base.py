"""What every page does first: call actions as whoever looks, and say what is wrong as CKAN's own pages say it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

import ckantoolkit as tk
from flask import Blueprint, abort

from ckanext.metastore.views import forgery

blueprint = Blueprint("metastore", __name__)
forgery.protect(blueprint)

Dataset = dict[str, Any]


def call(action: str, **params: Any) -> Any:
    """Call an action as whoever looks at the page."""
    context = {"user": tk.current_user.name, "auth_user_obj": tk.current_user, "for_view": True}
    return tk.get_action(action)(context, params)


def dataset_or_abort(dataset_id: str, **params: Any) -> Dataset:
    """The dataset as ``package_show`` gives it.

    :param params: ``revision_ref``, for the dataset as it was
    """
    with aborting():
        return call("package_show", id=dataset_id, **params)


def refuse(sentence: str) -> NoReturn:
    """Say to whoever is logged in that this is not for them (403); others log in first, and come back."""
    if not tk.current_user.is_anonymous:
        tk.abort(403, sentence)
    query = {**tk.request.args.to_dict(flat=False), **(tk.request.view_args or {})}
    came_from = tk.url_for(tk.request.endpoint, **query)
    abort(tk.redirect_to("user.login", came_from=came_from))


@contextmanager
def aborting() -> Iterator[None]:
    """What an action refuses becomes a page that says so; what somebody may not see does not exist."""
    try:
        yield
    except (tk.ObjectNotFound, tk.NotAuthorized):
        tk.abort(404, tk._("Dataset or version not found, or you have no permission to view it"))
    except tk.ValidationError as error:
        tk.abort(400, " ".join(error.error_summary.values()))
