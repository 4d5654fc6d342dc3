"""How the items of a list are known: by what they are, not by their place.

Two shapes travel here, the CKAN dataset dict and the Data Package document, and both hold the same four lists:
resources, extras, tags and groups, the last three of a document under its ``ckan`` property. A document's ``keywords``
are known by themselves. Every other list has no identity: it is a value, equal or not.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Path = tuple[str, ...]
"""The keys from the root of a dataset dict or a document."""


def by_identity(path: Path, value: Any) -> dict[str, Any] | None:
    """Give the items of a known list under their identities, in the list's order.

    No item is lost: the second of two that would be known by the same identity is known as ``<identity>#2``.

    :param path: where in the dataset dict or the document the list stands
    :returns: ``None`` where ``value`` is not a list, or not one whose items have identities
    """
    rule = _RULES.get(path)
    if rule is None or not isinstance(value, list):
        return None
    item_type, identity = rule
    if not all(isinstance(item, item_type) for item in value):
        return None
    items: dict[str, Any] = {}
    seen: dict[str, int] = {}
    for item in value:
        known_as = identity(item)
        number = seen.get(known_as, 0) + 1
        while _numbered(known_as, number) in items:
            number += 1
        # The next of this name goes on from here: to count anew each time takes hours, where somebody wants it to.
        seen[known_as] = number
        items[_numbered(known_as, number)] = item
    return items


def _numbered(identity: str, number: int) -> str:
    return identity if number == 1 else f"{identity}#{number}"


def _resource(item: dict[str, Any]) -> str:
    ckan = item.get("ckan")
    known_as = (ckan.get("id") if isinstance(ckan, dict) else None) or item.get("id")
    return _text(known_as) or _text(item.get("name"), item.get("path") or item.get("url"))


def _extra(item: dict[str, Any]) -> str:
    return _text(item.get("key"))


def _tag(item: dict[str, Any]) -> str:
    return "/".join(filter(None, (_text(item.get("vocabulary_id")), _text(item.get("name")))))


def _group(item: dict[str, Any]) -> str:
    return _text(item.get("id") or item.get("name"))


def _text(*values: Any) -> str:
    return " ".join(str(value) for value in values if value is not None)


_RULES: dict[Path, tuple[type, Callable[[Any], str]]] = {
    ("resources",): (dict, _resource),
    ("extras",): (dict, _extra),
    ("tags",): (dict, _tag),
    ("groups",): (dict, _group),
    ("ckan", "extras"): (dict, _extra),
    ("ckan", "tags"): (dict, _tag),
    ("ckan", "groups"): (dict, _group),
    ("keywords",): (str, str),
}
