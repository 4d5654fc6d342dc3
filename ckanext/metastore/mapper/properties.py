"""Which property of the standard says which CKAN field, and what it can say.

A property *carries* a value where the standard allows the value there and it comes back as it was. The patterns are
those of the standard's JSON Schema or narrower, so that every validator agrees, whatever formats it checks.

:see: https://datapackage.org/standard/data-package/ and https://datapackage.org/standard/data-resource/
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, NamedTuple

from ckanext.metastore.core.types import Document

PROFILE = "https://datapackage.org/profiles/2.0/datapackage.json"

Carries = Callable[[Any], bool]


class Field(NamedTuple):
    """The CKAN field that a property stands for, and which of its values the property carries."""

    name: str
    carries: Carries


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and value != ""


def _is_size(value: Any) -> bool:
    return type(value) is int and value >= 0


def _is(pattern: str) -> Carries:
    compiled = re.compile(pattern, re.ASCII)
    return lambda value: isinstance(value, str) and compiled.fullmatch(value) is not None


_is_name = _is(r"[a-z0-9._-]+")
_is_email = _is(r"[\w+-]+(\.[\w+-]+)*@[a-zA-Z0-9-]+(\.[a-zA-Z0-9-]+)+")
_is_media_type = _is(r"[\w.+-]+/[\w.+-]+(;[ -~]+)?")
_is_hash = _is(r"[\w-]+:[a-fA-F0-9]+|[a-fA-F0-9]{32}")
_is_uri = _is(
    r"https?://[a-zA-Z0-9.-]+(:\d+)?"
    r"(/([\w.~!$&'()*+,;=:@/-]|%[0-9a-fA-F]{2})*)?"
    r"([?]([\w.~!$&'()*+,;=:@/?-]|%[0-9a-fA-F]{2})*)?"
    r"(#([\w.~!$&'()*+,;=:@/?-]|%[0-9a-fA-F]{2})*)?"
)
_is_path = _is(
    r"(http|ftp)s?://(?!.*/[.][.](/|$))[^\x00-\x1f\x7f\x85\u2028\u2029]+|\w[\w-]*(\.[\w-]+)*(/[\w-]+(\.[\w-]+)*)*"
)
"""An address, or a file of the repository; no hidden one, and neither with a way out of its folder."""

is_license_name = _is(r"[a-zA-Z0-9._-]+")

PACKAGE_FIELDS = {
    "id": Field("id", _is_text),
    "name": Field("name", _is_name),
    "title": Field("title", _is_text),
    "description": Field("notes", _is_text),
    "homepage": Field("url", _is_uri),
    "version": Field("version", _is_text),
}

RESOURCE_FIELDS = {
    "title": Field("name", _is_text),
    "path": Field("url", _is_path),
    "description": Field("description", _is_text),
    "format": Field("format", _is_text),
    "mediatype": Field("mimetype", _is_media_type),
    "bytes": Field("size", _is_size),
    "hash": Field("hash", _is_hash),
}

CONTRIBUTOR_FIELDS = {
    role: {"title": Field(role, _is_text), "email": Field(f"{role}_email", _is_email)}
    for role in ("author", "maintainer")
}
"""The people whom CKAN has fields for, by their role."""

SOURCE_PROPERTIES = {"title": _is_text, "path": _is_path, "email": _is_email, "version": _is_text}

NO_DATA: list[Any] = []
"""The ``data`` of a resource without a valid path. The standard wants an array, an object or text, and no null."""

README_RESOURCE: Document = {
    "name": "readme",
    "path": "README.md",
    "title": "README",
    "description": "This dataset has no resources. A Data Package has one at least, so this page stands in.",
    "format": "MD",
    "mediatype": "text/markdown",
    "ckan": None,
}
"""What a dataset without resources lists."""
