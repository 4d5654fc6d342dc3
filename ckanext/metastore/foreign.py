"""What somebody else wrote into ``datapackage.json``, and how much of it may come into CKAN.

It may be by anybody who can write at the Git host, so nothing in it is trusted. What says whose the dataset is, who may
see it, and where uploaded files are, is taken from CKAN, whatever it says. What no editor would write is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from ckanext.metastore import mapper
from ckanext.metastore.core import Invalid
from ckanext.metastore.core.diff import diff
from ckanext.metastore.core.document import parse_document
from ckanext.metastore.core.restore import KEPT_FIELDS
from ckanext.metastore.core.types import Document

Dataset = dict[str, Any]

MAX_SIZE = 5_000_000
"""Bytes of a document. The largest that public portals have are about 1 MB."""

MAX_DEPTH = 50
"""Levels of lists and objects in each other."""

MAX_ITEMS = 1_000
"""Resources, extras, tags, or groups of a dataset that had fewer; no more than twice as many, where it had more."""

_FIELD = "datapackage.json"
_LISTS = ("resources", "extras", "tags", "groups")
_KEPT = (*KEPT_FIELDS, "type")
_OF_UPLOADS = ("url", "url_type", "hash", "size", "mimetype", "last_modified")
_NO_FIELDS_OF_RESOURCES = frozenset(
    {"upload", "clear_upload", "plugin_data", "state", "url_type", "revision_message", "base_revision"}
)
_ACTIVE = re.compile(r"<\s*/?\s*script\b|^\s*(javascript|vbscript)\s*:|^\s*data\s*:\s*[\w.+-]+/[\w.+-]", re.IGNORECASE)
_LEAVES_ITS_FOLDER = re.compile(r"(^|[/\\])\.\.([/\\]|$)")


def read(data: bytes, dataset_id: str) -> Document:
    """Read somebody's document.

    :raises Invalid: it is none, or not this dataset's
    """
    try:
        document = parse_document(data)
    except Invalid as error:
        raise Invalid(_FIELD, error.reason) from error
    if _depth(document) > MAX_DEPTH:
        raise Invalid(_FIELD, f"is nested more than {MAX_DEPTH} levels deep")
    if any(map(_is_unstorable, _texts(document))):
        raise Invalid(_FIELD, "holds a text that no database stores: a NUL, or half of a character")
    found = mapper.to_dataset(document).get("id")
    if found != dataset_id:
        raise Invalid(_FIELD, f"is not of this dataset: its id must be {dataset_id}, not {found!r:.60}")
    return document


def dataset(document: Document, base: Dataset, ours: Dataset) -> Dataset:
    """Read the document as a dataset, with what is not theirs to say as it was in ``base``.

    :param base: the dataset when their history and ours parted
    :param ours: the dataset as CKAN has it
    :raises Invalid: it has more resources, extras, tags or groups than any editor would add
    """
    theirs = mapper.to_dataset(document)
    for name in _LISTS:
        if len(theirs[name]) > max(MAX_ITEMS, 2 * len(ours[name])):
            raise Invalid(_FIELD, f"has {len(theirs[name]):,} {name}")
    fields = {key: value for key, value in theirs.items() if key in ours or key in base}
    fields = {key: value for key, value in fields.items() if key not in _KEPT}
    fields |= {key: base[key] for key in _KEPT if key in base}
    return {**fields, "resources": list(_resources(theirs["resources"], _by_id(base), _by_id(ours)))}


def check_changes(ours: Dataset, merged: Dataset) -> None:
    """Look at what is new in the dataset that is to be saved.

    :raises Invalid: something that a browser would run, or a path that leaves its folder
    """
    for change in diff(ours, merged):
        where = " / ".join(change.path)
        for text in _texts(change.new):
            if _ACTIVE.search(text):
                raise Invalid(where, "holds a script, or an address that is one")
            if change.path[0] == "resources" and _LEAVES_ITS_FOLDER.search(text):
                raise Invalid(where, "is a path that leaves its folder")


def _by_id(dataset: Dataset) -> dict[str, Dataset]:
    return {resource["id"]: resource for resource in dataset["resources"] if "id" in resource}


def _resources(theirs: list[Dataset], base: Mapping[str, Dataset], ours: Mapping[str, Dataset]) -> Iterator[Dataset]:
    """Each resource with what is ours to say of it; one that is new has no id yet."""
    known = {**ours, **base}
    seen: set[str] = set()
    for resource in theirs:
        fields = {key: value for key, value in resource.items() if key not in _NO_FIELDS_OF_RESOURCES}
        fields = {key: value for key, value in fields.items() if not key.startswith("__")}
        id_ = fields.pop("id", None)
        if not isinstance(id_, str) or id_ not in known or id_ in seen:
            yield fields
            continue
        seen.add(id_)
        was = known[id_]
        # The file may have come since, or may have gone.
        uploaded = any(side.get(id_, {}).get("url_type") == "upload" for side in (base, ours))
        kept = _OF_UPLOADS if uploaded else ("url_type",)
        fields = {key: value for key, value in fields.items() if key not in kept}
        yield {**fields, **{key: was[key] for key in ("id", "state", *kept) if key in was}}


def _texts(value: Any) -> Iterator[str]:
    """Every text in a JSON value, names of properties too."""
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, str):
            yield item
        elif isinstance(item, dict):
            yield from item
            waiting.extend(item.values())
        elif isinstance(item, list):
            waiting.extend(item)


def _is_unstorable(text: str) -> bool:
    return "\0" in text or any("\ud800" <= character <= "\udfff" for character in text)


def _depth(value: Any) -> int:
    level, deepest = [value], 0
    while level := [inner for item in level for inner in _inner(item)]:
        deepest += 1
        if deepest > MAX_DEPTH:
            break
    return deepest


def _inner(value: Any) -> list[Any]:
    return list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []
