"""What differs between two documents, or two dataset dicts: as changes, as a JSON Patch, and as text.

The comparison is JSON's and strict: ``1``, ``1.0``, ``True`` and ``"1"`` are four values, and a property that is missing
is not one that is null.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ckanext.metastore.core.identity import Path, by_identity
from ckanext.metastore.core.order import interleave, same_order
from ckanext.metastore.core.types import Change, Document


def diff(a: Document, b: Document) -> list[Change]:
    """List what changed from ``a`` to ``b``, field by field, properties in alphabetical order, items in ``b``'s.

    The items of a known list are matched by identity, and their fields are compared: ``("resources", "<id>", "url")``.
    An item that came or went is one change that carries the whole item. Where items that both have stand in another
    order, there is one change of the kind ``"moved"`` at the list, with the identities of both.

    >>> diff({"title": "Trees"}, {"title": "City trees", "version": "2"})
    [Change(kind='changed', path=('title',), old='Trees', new='City trees'),
     Change(kind='added', path=('version',), old=None, new='2')]

    :returns: an empty list where the two are equal, and only there; the values are those of ``a`` and ``b``, not copies
    """
    return list(_properties((), a, b))


def same(a: Any, b: Any) -> bool:
    """Tell whether two JSON values are equal, and equal in type all the way down."""
    if type(a) is not type(b):
        return False
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(value, b[key]) for key, value in a.items())
    if isinstance(a, list):
        return len(a) == len(b) and all(map(same, a, b))
    return bool(a == b)


def _properties(path: Path, a: dict[str, Any], b: dict[str, Any]) -> Iterator[Change]:
    for key in sorted(a.keys() | b.keys()):
        yield from _member((*path, key), key, a, b)


def _items(path: Path, a: dict[str, Any], b: dict[str, Any]) -> Iterator[Change]:
    if not same_order(a, b):
        yield Change("moved", path, list(a), list(b))
    for identity in interleave(list(b), list(a)):
        yield from _member((*path, identity), identity, a, b)


def _member(path: Path, key: str, a: dict[str, Any], b: dict[str, Any]) -> Iterator[Change]:
    if key not in a:
        yield Change("added", path, None, b[key])
    elif key not in b:
        yield Change("removed", path, a[key], None)
    else:
        yield from _value(path, a[key], b[key])


def _value(path: Path, a: Any, b: Any) -> Iterator[Change]:
    items_a, items_b = by_identity(path, a), by_identity(path, b)
    if items_a is not None and items_b is not None:
        yield from _items(path, items_a, items_b)
    elif isinstance(a, dict) and isinstance(b, dict):
        yield from _properties(path, a, b)
    elif not same(a, b):
        yield Change("changed", path, a, b)
