"""What changed between two versions of a dataset, in a line of words: "Title changed; 1 resource added"."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

import ckantoolkit as tk

from ckanext.metastore.labels import field_label, place
from ckanext.metastore.translating import _

Changes = Iterable[dict[str, Any]]

NAMED_AT_MOST = 3
"""How many fields are named; more would not be a line."""


def summary(changes: Changes, dataset_type: str = "dataset") -> str:
    """Tell changes, as ``revision_diff`` gives them, in a line.

    >>> summary([{"kind": "changed", "path": ["title"], "old": "Trees", "new": "City trees"}])
    'Title changed'
    """
    changes = list(changes)
    return "; ".join(_parts(changes, dataset_type)) or _("Nothing changed")


def told(revision: dict[str, Any], dataset_type: str = "dataset") -> str:
    """The same of a revision, as ``dataset_revision_list`` tells it, with details; also where there is none to tell."""
    if revision["changes"] is not None:
        return summary(revision["changes"], dataset_type)
    return _("What changed cannot be told now") if revision["previous"] else _("First version recorded")


def _parts(changes: list[dict[str, Any]], dataset_type: str) -> Iterator[str]:
    yield from _states(changes)
    yield from _fields(changes, dataset_type)
    for name in ("resources", "tags", "groups"):
        yield from _items(name, [change for change in changes if change["path"][0] == name])


def _states(changes: list[dict[str, Any]]) -> Iterator[str]:
    for change in changes:
        if change["path"] == ["state"]:
            yield _("Dataset deleted") if change["new"] == "deleted" else _("State changed")
        elif change["path"] == ["private"]:
            yield _("Made private") if change["new"] is True else _("Made public")


def _fields(changes: list[dict[str, Any]], dataset_type: str) -> Iterator[str]:
    """The fields of the dataset itself, its custom fields among them."""
    ordered = sorted(changes, key=lambda change: place(change["path"][0], dataset_type))
    names = [label for change in ordered if (label := _label(change["path"], dataset_type))]
    names = list(dict.fromkeys(names))
    shown, more = ", ".join(names[:NAMED_AT_MOST]), len(names) - NAMED_AT_MOST
    if more > 0:
        text = tk.ungettext(
            "{fields} and {number} more field changed", "{fields} and {number} more fields changed", more
        )
        yield text.format(fields=shown, number=more)
    elif names:
        yield _("{fields} changed").format(fields=shown)


def _label(path: list[str], dataset_type: str) -> str | None:
    if path[0] in ("resources", "tags", "groups", "state", "private"):
        return None
    if path[0] == "extras" and len(path) > 1:
        return path[1]
    return field_label(path[0], dataset_type)


def _items(name: str, changes: list[dict[str, Any]]) -> Iterator[str]:
    kinds = {tuple(change["path"][:2]): _kind(change) for change in changes}
    counts = Counter(kinds.values())
    for kind in ("added", "removed", "changed"):
        if number := counts[kind]:
            yield _counted(name, kind, number)
    if counts["moved"]:
        yield _moved(name)


def _kind(change: dict[str, Any]) -> str:
    """What happened to the whole item: where one of its fields came, it changed."""
    return str(change["kind"]) if len(change["path"]) <= 2 else "changed"


def _counted(name: str, kind: str, n: int) -> str:
    texts = {
        ("resources", "added"): tk.ungettext("{n} resource added", "{n} resources added", n),
        ("resources", "removed"): tk.ungettext("{n} resource removed", "{n} resources removed", n),
        ("resources", "changed"): tk.ungettext("{n} resource changed", "{n} resources changed", n),
        ("tags", "added"): tk.ungettext("{n} tag added", "{n} tags added", n),
        ("tags", "removed"): tk.ungettext("{n} tag removed", "{n} tags removed", n),
        ("tags", "changed"): tk.ungettext("{n} tag changed", "{n} tags changed", n),
        ("groups", "added"): tk.ungettext("{n} group added", "{n} groups added", n),
        ("groups", "removed"): tk.ungettext("{n} group removed", "{n} groups removed", n),
        ("groups", "changed"): tk.ungettext("{n} group changed", "{n} groups changed", n),
    }
    return texts[name, kind].format(n=n)


def _moved(name: str) -> str:
    texts = {"resources": _("Resources reordered"), "tags": _("Tags reordered")}
    return texts.get(name) or _("Groups reordered")
