"""A save from the form on top of somebody else's: what each side has typed, and what both make together.

A form knows some of a dataset's fields only, and each as text. So the two sides are compared as the form has them.
"""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import ckantoolkit as tk

from ckanext.metastore.core.merge import merge
from ckanext.metastore.core.types import Clash
from ckanext.metastore.labels import field_label, value_text

Fields = dict[str, Any]

_NOT_IN_THE_FORM = {
    "base_revision",
    "groups",
    "id",
    "organization",
    "pkg_name",
    "resources",
    "revision_id",
    "revision_message",
    "save",
    "tag_string",
    "upload",
    "clear_upload",
}


@dataclass(frozen=True)
class Joined:
    """What comes of two sides.

    :param fields: what the form is to show: as typed, with what only they have changed; of a clash, mine
    :param clashes: what both have changed, each in its own way
    """

    fields: Fields
    clashes: tuple[Clash, ...]


def sides_of(base: Fields, now: Fields, resource_id: str) -> tuple[Fields, Fields]:
    """The two datasets, or one of their resources."""
    if not resource_id:
        return base, now
    found: list[Fields] = [
        next((item for item in side["resources"] if item["id"] == resource_id), {}) for side in (base, now)
    ]
    return found[0], found[1]


def chosen_file() -> str:
    """The name of the file that was chosen in the form that has come in, or before; empty where there is none."""
    upload = tk.request.files.get("upload")
    return (upload.filename if upload else "") or tk.request.form.get("metastore_file", "")


def without_file(base: Fields, mine: Fields, file: str) -> Fields:
    """What was typed, with the resource's file as it was: a chosen one must be chosen again, as no page can hold it."""
    return {**mine, **{name: base.get(name) for name in ("url", "url_type") if name in mine}} if file else mine


def join(
    base: Fields, mine: Fields, theirs: Fields, *, take: str = "mine", picks: dict[int, str] | None = None
) -> Joined:
    """Bring together what was typed and what somebody else has saved meanwhile.

    :param base: what the form began with
    :param take: whose is taken where both have changed a field: ``mine`` or ``theirs``
    :param picks: the same for single clashes, by their numbers
    """
    sides = [_as_typed(side, mine) for side in (base, mine, theirs)]
    merged = merge(*sides)
    numbered = {clash.path: (picks or {}).get(number, take) for number, clash in enumerate(merged.clashes)}
    document = merged.document
    if "theirs" in numbered.values():
        wanted = {path for path, side in numbered.items() if side == "theirs"}
        document = merge(_agreeing(sides[0], merged.clashes, wanted), sides[1], sides[2]).document
    return Joined(_as_form(document, mine, theirs), merged.clashes)


def _agreeing(base: Fields, clashes: tuple[Clash, ...], wanted: set[tuple[str, ...]]) -> Fields:
    """The base as if mine had been there already, where theirs is wanted."""
    changed: Fields = json.loads(json.dumps(base))
    for clash in clashes:
        if clash.path in wanted:
            _put(changed, clash.path, clash.ours)
    return changed


def _put(fields: Fields, path: tuple[str, ...], value: Any) -> None:
    if len(path) == 1:
        fields[path[0]] = value
        return
    key = "key" if path[0] == "extras" else "name"
    items = [item for item in fields.get(path[0], []) if item[key] != path[1]]
    if len(path) > 2:
        items.append({key: path[1], path[2]: value})
    elif value is not None:
        items.append(value)
    fields[path[0]] = items


def label(clash: Clash, dataset_type: str, *, of_resource: bool) -> str:
    """What the form calls the field."""
    if clash.path[0] == "extras":
        return clash.path[1]
    return field_label(clash.path[0], dataset_type, of_resource=of_resource)


def text(clash: Clash, value: Any, dataset_type: str = "", *, of_resource: bool = False) -> str:
    """How one side's value reads; an item that is gone is nothing."""
    if isinstance(value, dict):
        value = value.get("value", value.get("name"))
    named = {"True": True, "False": False}.get(value, value) if clash.path[0] == "private" else value
    return value_text(clash.path[0], _as_kept(named), dataset_type, of_resource=of_resource)


def in_words(clash: dict[str, Any], dataset_type: str) -> dict[str, str]:
    """A clash of datasets, as ``dataset_publish`` tells it: ``label``, ``base``, ``ours`` and ``theirs``."""
    told = Clash(tuple(clash["path"]), clash["base"], clash["ours"], clash["theirs"])
    path = told.path
    of_resource = path[0] == "resources" and len(path) > 2
    name = field_label(path[2], dataset_type, of_resource=True) if of_resource else ""
    shown = (
        f"{field_label('resources', dataset_type)} / {name}"
        if of_resource
        else label(told, dataset_type, of_resource=False)
    )
    return {"label": shown, **{side: text(told, clash[side], dataset_type) for side in ("base", "ours", "theirs")}}


def _as_typed(fields: Fields, form: Fields) -> Fields:
    """The fields that the form has, as it would show them."""
    names = [name for name in form if name not in _NOT_IN_THE_FORM and not name.startswith(("_", "metastore_"))]
    shown: Fields = {name: _typed(fields.get(name)) for name in names if name not in ("extras", "tags")}
    if "extras" in form:
        kept = [item for item in fields.get("extras") or [] if item.get("key") and not item.get("deleted")]
        shown["extras"] = [{"key": item["key"], "value": _typed(item.get("value"))} for item in kept]
    if "tag_string" in form:
        shown["tags"] = [{"name": name} for name in _tags(fields)]
    return shown


def _tags(fields: Fields) -> list[str]:
    if fields.get("tag_string") is not None:
        names = [name.strip() for name in fields["tag_string"].split(",")]
    else:
        names = [tag["name"] for tag in fields.get("tags") or [] if not tag.get("vocabulary_id")]
    return sorted({name for name in names if name})


def _typed(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, (list, dict)):
        return json.dumps(_said(value), sort_keys=True) if value else ""
    return str(value).replace("\r\n", "\n")


def _said(value: Any) -> Any:
    """What a list or a dict says: a form sends empty texts for what is not there, and texts only."""
    if isinstance(value, list):
        return [_said(item) for item in value]
    if isinstance(value, dict):
        return {name: _said(item) for name, item in value.items() if item not in (None, "", [])}
    return _typed(value)


def _as_kept(value: Any) -> Any:
    """A list or a dict again, of what was made a text to be compared."""
    if isinstance(value, str) and value[:1] in ("[", "{"):
        with suppress(ValueError):
            kept = json.loads(value)
            return kept if _said(kept) == kept else value
    return value


def _as_form(document: Fields, mine: Fields, theirs: Fields) -> Fields:
    """What the form shows, each value as the side has it that it comes from."""
    fields = dict(mine)
    for name, value in document.items():
        if name == "extras":
            fields["extras"] = value
        elif name == "tags":
            fields["tag_string"] = ", ".join(tag["name"] for tag in value)
        elif value != _typed(mine.get(name)):
            fields[name] = theirs.get(name)
    return fields
