"""Documents as files: canonical JSON, and what stands in a repository's root.

Canonical means that equal documents give equal bytes, in whatever order their keys came.

:see: https://datapackage.org/standard/data-package/
"""

from __future__ import annotations

import json
import math
import re
from typing import Any, NoReturn
from urllib.parse import quote

from ckanext.metastore.core.errors import Invalid
from ckanext.metastore.core.lfs import LFS_PATHS, lfs_files
from ckanext.metastore.core.readme import readme
from ckanext.metastore.core.types import Document, Site

DOCUMENT_PATH = "datapackage.json"
README_PATH = "README.md"

DEPTH_LIMIT = 100
"""Levels of nesting. Deeper documents would break other people's JSON parsers, and Python's."""

_PACKAGE_FIRST = (
    "$schema",
    "name",
    "id",
    "title",
    "description",
    "version",
    "created",
    "homepage",
    "image",
    "keywords",
    "licenses",
    "sources",
    "contributors",
)
_PACKAGE_LAST = ("resources", "ckan")
_RESOURCE_FIRST = (
    "$schema",
    "name",
    "id",
    "path",
    "data",
    "title",
    "description",
    "type",
    "format",
    "mediatype",
    "encoding",
    "bytes",
    "hash",
    "dialect",
    "schema",
)
_RESOURCE_LAST = ("ckan",)

_SURROGATE = re.compile("[\ud800-\udfff]")


def canonical_json(document: Document) -> bytes:
    """Write a document: UTF-8, two spaces, one final newline, people's order of the standard's properties.

    A lone surrogate, which UTF-8 cannot carry, is escaped.

    :raises Invalid: it holds what JSON cannot: NaN, a key that is no text, a date, a hundred levels of nesting
    """
    if not isinstance(document, dict):
        raise Invalid("document", f"it must be a JSON object, not {type(document).__name__}")
    ordered = _in_order(_plain(document, 1), _PACKAGE_FIRST, _PACKAGE_LAST)
    if isinstance(ordered.get("resources"), list):
        ordered["resources"] = [
            _in_order(resource, _RESOURCE_FIRST, _RESOURCE_LAST) if isinstance(resource, dict) else resource
            for resource in ordered["resources"]
        ]
    try:
        text = json.dumps(ordered, ensure_ascii=False, indent=2, allow_nan=False)
    except ValueError as error:  # an integer of more than 4,300 digits
        raise Invalid("document", str(error)) from error
    return (_SURROGATE.sub(lambda match: f"\\u{ord(match[0]):04x}", text) + "\n").encode()


def parse_document(data: bytes) -> Document:
    """Read what ``datapackage.json`` says.

    :raises Invalid: it is no JSON object
    """
    try:
        document = json.loads(data, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise Invalid("document", f"it is no valid JSON: {error}") from error
    if not isinstance(document, dict):
        raise Invalid("document", f"it must be a JSON object, not {type(document).__name__}")
    return document


def files(document: Document, site: Site | None, package_id: str) -> dict[str, bytes]:
    """Give the files that a revision of this document generates, by their paths.

    :raises Invalid: the document cannot be stored
    """
    page_url = site.dataset_url.replace("{id}", quote(package_id, safe="", errors="replace")) if site else ""
    made = {DOCUMENT_PATH: canonical_json(document), README_PATH: readme(document, page_url=page_url)}
    return {**made, **lfs_files(document, site.lfs_url, package_id)} if site and site.lfs_url else made


def generated_names(site: Site | None) -> frozenset[str]:
    """Name what a revision replaces in a repository's root; all else belongs to somebody else."""
    return frozenset({DOCUMENT_PATH, README_PATH}) | (LFS_PATHS if site and site.lfs_url else frozenset())


def _plain(value: Any, depth: int) -> Any:
    """Copy a JSON value with its keys sorted; refuse any other value."""
    if isinstance(value, float) and not math.isfinite(value):
        raise Invalid("document", f"{value} is no JSON number")
    if value is None or isinstance(value, (str, int, float)):
        return value
    if depth > DEPTH_LIMIT:
        raise Invalid("document", f"it is nested more than {DEPTH_LIMIT} levels deep")
    if isinstance(value, (list, tuple)):
        return [_plain(item, depth + 1) for item in value]
    if isinstance(value, dict):
        return {_key(key): _plain(value[key], depth + 1) for key in sorted(value, key=_key)}
    raise Invalid("document", f"a value of type {type(value).__name__} is no JSON value")


def _key(key: Any) -> str:
    if not isinstance(key, str):
        raise Invalid("document", f"the key {key!r} is no text")
    return key


def _in_order(properties: dict[str, Any], first: tuple[str, ...], last: tuple[str, ...]) -> dict[str, Any]:
    """Order an object's keys: the first ones as listed, those that are not listed as they come, the last ones."""
    rest = [key for key in properties if key not in first and key not in last]
    return {key: properties[key] for key in [*first, *rest, *last] if key in properties}


def _refuse_constant(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON number")
