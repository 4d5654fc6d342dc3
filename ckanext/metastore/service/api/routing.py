"""Routes as they are declared: what each one takes, gives and needs. The server and its description read the same."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from flask import Response

from ckanext.metastore.service.api.shapes import NAME_SCHEMA, REF, Schema

if TYPE_CHECKING:
    from ckanext.metastore.service.api.call import Call

JSON = "application/json"
MERGE_PATCH = "application/merge-patch+json"

Handler = Callable[["Call"], Response]


@dataclass(frozen=True)
class Parameter:
    """One parameter of a query or a header.

    :param default: what it is where it is left out; also where it may be left out and has none
    """

    name: str
    schema: Schema
    description: str
    place: Literal["query", "header", "path"] = "query"
    required: bool = False
    default: Any = None


@dataclass(frozen=True)
class Body:
    """What a request says in its body.

    :param schema: what it must be
    :param is_package: whether that is a Data Package, which has a validator of its own
    """

    schema: Schema
    types: tuple[str, ...] = (JSON,)
    is_package: bool = False


@dataclass(frozen=True)
class Answer:
    """One way to answer.

    :param content: schemas by media type
    :param headers: descriptions by name
    """

    description: str
    content: dict[str, Schema] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Route:
    """One method of one path.

    :param path: as OpenAPI writes it
    :param operation: what of the policy it needs; None where anybody may, or the handler decides
    :param is_open: whether it looks at no token at all
    :param answers: by status; those that every route of its kind has are added
    :param errors: other statuses that it may answer with
    """

    method: str
    path: str
    handler: Handler
    operation: str | None
    answers: dict[int, Answer]
    parameters: tuple[Parameter, ...] = ()
    body: Body | None = None
    errors: tuple[int, ...] = ()
    is_open: bool = False

    @property
    def name(self) -> str:
        """The handler's name, which is unique."""
        return self.handler.__name__

    @property
    def summary(self) -> str:
        """The first line of what the handler says of itself."""
        return (self.handler.__doc__ or "").strip().partition("\n")[0]

    @property
    def tag(self) -> str:
        """What it is about: the module of its handler."""
        return self.handler.__module__.rpartition(".")[2]

    @property
    def takes_key(self) -> bool:
        """Whether a request can be sent again without harm, by a key."""
        return self.method == "POST"

    @property
    def statuses(self) -> list[int]:
        """All statuses of errors that it may answer with."""
        found = {400, 414, 431, 503, *self.errors}
        found |= set() if self.is_open else {401, 403}
        found |= {404} if "{" in self.path else set()
        found |= {308} if "{name}" in self.path and self.method == "GET" else set()
        found |= {413, 415, 422} if self.body else set()
        found |= {409, 422} if self.takes_key else set()
        found |= {422} if any(parameter.name == "cursor" for parameter in self.parameters) else set()
        return sorted(found)


OWNER = Parameter("owner", NAME_SCHEMA, "Who owns the dataset", "path", required=True)
NAME = Parameter("name", NAME_SCHEMA, "The dataset's name", "path", required=True)
PATH_PARAMETERS = {
    "owner": OWNER,
    "name": NAME,
    "tag": Parameter("tag", REF, "A tag's name", "path", required=True),
    "ref": Parameter("ref", REF, "HEAD, a tag, or a revision's id or its first digits", "path", required=True),
    "number": Parameter("number", {"type": "integer", "minimum": 1}, "A mirror's number", "path", required=True),
    "resource": Parameter("resource", REF, "A resource's id or name", "path", required=True),
}

ROUTES: list[Route] = []


def route(
    method: str, path: str, operation: str | None, answers: dict[int, Answer], **more: Any
) -> Callable[[Handler], Handler]:
    """Declare what the function below answers."""

    def declare(handler: Handler) -> Handler:
        ROUTES.append(Route(method, path, handler, operation, answers, **more))
        return handler

    return declare
