"""``/ckan-admin/metastore``: what is not published, and what a sysadmin can do about it."""

from __future__ import annotations

from typing import Any

import ckantoolkit as tk
from flask import Blueprint

from ckanext.metastore import conflicts, overview
from ckanext.metastore.views import forgery
from ckanext.metastore.views.base import aborting, call, refuse
from ckanext.metastore.views.editing import texts

PAGE = 20
"""Datasets on one page of the list."""

blueprint = Blueprint("metastore_admin", __name__, url_prefix="/ckan-admin/metastore")
forgery.protect(blueprint)


@blueprint.before_request
def _sysadmins_only() -> None:
    try:
        tk.check_access("sysadmin", {"user": tk.current_user.name, "auth_user_obj": tk.current_user})
    except tk.NotAuthorized:
        refuse(tk._("Only system administrators can do that"))


@blueprint.route("")
def index() -> str:
    """The datasets that have something to publish or to pull: all, or those of one ``state``; ``page`` is 1 or more."""
    page, state = tk.h.get_page_number(tk.request.args), tk.request.args.get("state", "")
    with aborting():
        listed = call("dataset_publishing_list", state=state, limit=PAGE, offset=(page - 1) * PAGE)
    counts = overview.counts()
    pages = -(-(counts[state] if state else sum(counts.values())) // PAGE)
    shown = {"datasets": listed, "counts": counts, "state": state, "page": page, "pages": pages}
    return tk.render("metastore/admin/index.html", shown)


@blueprint.route("", methods=["POST"])
def find() -> Any:
    """To the page of a dataset that was typed."""
    name = tk.request.form.get("name", "").strip()
    try:
        found = call("package_show", id=name)
    except (tk.ObjectNotFound, tk.ValidationError):
        tk.h.flash_error(tk._("There is no dataset {name}.").format(name=name))
        return tk.redirect_to("metastore_admin.index")
    return tk.redirect_to("metastore_admin.dataset", id=found["name"])


@blueprint.route("/<id>")
def dataset(id: str) -> str:
    """One dataset: how it stands, and all that can be done."""
    return _page(id)


@blueprint.route("/<id>/publish", methods=["POST"])
def publish(id: str) -> Any:
    """Publish what waits."""
    with aborting():
        state = call("dataset_publish", id=id)
    if state["diverged"]:
        tk.h.flash_error(tk._("{name} has diverged: decide which side counts.").format(name=id))
    elif state["error"]:
        tk.h.flash_error(tk._("{name} is still not published: {why}").format(name=id, why=state["error"]["message"]))
    elif state["waiting"] or state["waiting_tags"]:
        tk.h.flash_notice(tk._("{name} is still waiting.").format(name=id))
    else:
        tk.h.flash_success(tk._("All of {name} is published.").format(name=id))
    return _back(id)


@blueprint.route("/<id>/pull", methods=["POST"])
def pull(id: str) -> Any:
    """Bring in what others have committed, by the strategy that was chosen."""
    strategy = tk.request.form.get("strategy", "merge")
    try:
        pulled = call("dataset_pull", id=id, strategy=strategy)
    except tk.ValidationError as error:
        return _page(id, errors=texts(error))
    except tk.ObjectNotFound:
        return tk.abort(404, tk._("Dataset not found"))
    if pulled["commit"]:
        short = tk.h.metastore_short(pulled["commit"])
        tk.h.flash_success(tk._("Commit {commit} is in {name} now.").format(commit=short, name=id))
    else:
        tk.h.flash_success(tk._("{name}: nobody has committed anything new.").format(name=id))
    return _back(id)


@blueprint.route("/<id>/check", methods=["POST"])
def check(id: str) -> str:
    """Look whether all is well."""
    with aborting():
        found = call("dataset_check", id=id)
    return _page(id, found=found)


@blueprint.route("/<id>/purge", methods=["POST"])
def purge(id: str) -> Any:
    """Destroy the dataset and its history, where its name was typed."""
    with aborting():
        shown = call("package_show", id=id)
    if tk.request.form.get("confirmation", "").strip() != shown["name"]:
        return _page(id, errors={"confirmation": [tk._("Type the dataset’s name exactly as it stands here")]})
    with aborting():
        call("dataset_purge", id=shown["id"])
    tk.h.flash_success(tk._("{name} is purged, with all its history.").format(name=shown["name"]))
    return tk.redirect_to("metastore_admin.index")


def _back(dataset_id: str) -> Any:
    """To where the button was."""
    if tk.request.form.get("from") == "index":
        where = {name: tk.request.form[name] for name in ("state", "page") if tk.request.form.get(name)}
        return tk.redirect_to("metastore_admin.index", **where)
    return tk.redirect_to("metastore_admin.dataset", id=dataset_id)


def _page(dataset_id: str, *, errors: Any = None, found: Any = None) -> str:
    with aborting():
        shown = call("package_show", id=dataset_id)
        history = call("dataset_history_show", id=shown["id"], publishing=True)
    publishing = history["publishing"]
    unsettled = publishing["diverged"] or publishing["error"] or publishing["waiting"] or publishing["waiting_tags"]
    return tk.render(
        "metastore/admin/dataset.html",
        {
            "pkg_dict": shown,
            "revisions": history["revisions"],
            "publishing": publishing,
            "state": overview.state(publishing) if unsettled else "published",
            "clashes": _clashes(publishing["diverged"], shown["type"]),
            "errors": errors or {},
            "found": found,
        },
    )


def _clashes(diverged: dict[str, Any] | None, dataset_type: str) -> list[dict[str, str]]:
    """What both sides have changed, in words."""
    return [conflicts.in_words(clash, dataset_type) for clash in (diverged["clashes"] if diverged else ())]
