"""What templates may ask. Names begin with ``metastore_``; times are ISO 8601, as the actions give them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import ckantoolkit as tk
from flask_babel import format_date, format_datetime

from ckanext.metastore import labels, presenting, wording

__all__ = [
    "metastore_citation",
    "metastore_date",
    "metastore_exact_time",
    "metastore_initials",
    "metastore_is_link",
    "metastore_month",
    "metastore_resource_fields",
    "metastore_short",
    "metastore_summary",
    "metastore_time",
    "metastore_version_count",
]


def metastore_version_count(dataset: dict[str, Any]) -> int:
    """How many versions of a dataset whoever looks may see; 0 where it has no history."""
    context = {"user": tk.current_user.name, "auth_user_obj": tk.current_user}
    try:
        return int(tk.get_action("dataset_history_show")(context, {"id": dataset["id"]})["revisions"])
    except (tk.ObjectNotFound, tk.NotAuthorized):
        return 0


def metastore_summary(changes: list[dict[str, Any]], dataset_type: str = "dataset") -> str:
    """What changed, as ``revision_diff`` gives it, in a line of words."""
    return wording.summary(changes, dataset_type)


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


def metastore_short(revision_id: str) -> str:
    """The short form of a revision's id, as Git shows it."""
    return revision_id[:7]


def metastore_initials(name: str) -> str:
    """Up to two letters that stand for a person."""
    letters = [word[0] for word in name.split() if word[0].isalnum()]
    return "".join(letters[:1] + letters[1:][-1:]).upper() or "?"


def metastore_is_link(value: Any) -> bool:
    """Whether a page may link there."""
    return labels.is_link(value)
