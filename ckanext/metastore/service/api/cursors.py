"""Pages: how many entries, from where, and where the next one is. A cursor means nothing to who gets it."""

from __future__ import annotations

import base64
import binascii
import json
from typing import Any
from urllib.parse import urlencode

from flask import request

from ckanext.metastore.core import Invalid
from ckanext.metastore.service.api.call import Call
from ckanext.metastore.service.api.routing import Parameter
from ckanext.metastore.service.api.shapes import text

DEFAULT_LIMIT = 20

LIMIT = Parameter(
    "limit", {"type": "integer", "minimum": 1, "maximum": 1000}, "How many entries at most", default=DEFAULT_LIMIT
)
CURSOR = Parameter("cursor", text(minLength=1, maxLength=400), "Where the page begins, as the Link before has it")


def limit(call: Call) -> int:
    """How many entries the page may have: what is asked for, and no more than is set."""
    return int(min(call.query["limit"], call.service.settings.limits_page))


def names(cursor: str | None) -> tuple[str, str]:
    """Read a cursor in a list of datasets."""
    if cursor is None:
        return "", ""
    match _decoded(cursor):
        case [str(owner), str(name)]:
            return owner, name
    raise _bad()


def of_names(owner: str, name: str) -> str:
    """Write one."""
    return _encoded([owner, name])


def place(cursor: str | None) -> int | None:
    """Read a cursor in a history."""
    if cursor is None:
        return None
    match _decoded(cursor):
        case int(found) if 0 < found < 2**62:
            return found
    raise _bad()


def of_place(seq: int) -> str:
    """Write one."""
    return _encoded(seq)


def link(call: Call, cursor: str | None) -> dict[str, str]:
    """Give the header that names the next page, where there is one (RFC 8288)."""
    if cursor is None:
        return {}
    query = {name: value for name, value in call.query.items() if value is not None}
    return {"Link": f'<{request.path}?{urlencode({**query, "cursor": cursor})}>; rel="next"'}


def _encoded(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def _decoded(cursor: str) -> Any:
    try:
        found = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        json.dumps(found, ensure_ascii=False).encode()
    except (ValueError, binascii.Error, RecursionError):
        raise _bad() from None
    return found


def _bad() -> Invalid:
    return Invalid("cursor", "it is none that was given here")
