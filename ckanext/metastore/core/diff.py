"""What differs between two documents, or two dataset dicts: as changes, as a JSON Patch, and as text.

The comparison is JSON's and strict: ``1``, ``1.0``, ``True`` and ``"1"`` are four values, and a property that is
missing is not one that is null.
"""

from __future__ import annotations

from collections.abc import Iterator
from io import StringIO
from typing import Any

from ckanext.metastore.core.identity import Path, by_identity
from ckanext.metastore.core.order import interleave, longest_increasing, only, same_order
from ckanext.metastore.core.patience import PatienceMatcher
from ckanext.metastore.core.types import Change, Document

Opcode = tuple[str, int, int, int, int]
"""What difflib tells of a stretch: ``"equal"`` or how it differs, its start and end in ``a``, then in ``b``."""


def diff(a: Document, b: Document) -> list[Change]:
    """List what changed from ``a`` to ``b``, field by field, properties in alphabetical order, items in ``b``'s.

    The items of a known list are matched by identity, and their fields are compared: ``("resources", "<id>", "url")``.
    An item that came or went is one change that carries the whole item. Where items that both have stand in another
    order, there is one change of the kind ``"moved"`` at the list, with the identities of both.

    >>> for change in diff({"title": "Trees"}, {"title": "City trees", "version": "2"}):
    ...     print(change.kind, change.path, change.old, change.new)
    changed ('title',) Trees City trees
    added ('version',) None 2

    :returns: an empty list where the two are equal, and only there; the values are those of ``a`` and ``b``, not copies
    """
    return list(_properties((), a, b))


def json_patch(a: Document, b: Document) -> list[dict[str, Any]]:
    """Give the JSON Patch that makes ``b`` of ``a``.

    Items of known lists are matched by identity: one that came, went or moved is one operation, and so is a field that
    changed in one of them. Any other list is replaced whole.

    >>> json_patch({"title": "Trees", "keywords": ["oak"]}, {"title": "Trees", "keywords": ["elm", "oak"]})
    [{'op': 'add', 'path': '/keywords/0', 'value': 'elm'}]

    :returns: operations ``add``, ``remove``, ``replace`` and ``move``; none where the two are equal
    :see: https://www.rfc-editor.org/rfc/rfc6902
    """
    return list(_patch_object("", (), a, b))


def unified(a: bytes | str, b: bytes | str, *, label_a: str, label_b: str, path: str = "datapackage.json") -> str:
    """Give the difference of two versions of a file as ``git diff`` shows it; ``patch -p1`` and ``git apply`` take it.

    :param label_a: what ``a`` is called instead of Git's ``a/``, such as a tag or a short sha
    :param path: the file's path in its repository
    :returns: an empty text where the two are equal; bytes that are no UTF-8 stand there as ``\\xff``
    :see: https://www.gnu.org/software/diffutils/manual/html_node/Detailed-Unified.html
    """
    lines_a, lines_b = _lines(a), _lines(b)
    if lines_a == lines_b:
        return ""
    header = f"diff --git {label_a}/{path} {label_b}/{path}\n--- {label_a}/{path}\n+++ {label_b}/{path}\n"
    groups = PatienceMatcher(lines_a, lines_b).get_grouped_opcodes()
    return header + "".join(_hunk(opcodes, lines_a, lines_b) for opcodes in groups)


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


def _patch_object(pointer: str, path: Path, a: dict[str, Any], b: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for key in sorted(a.keys() | b.keys()):
        target = f"{pointer}/{key.replace('~', '~0').replace('/', '~1')}"
        if key not in b:
            yield {"op": "remove", "path": target}
        elif key not in a:
            yield {"op": "add", "path": target, "value": b[key]}
        else:
            yield from _patch_value(target, (*path, key), a[key], b[key])


def _patch_value(pointer: str, path: Path, a: Any, b: Any) -> Iterator[dict[str, Any]]:
    items_a, items_b = by_identity(path, a), by_identity(path, b)
    if items_a is not None and items_b is not None:
        yield from _patch_items(pointer, path, items_a, items_b)
    elif isinstance(a, dict) and isinstance(b, dict):
        yield from _patch_object(pointer, path, a, b)
    elif not same(a, b):
        yield {"op": "replace", "path": pointer, "value": b}


def _patch_items(pointer: str, path: Path, a: dict[str, Any], b: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for index, identity in reversed(list(enumerate(a))):
        if identity not in b:
            yield {"op": "remove", "path": f"{pointer}/{index}"}
    yield from _arrange(pointer, only(a, b), b)
    for index, (identity, item) in enumerate(b.items()):
        if identity in a:
            yield from _patch_value(f"{pointer}/{index}", (*path, identity), a[identity], item)


def _arrange(pointer: str, present: list[str], wanted: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Add and move items, front to back, until the list is as wanted; as many as can stay where they are."""
    place = {identity: index for index, identity in enumerate(present)}
    kept = only(wanted, place)
    staying = {kept[n] for n in longest_increasing([place[identity] for identity in kept])}
    index = 0
    for identity, item in wanted.items():
        if identity in staying:
            index = present.index(identity, index) + 1
            continue
        if identity in place:
            start = present.index(identity)
            del present[start]
            index -= start < index
            yield {"op": "move", "from": f"{pointer}/{start}", "path": f"{pointer}/{index}"}
        else:
            yield {"op": "add", "path": f"{pointer}/{index}", "value": item}
        present.insert(index, identity)
        index += 1


def _lines(content: bytes | str) -> list[str]:
    """Split at newlines only, as Git does: a carriage return or a form feed is part of its line."""
    text = content.decode(errors="backslashreplace") if isinstance(content, bytes) else content
    return list(StringIO(text, newline="\n"))


def _hunk(opcodes: list[Opcode], lines_a: list[str], lines_b: list[str]) -> str:
    (_, i, _, j, _), (_, _, i_end, _, j_end) = opcodes[0], opcodes[-1]
    parts = [f"@@ -{_range(i, i_end)} +{_range(j, j_end)} @@\n"]
    for tag, i, i_end, j, j_end in opcodes:
        if tag == "equal":
            parts += _marked(" ", lines_a[i:i_end])
        else:
            parts += _marked("-", lines_a[i:i_end]) + _marked("+", lines_b[j:j_end])
    return "".join(parts)


def _range(start: int, end: int) -> str:
    """Write a range of lines as hunk headers do: counted from 1, an empty one by the line before it."""
    size = end - start
    return str(end) if size == 1 else f"{start + (size > 0)},{size}"


def _marked(mark: str, lines: list[str]) -> list[str]:
    return [mark + (line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n") for line in lines]
