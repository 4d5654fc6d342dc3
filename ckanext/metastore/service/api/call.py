"""One request, checked against its route before the handler sees it."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from urllib.parse import quote

from flask import Response, request
from jsonschema import Draft202012Validator
from werkzeug.datastructures import ETags
from werkzeug.exceptions import RequestEntityTooLarge

from ckanext.metastore.authz import Claims
from ckanext.metastore.core import NotFound
from ckanext.metastore.core.types import Document
from ckanext.metastore.service import packages
from ckanext.metastore.service.api.problems import Problem, unauthorized
from ckanext.metastore.service.api.routing import JSON, Route
from ckanext.metastore.service.datasets import NAME, Dataset
from ckanext.metastore.service.saving import Base, By
from ckanext.metastore.service.service import Service

_INTEGER = re.compile(r"-?[0-9]{1,18}")


@dataclass
class Call:
    """A request.

    :param path: the parts of the path that its route names
    :param query: the query's parameters as values; None where one was left out and has no default
    :param claims: what the token says; None where there is none
    """

    service: Service
    route: Route
    path: dict[str, str]
    query: dict[str, Any] = field(default_factory=dict)
    claims: Claims | None = None
    found: Dataset | None = None
    _body: Any = None

    @classmethod
    def of(cls, service: Service, route: Route, path: dict[str, str]) -> Call:
        """Read the request, but for its body: first it is asked who sends it.

        :raises Problem: a parameter is wrong
        :raises InvalidToken: the token is
        """
        call = cls(service, route, path)
        if not route.is_open:
            call.claims = service.access.claims(request.headers.get("Authorization"))
        call.query = _query(route)
        return call

    # -- who may ----------------------------------------------------------------------------------------------

    @property
    def dataset(self) -> Dataset:
        """The dataset that the path names."""
        assert self.found is not None
        return self.found

    @property
    def private(self) -> bool:
        """Whether the caller may see private revisions."""
        return self.service.access.sees_private(self.claims, self.dataset)

    def authorize(self) -> None:
        """Find the dataset, and see whether the token allows what is asked for.

        :raises Problem: it does not
        :raises NotFound: there is no such dataset, and the token allows to be told so
        """
        if self.route.operation is None:
            return
        if self.route.operation == "create":
            self.require_create(self.query["owner"])
            return
        self._find(self.route.operation, self.path["owner"], self.path["name"])

    def _find(self, operation: str, owner: str, name: str) -> None:
        access = self.service.access
        found = self.service.store.look(owner, name) if _is_name(owner) and _is_name(name) else None
        if found is not None and access.permits(self.claims, operation, found):
            self.found = found
            return
        if found is None and self.route.method == "GET":
            self._redirect(operation, owner, name)
        if not access.permits_name(self.claims, operation, owner, name):
            raise self.refusal(operation)
        if found is not None and not found.deleted:
            raise Problem(403, "the token is older than the dataset, so it may mean another one; get a new token")
        raise NotFound("dataset", f"{owner}/{name}")

    def _redirect(self, operation: str, owner: str, name: str) -> None:
        """Send who may read it to a dataset that was called so before it was moved."""
        moved = self.service.store.moved(owner, name)
        if moved is not None and self.service.access.permits(self.claims, operation, moved):
            said = {**self.path, "owner": moved.owner, "name": moved.name}
            location = self.route.path.format_map({part: quote(value, safe="") for part, value in said.items()})
            location += f"?{request.query_string.decode('latin-1')}" if request.query_string else ""
            raise Problem(308, f"the dataset is called {moved.full_name} now", headers={"Location": location})

    def require_create(self, owner: str) -> None:
        """See whether the token allows a new dataset of this owner."""
        if not self.service.access.may_create(self.claims, owner):
            raise self.refusal("create")

    def refusal(self, operation: str) -> Problem:
        """Say that the token does not allow it, or that there is none."""
        if self.claims is None:
            return unauthorized("this needs a token: Authorization: Bearer ...", invalid=False)
        return Problem(403, f"the token has no scope for this: {operation}")

    # -- what is said ------------------------------------------------------------------------------------------

    @property
    def body(self) -> Any:
        """The body, valid by the route's schema.

        :raises Problem: it is not
        :raises Malformed: it is no JSON
        """
        if self._body is None:
            self._body = self._read()
        return self._body

    def package(self, value: Any = None) -> Document:
        """The body, or another value, as a Data Package of version 2.

        :raises InvalidPackage: it is not valid
        """
        return packages.package(self.body if value is None else value)

    def by(self, message: str | None = None) -> By:
        """Who does this, and why."""
        said = message if message is not None else self.query.get("message") or ""
        return By(self.service.access.author(self.claims), (self.claims and self.claims.subject) or "", said)

    @property
    def base(self) -> Base:
        """The revisions that the client may have seen, by If-Match.

        :raises Problem: it must say so here, and does not
        """
        if "If-Match" not in request.headers:
            if self.service.settings.strict:
                raise Problem(428, "say by If-Match which revision you saw: its id is the ETag")
            return None
        given: ETags = request.if_match
        return None if given.star_tag else given.as_set()

    def data(self) -> bytes:
        """The body as it came.

        :raises RequestEntityTooLarge: it is
        """
        found = request.get_data()
        # One that does not say how long it is was cut one byte beyond what may be.
        if len(found) > self.service.settings.limits_body:
            raise RequestEntityTooLarge
        return found

    def _read(self) -> Any:
        body = self.route.body
        assert body is not None
        if request.mimetype not in body.types:
            raise Problem(415, f"the body must be {' or '.join(body.types)}")
        value = packages.parse(self.data(), depth=self.service.settings.limits_depth)
        if not body.is_package:
            errors = [(packages.pointer(e.absolute_path), e.message) for e in validator(body.schema).iter_errors(value)]
            if errors:
                raise Problem(422, "the body is not what it must be", errors=errors)
        return value


def reply(value: Any, status: int = 200, *, media: str = JSON, headers: dict[str, str] | None = None) -> Response:
    """Answer with a value as JSON, or with bytes as they are."""
    body = (
        value if isinstance(value, bytes) else json.dumps(value, ensure_ascii=False).encode("utf-8", "backslashreplace")
    )
    response = Response(body, status=status, content_type=media)
    response.headers.update({"Cache-Control": "no-cache", "Vary": "Authorization, Accept", **(headers or {})})
    return response


def accepted(*media: str) -> str:
    """Choose the media type that the client likes best.

    :raises Problem: it takes none of them
    """
    found = request.accept_mimetypes.best_match(media) if "Accept" in request.headers else media[0]
    if found is None:
        raise Problem(406, f"there is {' or '.join(media)}")
    return found


@cache
def _cached(schema: str) -> Draft202012Validator:
    return Draft202012Validator(json.loads(schema))


def validator(schema: dict[str, Any]) -> Draft202012Validator:
    """What checks values by a schema."""
    return _cached(json.dumps(schema))


def _is_name(said: str) -> bool:
    return re.fullmatch(NAME, said) is not None


def _query(route: Route) -> dict[str, Any]:
    known = {parameter.name: parameter for parameter in route.parameters if parameter.place == "query"}
    values: dict[str, Any] = {name: parameter.default for name, parameter in known.items()}
    errors = []
    for name, given in request.args.lists():
        if name not in known:
            errors.append((name, f"there is no such parameter; there are: {', '.join(known) or 'none'}"))
        elif len(given) > 1:
            errors.append((name, "it is there more than once"))
        else:
            values[name] = _value(given[0], known[name].schema)
            errors += [(name, error.message) for error in validator(known[name].schema).iter_errors(values[name])]
    errors += [(n, "it is missing") for n, parameter in known.items() if parameter.required and values[n] is None]
    if errors:
        raise Problem(400, "a parameter is wrong", errors=errors)
    return values


def _value(text: str, schema: dict[str, Any]) -> Any:
    if schema.get("type") == "integer" and _INTEGER.fullmatch(text):
        return int(text)
    if schema.get("type") == "boolean" and text in ("true", "false"):
        return text == "true"
    return text
