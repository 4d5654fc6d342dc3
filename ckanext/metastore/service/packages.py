"""Request bodies: JSON within limits, Data Packages that are valid; those of version 1 made version 2.

:see: https://datapackage.org/overview/changelog/
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any, NoReturn

from jsonschema import Draft7Validator, FormatChecker, ValidationError

from ckanext.metastore import core
from ckanext.metastore.core import MetastoreError
from ckanext.metastore.core.types import Document

V1 = "https://datapackage.org/profiles/1.0/datapackage.json"
V2 = "https://datapackage.org/profiles/2.0/datapackage.json"

ERRORS = 20
"""How many errors are told at once."""

_SCHEMA = Path(core.__file__).parent / "schema" / "datapackage-2.0.json"
_TABULAR = ("tabular-data-package", "tabular-data-resource")
_KNOWN = (*_TABULAR, "data-package", "data-resource")
"""What version 1 calls a profile, and version 2 says by ``$schema`` and by a resource's ``type``."""


class Malformed(MetastoreError):
    """A body that is no JSON, or not within the limits."""


class InvalidPackage(MetastoreError):
    """A Data Package that is not valid.

    :param errors: pairs of where (a JSON Pointer) and what
    """

    def __init__(self, errors: list[tuple[str, str]]) -> None:
        super().__init__("it is no valid Data Package")
        self.errors = errors


def parse(body: bytes, *, depth: int) -> Any:
    """Read JSON, strictly: UTF-8, no key twice, no NaN.

    :param depth: how many levels it may have
    :raises Malformed: it is not so
    """
    try:
        value = json.loads(body.decode(), parse_constant=_refuse, object_pairs_hook=_without_twins)
    except RecursionError:
        raise Malformed(f"the body has more than {depth} levels") from None
    except ValueError as error:
        raise Malformed(f"the body is no JSON: {error}") from None
    if _deeper_than(value, depth):
        raise Malformed(f"the body has more than {depth} levels")
    return value


def package(value: Any) -> Document:
    """A Data Package of version 2, of one of version 1 or 2; what it says beside the standard is kept.

    :raises InvalidPackage: it is not valid
    """
    document = upgraded(value) if isinstance(value, dict) else value
    errors = [_told(error) for error in islice(schema_validator().iter_errors(document), ERRORS)]
    if errors:
        raise InvalidPackage(errors)
    return document


def upgraded(document: Document) -> Document:
    """Say in version 2's words what version 1 says in its own. Another ``$schema`` than version 1's is left alone."""
    if document.get("$schema", V1) != V1:
        return document
    made = {"$schema": V2, **{key: value for key, value in document.items() if key != "$schema"}}
    table = made.get("profile") == _TABULAR[0]
    if made.get("profile") in _KNOWN:
        del made["profile"]
    if isinstance(made.get("resources"), list):
        made["resources"] = [_upgraded_resource(resource, table) for resource in made["resources"]]
    if isinstance(made.get("contributors"), list):
        made["contributors"] = [_upgraded_contributor(contributor) for contributor in made["contributors"]]
    return made


def merged(target: Any, patch: Any) -> Any:
    """Apply a JSON Merge Patch (RFC 7396)."""
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merged(result.get(key), value)
    return result


@cache
def schema() -> dict[str, Any]:
    """The standard, version 2, as JSON Schema of draft 7."""
    found: dict[str, Any] = json.loads(_SCHEMA.read_text(encoding="utf-8"))
    return found


@cache
def schema_validator() -> Draft7Validator:
    """What checks packages."""
    return Draft7Validator(schema(), format_checker=_FORMATS)


_FORMATS = FormatChecker(formats=("email",))
_TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:\S+")


@_FORMATS.checks("date-time")
def _is_time(value: Any) -> bool:
    return not isinstance(value, str) or _TIME.fullmatch(value) is not None


@_FORMATS.checks("uri")
def _is_uri(value: Any) -> bool:
    return not isinstance(value, str) or _URI.fullmatch(value) is not None


def pointer(path: Any) -> str:
    """Write the way to a value as a JSON Pointer (RFC 6901)."""
    return "".join(f"/{str(key).replace('~', '~0').replace('/', '~1')}" for key in path)


def _upgraded_resource(resource: Any, table: bool) -> Any:
    if not isinstance(resource, dict):
        return resource
    made = dict(resource)
    table = table or made.get("profile") == _TABULAR[1]
    if made.get("profile") in _KNOWN:
        del made["profile"]
    return {**made, "type": "table"} if table and "type" not in made else made


def _upgraded_contributor(contributor: Any) -> Any:
    if not isinstance(contributor, dict) or "roles" in contributor or not isinstance(contributor.get("role"), str):
        return contributor
    kept = {key: value for key, value in contributor.items() if key != "role"}
    return {**kept, "roles": [contributor["role"]]}


def _told(error: ValidationError) -> tuple[str, str]:
    message = error.message if len(error.message) <= 300 else f"{error.message[:300]}..."
    return pointer(error.absolute_path), message


def _deeper_than(value: Any, depth: int) -> bool:
    level = [value]
    for _ in range(depth):
        level = [child for item in level for child in _children(item)]
    return any(isinstance(item, (dict, list)) for item in level)


def _children(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def _without_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("an object has a key twice")
    return found


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON number")
