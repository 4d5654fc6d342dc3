"""The service's description in OpenAPI 3.1, out of the routes themselves."""

from __future__ import annotations

import re
from collections import defaultdict
from functools import cache
from http import HTTPStatus
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from ckanext.metastore.service.api.problems import MEDIA_TYPE
from ckanext.metastore.service.api.routing import PATH_PARAMETERS, ROUTES, Answer, Parameter, Route
from ckanext.metastore.service.api.shapes import SCHEMAS, ref, text
from ckanext.metastore.service.packages import schema

KEY = Parameter(
    "Idempotency-Key",
    text(minLength=1, maxLength=255),
    "A name for this request: sent again with it, nothing is done again, and the answer is the same",
    "header",
)
_HEADERS = {
    HTTPStatus.PERMANENT_REDIRECT: {"Location": "Where the dataset is now"},
    HTTPStatus.UNAUTHORIZED: {"WWW-Authenticate": "What kind of token is needed"},
}


@cache
def description() -> dict[str, Any]:
    """Give the whole description."""
    paths: dict[str, dict[str, Any]] = defaultdict(dict)
    for route in ROUTES:
        paths[route.path][route.method.lower()] = _operation(route)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "MetaStore",
            "description": "Data Packages with a history: every change is a Git commit, every release a tag.",
            "version": _version(),
        },
        "paths": dict(paths),
        "components": {
            "schemas": {**SCHEMAS, "DataPackage": _without_dialect()},
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}},
        },
    }


def _operation(route: Route) -> dict[str, Any]:
    in_path = [PATH_PARAMETERS[name] for name in re.findall(r"{(\w+)}", route.path)]
    headers = [KEY] if route.takes_key else []
    answers = {str(status): _answer(answer) for status, answer in route.answers.items()}
    answers |= {str(status): _problem(status) for status in route.statuses}
    found: dict[str, Any] = {
        "operationId": route.name,
        "summary": route.summary,
        "tags": [route.tag],
        "parameters": [_parameter(parameter) for parameter in (*in_path, *route.parameters, *headers)],
        "responses": answers,
        "security": [] if route.is_open else [{"token": []}],
    }
    if route.body:
        content = {media: {"schema": route.body.schema} for media in route.body.types}
        found["requestBody"] = {"required": True, "content": content}
    return found


def _parameter(parameter: Parameter) -> dict[str, Any]:
    known = {} if parameter.default is None else {"default": parameter.default}
    return {
        "name": parameter.name,
        "in": parameter.place,
        "description": parameter.description,
        "required": parameter.required,
        "schema": {**parameter.schema, **known},
    }


def _answer(answer: Answer) -> dict[str, Any]:
    found: dict[str, Any] = {"description": answer.description}
    if answer.content:
        found["content"] = {media: {"schema": schema_} for media, schema_ in answer.content.items()}
    if answer.headers:
        found["headers"] = {
            name: {"description": said, "schema": {"type": "string"}} for name, said in answer.headers.items()
        }
    return found


def _problem(status: int) -> dict[str, Any]:
    headers = _HEADERS.get(HTTPStatus(status), {})
    return _answer(Answer(HTTPStatus(status).phrase, {MEDIA_TYPE: ref("Problem")}, headers))


def _without_dialect() -> dict[str, Any]:
    """The standard's schema, as it stands within another document."""
    return {key: value for key, value in schema().items() if key != "$schema"}


def _version() -> str:
    try:
        return version("ckanext-metastore")
    except PackageNotFoundError:
        return "0"
