"""Holds what was asked and answered against GitHub's own OpenAPI description (npm: ``@octokit/openapi``, MIT)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from jsonschema import Draft4Validator, FormatChecker
from referencing import Registry
from referencing.jsonschema import DRAFT4

from ckanext.metastore.testing.github.log import Exchange

_DOCUMENT = "urn:github"
_ERROR = "/components/schemas/basic-error"
_MULTI = ("path", "ref")

# Where the description is silent, and GitHub is not.
_ANYWHERE = {
    HTTPStatus.MOVED_PERMANENTLY: "every address of a repository that has another name",
    HTTPStatus.TEMPORARY_REDIRECT: "the same, for all but reading",
    HTTPStatus.BAD_REQUEST: "what is no JSON",
    HTTPStatus.UNAUTHORIZED: "any address, to an unknown token",
    HTTPStatus.FORBIDDEN: "any address, to a token that lacks the permission; an archived repository",
    HTTPStatus.NOT_FOUND: "any repository that is not there for who asks",
    HTTPStatus.UNPROCESSABLE_ENTITY: "any value that is not accepted",
}
_SAME_AS = (
    # GitHub answers by number wherever it answers by name; its own redirects lead there.
    (re.compile(r"^/repositories/\d+"), "/repos/owner/name"),
    # How one ref was asked for until 2019; PyGithub still does, and is answered.
    (re.compile(r"^GET (/repos/[^/]+/[^/]+/git)/refs/"), r"GET \1/ref/"),
)

# What PyGithub sends beside what is described, as the API was once; GitHub does not look at it.
_NOT_LOOKED_AT = {("PATCH", "/repos/{owner}/{repo}/hooks/{hook_id}"): {"name"}}


@dataclass(frozen=True)
class Operation:
    """What the description says of a method at an address."""

    pointer: str
    content: Mapping[str, Any]
    tolerated: frozenset[str] = frozenset()


class Description:
    """GitHub's description, with what OpenAPI 3.0 says differently from JSON Schema put right."""

    def __init__(self, path: Path) -> None:
        self._document = json.loads(path.read_text("utf-8"))
        _allow_null(self._document["components"])
        _allow_null(self._document["paths"])
        resource = DRAFT4.create_resource(self._document)
        self._registry: Registry[Any] = Registry().with_resource(_DOCUMENT, resource)
        self._paths = [(_pattern(template), template) for template in sorted(self._document["paths"], key=_rank)]

    def operation(self, method: str, path: str) -> Operation | None:
        """Find what is said of a request."""
        line = f"{method} {_SAME_AS[0][0].sub(_SAME_AS[0][1], path)}"
        path = _SAME_AS[1][0].sub(_SAME_AS[1][1], line).partition(" ")[2]
        for pattern, template in self._paths:
            if pattern.fullmatch(path) and method.lower() in self._document["paths"][template]:
                pointer = f"/paths/{_escaped(template)}/{method.lower()}"
                tolerated = frozenset(_NOT_LOOKED_AT.get((method, template), ()))
                return Operation(pointer, self._document["paths"][template][method.lower()], tolerated)
        return None

    def resolved(self, pointer: str, value: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
        """Follow a reference."""
        while "$ref" in value:
            pointer = str(value["$ref"]).removeprefix("#")
            value = self._document
            for part in pointer.strip("/").split("/"):
                value = value[part.replace("~1", "/").replace("~0", "~")]
        return pointer, value

    def complaints(self, pointer: str, value: object) -> Iterator[str]:
        """Say what is wrong with a value, by the schema at a place in the description."""
        schema = {"$ref": f"{_DOCUMENT}#{quote(pointer)}"}
        validator = Draft4Validator(schema, registry=self._registry, format_checker=_formats())
        for error in validator.iter_errors(value):
            at = "/".join(map(str, error.absolute_path))
            yield f"{at or 'the body'}: {error.message[:300]}"


class Checker:
    """Looks on, and notes what GitHub would not have understood or said::

    checker = Checker(path)
    github.observe(checker.see)
    ...
    assert not checker.problems
    """

    def __init__(self, description: Path) -> None:
        self._description = _load(description)
        self.problems: list[str] = []

    def see(self, exchange: Exchange) -> None:
        """Check one request and its answer."""
        request = exchange.request
        path, query = _address(request.path)
        operation = self._description.operation(request.method, path)
        if operation is None:
            found = ["no such operation is described"]
        else:
            found = [
                *self._query(operation, query),
                *self._sent(operation, exchange),
                *self._answer(operation, exchange),
            ]
        self.problems += [f"{request.method} {request.path} -> {request.status}: {problem}" for problem in found]

    def _query(self, operation: Operation, query: Mapping[str, str]) -> Iterator[str]:
        known: dict[str, tuple[str, Mapping[str, Any]]] = {}
        for number, given in enumerate(operation.content.get("parameters", ())):
            pointer, parameter = self._description.resolved(f"{operation.pointer}/parameters/{number}", given)
            if parameter["in"] == "query":
                known[parameter["name"]] = pointer, parameter
        for name, text in query.items():
            if name not in known:
                yield f"the query has no {name!r}"
                continue
            pointer, parameter = known[name]
            value: object = int(text) if parameter["schema"].get("type") == "integer" and text.isdecimal() else text
            yield from (
                f"query, {name}: {problem}" for problem in self._description.complaints(f"{pointer}/schema", value)
            )

    def _sent(self, operation: Operation, exchange: Exchange) -> Iterator[str]:
        """Check what was sent; that the server refuses bad values is not the client's mistake alone."""
        if not exchange.sent or exchange.request.status in (HTTPStatus.BAD_REQUEST, HTTPStatus.UNPROCESSABLE_ENTITY):
            return
        body = operation.content.get("requestBody")
        if body is None:
            yield "it takes no body"
            return
        pointer = f"{operation.pointer}/requestBody/content/application~1json/schema"
        _, schema = self._description.resolved(pointer, body["content"]["application/json"]["schema"])
        sent = json.loads(exchange.sent)
        yield from (f"sent, {problem}" for problem in self._description.complaints(pointer, sent))
        if "properties" in schema and isinstance(sent, dict):
            unknown = sent.keys() - schema["properties"].keys() - operation.tolerated
            yield from (f"sent: there is no {name!r}" for name in sorted(unknown))

    def _answer(self, operation: Operation, exchange: Exchange) -> Iterator[str]:
        status, received = exchange.request.status, exchange.received
        given = operation.content["responses"].get(str(status))
        if given is None:
            if status not in _ANYWHERE:
                yield "no such status is described"
            pointer = _ERROR
        else:
            place = f"{operation.pointer}/responses/{status}"
            place, response = self._description.resolved(place, given)
            if "application/json" not in response.get("content", {}):
                # Some refusals are described without their bodies.
                yield from ["a body, where there is none"] if received and status < HTTPStatus.BAD_REQUEST else []
                return
            pointer = f"{place}/content/application~1json/schema"
        yield from (f"answered, {problem}" for problem in self._description.complaints(pointer, json.loads(received)))


@cache
def _load(path: Path) -> Description:
    return Description(path)


def _address(path: str) -> tuple[str, dict[str, str]]:
    parts = urlsplit(path)
    return unquote(parts.path), dict(parse_qsl(parts.query, keep_blank_values=True))


def _pattern(template: str) -> re.Pattern[str]:
    """Make an expression of an address; the last part of some may have slashes."""
    parts = re.split(r"\{(\w+)\}", template)
    text = "".join(
        (".*" if part in _MULTI and number == len(parts) - 2 else "[^/]+") if number % 2 else re.escape(part)
        for number, part in enumerate(parts)
    )
    return re.compile(text)


def _rank(template: str) -> tuple[int, int]:
    """The address with fewest variables is meant, where several match."""
    return template.count("{"), -len(template)


def _escaped(part: str) -> str:
    return part.replace("~", "~0").replace("/", "~1")


def _allow_null(value: object) -> None:
    """Say ``nullable`` as JSON Schema does."""
    if isinstance(value, list):
        for item in value:
            _allow_null(item)
    if not isinstance(value, dict):
        return
    for item in value.values():
        _allow_null(item)
    if value.get("nullable") is True:
        inner = {name: item for name, item in value.items() if name != "nullable"}
        value.clear()
        value["anyOf"] = [inner, {"type": "null"}]


@cache
def _formats() -> FormatChecker:
    checker = FormatChecker(formats=())
    checker.checks("date-time", raises=ValueError)(_is_moment)
    checker.checks("uri")(_is_uri)
    return checker


def _is_moment(value: object) -> bool:
    return not isinstance(value, str) or bool(datetime.fromisoformat(value.replace("Z", "+00:00")))


def _is_uri(value: object) -> bool:
    return not isinstance(value, str) or bool(urlsplit(value).scheme)
