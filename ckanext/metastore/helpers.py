"""What templates may ask. Names begin with ``metastore_``; times are ISO 8601, as the actions give them."""

from __future__ import annotations

from datetime import datetime
from itertools import takewhile
from typing import Any

import ckantoolkit as tk
from flask_babel import format_date, format_datetime, format_decimal

from ckanext.metastore import conflicts, labels, presenting, schemas, wording
from ckanext.metastore.core.types import Clash
from ckanext.metastore.translating import _

__all__ = [
    "metastore_avatar",
    "metastore_citation",
    "metastore_conflict",
    "metastore_date",
    "metastore_exact_time",
    "metastore_gone",
    "metastore_head",
    "metastore_initials",
    "metastore_is_link",
    "metastore_month",
    "metastore_number",
    "metastore_once",
    "metastore_resource_fields",
    "metastore_short",
    "metastore_summary",
    "metastore_time",
    "metastore_told",
    "metastore_typed",
    "metastore_version_count",
]


def metastore_version_count(dataset: dict[str, Any]) -> int:
    """How many versions of a dataset whoever looks may see; 0 where it has no history."""
    context = {"user": tk.current_user.name, "auth_user_obj": tk.current_user}
    try:
        return int(tk.get_action("dataset_history_show")(context, {"id": dataset["id"]})["revisions"])
    except (tk.ObjectNotFound, tk.NotAuthorized):
        return 0


def metastore_head(dataset_id: str) -> str:
    """The dataset's newest revision, for a form to start from; empty where there is none."""
    newest = _call("dataset_revision_list", id=dataset_id, limit=1)
    return str(newest[0]["id"]) if newest else ""


def metastore_once(what: str) -> bool:
    """Whether this page does not have it yet: a theme may leave out the first of the places where it belongs."""
    shown = tk.g.setdefault("metastore_shown", set())
    return what not in shown and not shown.add(what)


def metastore_typed(data: dict[str, Any], dataset_type: str, *, of_resource: bool = False) -> None:
    """Put what was typed into fields with several values into what a form shows, where CKAN shows what was saved."""
    data |= schemas.typed(tk.request.form, dataset_type, of_resource=of_resource)


def metastore_conflict(dataset_id: str, data: dict[str, Any], resource_id: str = "") -> dict[str, Any]:
    """What others have saved since a form was opened, and what both sides have changed.

    :param data: what was typed
    :returns: a dict with ``id`` and ``type`` of the dataset, ``since``, as ``dataset_revision_list`` tells it, and
        ``clashes``: dicts with ``label``, ``base``, ``mine`` and ``theirs``; ``file``, the name of a file that was
        chosen
    """
    now = _call("package_show", id=dataset_id)
    try:
        base = _call("package_show", id=now["id"], revision_ref=data["base_revision"])
    except (tk.ObjectNotFound, tk.ValidationError):
        tk.abort(400, _("The form could not be read"))
    was, became = conflicts.sides_of(base, now, resource_id)
    file = conflicts.chosen_file()
    of_resource = bool(resource_id)
    clashes = [
        {
            "label": conflicts.label(clash, now["type"], of_resource=of_resource),
            **{
                side: conflicts.text(clash, value, now["type"], of_resource=of_resource)
                for side, value in _sides(clash)
            },
        }
        for clash in conflicts.join(was, conflicts.without_file(was, data, file), became).clashes
    ]
    return {**_conflict(now, data["base_revision"]), "clashes": clashes, "file": file}


def metastore_gone(dataset_id: str, data: dict[str, Any]) -> dict[str, Any]:
    """The same for a resource that was deleted since its form was opened.

    :param data: what was typed, and the resource's id, in ``metastore_gone``
    :returns: a dict with ``id``, ``type``, ``name``, ``since`` and ``file``, as above; ``resource_id``; and ``base``,
        the revision that the form began with, or None
    """
    now = _call("package_show", id=dataset_id)
    base, file = data["metastore_base"], data["metastore_file"]
    return {**_conflict(now, base), "resource_id": data["metastore_gone"], "base": base, "file": file}


def _conflict(now: dict[str, Any], base: str | None) -> dict[str, Any]:
    listed = _call("dataset_revision_list", id=now["id"], details=True) if base else []
    since = list(takewhile(lambda revision: revision["id"] != base, listed))
    return {"id": now["id"], "type": now["type"], "name": now["name"], "since": since}


def _sides(clash: Clash) -> list[tuple[str, Any]]:
    return [("base", clash.base), ("mine", clash.ours), ("theirs", clash.theirs)]


def _call(action: str, **params: Any) -> Any:
    return tk.get_action(action)({"user": tk.current_user.name, "auth_user_obj": tk.current_user}, params)


def metastore_summary(changes: list[dict[str, Any]], dataset_type: str = "dataset") -> str:
    """What changed, as ``revision_diff`` gives it, in a line of words."""
    return wording.summary(changes, dataset_type)


def metastore_told(version: dict[str, Any], dataset_type: str) -> str:
    """What a version changed, in a line of words."""
    return wording.told(version, dataset_type)


def metastore_citation(dataset: dict[str, Any], version: dict[str, Any], ref: str) -> str:
    """How to cite a version, at the address that names it by this ref."""
    return presenting.citation(dataset, version, ref)


def metastore_resource_fields(resource: dict[str, Any], dataset_type: str) -> list[tuple[str, str]]:
    """What a resource says beside its name and description: names of fields as the form has them, and values."""
    return presenting.resource_fields(resource, dataset_type)


def metastore_date(timestamp: str) -> str:
    """The day: "3 May 2024", in the language and the time zone of the page."""
    return format_date(datetime.fromisoformat(timestamp), "long")


def metastore_time(timestamp: str) -> str:
    """The hour and minute."""
    return format_datetime(datetime.fromisoformat(timestamp), "HH:mm")


def metastore_exact_time(timestamp: str) -> str:
    """The day and the time to the second, with the time zone."""
    return format_datetime(datetime.fromisoformat(timestamp), "long")


def metastore_month(timestamp: str) -> str:
    """The month and the year, as a heading."""
    return format_datetime(datetime.fromisoformat(timestamp), "LLLL y")


def metastore_number(number: int) -> str:
    """A whole number as the language of the page writes it."""
    return str(format_decimal(number))


def metastore_short(revision_id: str) -> str:
    """The short form of a revision's id, as Git shows it."""
    return revision_id[:7]


def metastore_avatar(user: str) -> str:
    """The address of the picture that an account has here; empty where it has none. It is looked for once in a page.

    None is asked for elsewhere, as CKAN's own helper does: that would tell a third party who reads which dataset.
    """
    shown: dict[str, str] = tk.g.setdefault("metastore_avatars", {})
    if user not in shown:
        try:
            url = tk.get_action("user_show")({"ignore_auth": True}, {"id": user})["image_display_url"]
        except tk.ObjectNotFound:
            url = None
        shown[user] = url if labels.is_link(url) else ""
    return shown[user]


def metastore_initials(name: str) -> str:
    """Up to two letters that stand for a person."""
    letters = [word[0] for word in name.split() if word[0].isalnum()]
    return "".join(letters[:1] + letters[1:][-1:]).upper() or "?"


def metastore_is_link(value: Any) -> bool:
    """Whether a page may link there."""
    return labels.is_link(value)
