"""Errors as problem documents (RFC 9457), in one shape, whoever raised them."""

from __future__ import annotations

import json
import logging
from typing import Any

from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException
from werkzeug.http import HTTP_STATUS_CODES

from ckanext.metastore.authz import InvalidToken
from ckanext.metastore.core import (
    Conflict,
    Invalid,
    InvalidName,
    MetastoreError,
    NotFound,
    RateLimited,
)
from ckanext.metastore.service.api.shapes import revision_shape
from ckanext.metastore.service.packages import InvalidPackage, Malformed

log = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER = 5
"""Seconds after which it is worth trying again what did not work."""

DRAINED = 16 * 1024 * 1024
"""Bytes of a body that is too large which are taken, and forgotten."""


class Problem(Exception):
    """What goes wrong in HTTP itself.

    :param errors: what is wrong with which field
    """

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        errors: list[tuple[str, str]] | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.errors = errors or []
        self.headers = headers or {}


def problem(
    status: int,
    detail: str,
    *,
    errors: list[tuple[str, str]] | None = None,
    headers: dict[str, str] | None = None,
    **more: Any,
) -> Response:
    """Make the document."""
    said: dict[str, Any] = {
        "type": "about:blank",
        "title": HTTP_STATUS_CODES.get(status, "Error"),
        "status": status,
        "detail": detail,
        **more,
    }
    if errors:
        said["errors"] = [{"field": field, "reason": reason} for field, reason in errors]
    body = json.dumps(said, ensure_ascii=False).encode("utf-8", "backslashreplace")
    response = Response(body, status=status, content_type=MEDIA_TYPE)
    response.headers.update({"Cache-Control": "no-store", **(headers or {})})
    return response


def unauthorized(detail: str, *, invalid: bool) -> Problem:
    """Ask for a token, or for a better one (RFC 6750)."""
    challenge = 'Bearer realm="metastore"' + (', error="invalid_token"' if invalid else "")
    return Problem(401, detail, headers={"WWW-Authenticate": challenge})


def install(app: Flask) -> None:
    """Answer every error so."""
    app.register_error_handler(Problem, _told)
    app.register_error_handler(MetastoreError, of_error)
    app.register_error_handler(HTTPException, _of_http)
    app.register_error_handler(Exception, _unexpected)


def of_error(error: MetastoreError) -> Response:
    """Answer one of the store's errors."""
    if isinstance(error, InvalidToken):
        return _told(unauthorized("the token is not valid here", invalid=True))
    if isinstance(error, NotFound):
        return problem(404, f"there is no {error.kind} {error.ref}", kind=error.kind, ref=error.ref)
    if isinstance(error, Malformed):
        return problem(400, str(error))
    if isinstance(error, Conflict):
        return _of_conflict(error)
    if isinstance(error, (Invalid, InvalidName, InvalidPackage)):
        errors = error.errors if isinstance(error, InvalidPackage) else [(error.field, error.reason)]
        return problem(422, str(error), errors=errors)
    return _of_outage(error)


def _of_conflict(error: Conflict) -> Response:
    if error.current is None or "If-Match" not in request.headers:
        return problem(409, str(error))
    return problem(412, str(error), current=revision_shape(error.current))


def _of_outage(error: MetastoreError) -> Response:
    log.warning("%s %s: %s", request.method, request.path, error)
    seconds = max(1, round(error.retry_after)) if isinstance(error, RateLimited) else RETRY_AFTER
    return problem(503, "the store does not answer now; try again", headers={"Retry-After": str(seconds)})


def _told(error: Problem) -> Response:
    return problem(error.status, error.detail, errors=error.errors, headers=error.headers)


def _of_http(error: HTTPException) -> Response:
    if error.response is not None and error.code is None:
        return problem(500, "something went wrong here")
    if error.code == 413:
        _drain()
    headers = {name: value for name, value in error.get_headers() if name in ("Allow", "Location", "Retry-After")}
    return problem(error.code or 500, error.description or "", headers=headers)


def _drain() -> None:
    """Take some more of a body that is too large: a client listens when it has sent it, and may ask more then."""
    left = DRAINED
    while left > 0 and (chunk := request.environ["wsgi.input"].read(min(left, 65_536))):
        left -= len(chunk)


def _unexpected(error: Exception) -> Response:
    # What it says may hold what is nobody's business.
    log.error("%s %s failed", request.method, request.path, exc_info=error)
    return problem(500, "something went wrong here; the log says more")
