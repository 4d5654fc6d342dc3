"""Two versions of a dataset side by side, as a page shows them: old beside new, under the names that the form has."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ckanext.metastore.core.patience import PatienceMatcher
from ckanext.metastore.labels import field_label, is_link, place, value_text
from ckanext.metastore.translating import _

Words = list[tuple[bool, str]]
"""Stretches of a text; whether each is in this version only."""

LONG = 40
"""Texts of more characters are compared word by word."""

WORDS_AT_MOST = 6000
"""Longer texts stand side by side without: to compare them takes too long."""

_ITEMS = ("resources", "tags", "groups", "extras")
_HIDDEN = {"package_id", "position", "id", "metadata_modified", "state"}


@dataclass(frozen=True)
class Side:
    """One version's value of a field."""

    text: str
    words: Words
    link: bool = False


@dataclass(frozen=True)
class Row:
    """A field that differs. ``kind`` is that of ``revision_diff``; a side without a value is None."""

    label: str
    kind: str
    old: Side | None
    new: Side | None


@dataclass(frozen=True)
class Section:
    """The dataset, or one of its resources, which may itself have come (``added``) or gone (``removed``)."""

    title: str
    kind: str
    rows: list[Row]
    resource_id: str = ""


def sections(changes: list[dict[str, Any]], old: Mapping[str, Any], new: Mapping[str, Any]) -> list[Section]:
    """Lay out changes, as ``revision_diff`` gives them.

    :param old: the dataset before, which tells the names of what is gone
    :param new: the dataset after
    """
    dataset_type = str(new.get("type") or old.get("type") or "dataset")
    of_dataset = [change for change in changes if not _in_a_resource(change)]
    of_dataset.sort(key=lambda change: place(change["path"][0], dataset_type))
    rows = [row for change in of_dataset for row in _row(change, dataset_type)]
    names = {resource.get("id"): resource for dataset in (old, new) for resource in dataset.get("resources", ())}
    of_resources = _resources(filter(_in_a_resource, changes), names, dataset_type)
    return [*([Section(_("Dataset"), "changed", rows)] if rows else []), *of_resources]


def _in_a_resource(change: dict[str, Any]) -> bool:
    return change["path"][0] == "resources" and len(change["path"]) > 1


def _row(change: dict[str, Any], dataset_type: str) -> Iterator[Row]:
    path, kind = change["path"], change["kind"]
    label = field_label(path[0], dataset_type)
    if path[0] == "extras" and len(path) > 1:
        yield _row_of(path[1], kind, _extra(change["old"]), _extra(change["new"]))
    elif path[0] in _ITEMS and len(path) > 1:
        yield _row_of(label, kind, _name(change["old"]), _name(change["new"]))
    elif kind == "moved":
        yield Row(label, kind, None, None)
    else:
        yield _row_of(label, kind, change["old"], change["new"], path, dataset_type)


def _resources(
    changes: Iterable[dict[str, Any]], resources: Mapping[Any, Mapping[str, Any]], dataset_type: str
) -> Iterator[Section]:
    by_id: dict[str, list[dict[str, Any]]] = {}
    for change in changes:
        by_id.setdefault(change["path"][1], []).append(change)
    for resource_id, its in by_id.items():
        its.sort(
            key=lambda change: place(change["path"][2] if change["path"][2:] else "", dataset_type, of_resource=True)
        )
        whole = its[0] if len(its[0]["path"]) == 2 else None
        resource = resources.get(resource_id) or (whole and (whole["new"] or whole["old"])) or {}
        title = str(resource.get("name") or _("Unnamed resource"))
        kind = whole["kind"] if whole else "changed"
        rows = _fields_of(whole, dataset_type) if whole else [_resource_row(change, dataset_type) for change in its]
        yield Section(title, kind, rows, resource_id)


def _fields_of(change: dict[str, Any], dataset_type: str) -> list[Row]:
    """A resource that came or went: all that it says."""
    kind, fields = change["kind"], change["new"] or change["old"] or {}
    shown = {name: value for name, value in fields.items() if name not in _HIDDEN and value not in (None, "", [], {})}
    label = {name: field_label(name, dataset_type, of_resource=True) for name in shown}
    added = kind == "added"
    return [
        _row_of(
            label[name],
            kind,
            None if added else value,
            value if added else None,
            [name],
            dataset_type,
            of_resource=True,
        )
        for name, value in sorted(shown.items(), key=lambda item: place(item[0], dataset_type, of_resource=True))
    ]


def _resource_row(change: dict[str, Any], dataset_type: str) -> Row:
    path = change["path"][2:]
    label = " / ".join([field_label(path[0], dataset_type, of_resource=True), *map(str, path[1:])])
    return _row_of(label, change["kind"], change["old"], change["new"], path, dataset_type, of_resource=True)


def _row_of(
    label: str,
    kind: str,
    old: Any,
    new: Any,
    path: Sequence[str] = (),
    dataset_type: str = "",
    *,
    of_resource: bool = False,
) -> Row:
    """A row; of a part of a field the schema tells nothing."""
    name, schema = (path[0] if path else "", dataset_type if len(path) == 1 else "")
    old_text, new_text = (value_text(name, value, schema, of_resource=of_resource) for value in (old, new))
    old_words, new_words = word_diff(old_text, new_text)
    return Row(label, kind, _side(old, old_text, old_words), _side(new, new_text, new_words))


def _side(value: Any, text: str, words: Words) -> Side | None:
    return Side(text, words, is_link(value)) if text else None


def _extra(item: Any) -> Any:
    return item.get("value") if isinstance(item, dict) else item


def _name(item: Any) -> Any:
    """A tag or a group by its name."""
    if not isinstance(item, dict):
        return item
    return next((item[key] for key in ("display_name", "title", "name", "id") if item.get(key)), None)


def word_diff(old: str, new: str) -> tuple[Words, Words]:
    """What each of two long texts has alone; nothing is marked in texts that are short, or much too long.

    >>> word_diff("Every tree that the city waters, since 1990.", "Every tree that the city plants, since 1990.")[1]
    [(False, 'Every tree that the city '), (True, 'plants'), (False, ', since 1990.')]
    """
    a, b = _words(old), _words(new)
    if not (old and new) or max(len(old), len(new)) <= LONG or len(a) + len(b) > WORDS_AT_MOST:
        return [(False, old)], [(False, new)]
    old_words, new_words = [], []
    for tag, i, i_end, j, j_end in PatienceMatcher(a, b).get_opcodes():
        old_words.append((tag != "equal", "".join(a[i:i_end])))
        new_words.append((tag != "equal", "".join(b[j:j_end])))
    return [pair for pair in old_words if pair[1]], [pair for pair in new_words if pair[1]]


def _words(text: str) -> list[str]:
    return re.findall(r"\w+|\s+|[^\w\s]", text)
