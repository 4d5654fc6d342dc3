"""Three-way merge of documents, or of dataset dicts, field by field.

Items of known lists are matched by identity, and their fields are merged; any other list is one value. The order of a
list counts as one field. It never clashes: where both sides changed it, ours stands.
"""

from __future__ import annotations

from typing import Any

from ckanext.metastore.core.diff import same
from ckanext.metastore.core.identity import Path, by_identity
from ckanext.metastore.core.order import interleave, only, same_order
from ckanext.metastore.core.types import Clash, Document, Merge

_MISSING: Any = object()
"""The value of a property, or of an item, that is not there: not the same as a null."""


def merge(base: Document, ours: Document, theirs: Document) -> Merge:
    """Bring together what two sides have made of one document.

    What one side alone added, removed or changed is as that side has it; what both changed alike is no clash. Where
    both changed one field, each in its own way, or one removed what the other changed, ours stands and it is a clash.

    >>> merge({"title": "Trees"}, {"title": "Trees", "version": "2"}, {"title": "City trees"}).document
    {'title': 'City trees', 'version': '2'}

    :param base: the last state that both sides have in common
    :returns: the merged document, which shares its values with those given, and the clashes; in a clash, ``None`` also
        stands for a field or an item that is not there
    """
    merger = _Merger()
    return Merge(merger.members((), base, ours, theirs), tuple(merger.clashes))


class _Merger:
    def __init__(self) -> None:
        self.clashes: list[Clash] = []

    def members(self, path: Path, base: dict[str, Any], ours: dict[str, Any], theirs: dict[str, Any]) -> dict[str, Any]:
        """Merge the properties of an object, or the items of a list by their identities."""
        merged = {
            key: self.value((*path, key), *(side.get(key, _MISSING) for side in (base, ours, theirs)))
            for key in [*ours, *(key for key in theirs if key not in ours)]
        }
        return {key: value for key, value in merged.items() if value is not _MISSING}

    def value(self, path: Path, base: Any, ours: Any, theirs: Any) -> Any:
        """Merge whatever stands at one path; any of the three may be missing."""
        if same(base, theirs) or same(ours, theirs):
            return ours
        if same(base, ours):
            return theirs
        items_ours, items_theirs = by_identity(path, ours), by_identity(path, theirs)
        if items_ours is not None and items_theirs is not None:
            return self.items(path, by_identity(path, base) or {}, items_ours, items_theirs)
        if isinstance(ours, dict) and isinstance(theirs, dict):
            return self.members(path, base if isinstance(base, dict) else {}, ours, theirs)
        self.clashes.append(Clash(path, *(None if side is _MISSING else side for side in (base, ours, theirs))))
        return ours

    def items(self, path: Path, base: dict[str, Any], ours: dict[str, Any], theirs: dict[str, Any]) -> list[Any]:
        """Merge a list of known items."""
        merged = self.members(path, base, ours, theirs)
        return [merged[identity] for identity in only(_order(base, ours, theirs), merged)]


def _order(base: dict[str, Any], ours: dict[str, Any], theirs: dict[str, Any]) -> list[str]:
    if same_order(base, ours) and not same_order(base, theirs):
        return interleave(list(theirs), list(ours))
    return interleave(list(ours), list(theirs))
