"""How a request finds what answers it, and who may ask."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import quote, urlencode

from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException

from ckanext.metastore.testing.github.accounts import Token
from ckanext.metastore.testing.github.problems import (
    DOCUMENTATION,
    Problem,
    archived,
    bad_credentials,
    forbidden,
    lacks_permission,
    not_found,
    requires_authentication,
)
from ckanext.metastore.testing.github.repositories import Repository
from ckanext.metastore.testing.github.world import World, secret_of

PREFIX = "/api/v3"

View = Callable[..., Response]

_NAME = r"/repos/<owner>/<name>"
_NUMBER = r"/repositories/<int:number>"


@dataclass(frozen=True)
class Call:
    """A request, as the views see it.

    :ivar api: the address below which the REST API lies
    :ivar site: the address of Git and the web pages
    """

    world: World
    api: str
    site: str
    token: Token | None

    @property
    def bearer(self) -> Token:
        """Who asks.

        :raises Problem: 401: nobody
        """
        if self.token is None:
            raise requires_authentication()
        return self.token

    @property
    def body(self) -> dict[str, Any]:
        """What was sent.

        :raises Problem: 400: no JSON object
        """
        if not request.data:
            return {}
        try:
            value = json.loads(request.data)
        except ValueError:
            raise Problem(400, "Problems parsing JSON") from None
        if not isinstance(value, dict):
            raise Problem(400, "Body should be a JSON object")
        return value

    def argument(self, name: str) -> str | None:
        """Give a part of the query."""
        return request.args.get(name)

    def permit(self, permission: str) -> Token:
        """Give who asks, if the token is good for it.

        :raises Problem: 401 or 403
        """
        if permission not in self.bearer.permissions:
            raise lacks_permission(app=self.bearer.app_id is not None)
        return self.bearer

    def page(self, everything: Sequence[Any]) -> tuple[list[Any], dict[str, str]]:
        """Give the part of a list that was asked for, and the header that leads to the others."""
        size = min(max(_number(self.argument("per_page"), 30), 1), 100)
        number = max(_number(self.argument("page"), 1), 1)
        last = max((len(everything) + size - 1) // size, 1)
        links = {}
        if number < last:
            links = {"next": number + 1, "last": last}
        if number > 1:
            links = {"prev": number - 1, "first": 1, **links}
        base = f"{request.base_url}?"
        query = {name: value for name, value in request.args.items() if name != "page"}
        header = ", ".join(f'<{base}{urlencode({**query, "page": at})}>; rel="{rel}"' for rel, at in links.items())
        return list(everything[(number - 1) * size : number * size]), {"Link": header} if header else {}


def answer(value: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Answer with JSON."""
    text = json.dumps(value, ensure_ascii=False)
    return Response(text, status, headers=headers, content_type="application/json; charset=utf-8")


def done() -> Response:
    """Answer that it is done, and no more."""
    return Response(status=204)


class Routes:
    """Registers views with Flask."""

    def __init__(self, app: Flask, prefix: str, world: World) -> None:
        self._app = app
        self._prefix = prefix
        self._world = world
        app.register_error_handler(Problem, _refused)
        app.register_error_handler(HTTPException, _unrouted)

    def add(self, method: str, rule: str, view: View) -> None:
        """Let a view answer: it is given the call, and what the rule has matched."""

        def respond(**values: Any) -> Response:
            return view(self._call(), **values)

        self._register(method, rule, respond)

    def on_repository(
        self, method: str, rule: str, view: View, *, needs: str = "metadata", even_archived: bool = False
    ) -> None:
        """Let a view answer for a repository, by its name, a name that it had, or its number.

        :param needs: the permission
        :param even_archived: an archived repository takes this change, too
        """

        def by_name(owner: str, name: str, **values: Any) -> Response:
            call = self._call()
            repository, moved = self._world.repositories.find(f"{owner}/{name.removesuffix('.git')}")
            _admit(call, repository, needs, even_archived or method == "GET")
            return _redirect(call, repository) if moved else view(call, repository, **values)

        def by_number(number: int, **values: Any) -> Response:
            call = self._call()
            repository = self._world.repositories.get(number)
            _admit(call, repository, needs, even_archived or method == "GET")
            return view(call, repository, **values)

        self._register(method, _NAME + rule, by_name)
        self._register(method, _NUMBER + rule, by_number)

    def _register(self, method: str, rule: str, respond: Callable[..., Response]) -> None:
        endpoint = f"{method} {rule}".replace(".", " ")
        self._app.add_url_rule(self._prefix + rule, endpoint, respond, methods=[method])

    def _call(self) -> Call:
        site = request.host_url.removesuffix("/")
        return Call(self._world, site + self._prefix, site, self._token())

    def _token(self) -> Token | None:
        authorization = request.headers.get("Authorization", "")
        secret = secret_of(authorization)
        if secret is None or _is_jwt(secret):
            return None
        token = self._world.accounts.token(secret)
        if token is None:
            raise bad_credentials()
        request.environ["standin.user"] = token.name
        return token


def _admit(call: Call, repository: Repository, needs: str, even_archived: bool) -> None:
    """Let in who may ask this."""
    if not call.world.sees(call.token, repository):
        raise not_found()
    if needs != "metadata":
        if not call.world.owns(call.bearer, repository.owner):
            raise forbidden("Must have admin rights to Repository.") if needs == "administration" else not_found()
        call.permit(needs)
    if repository.archived and not even_archived:
        raise archived()


def _redirect(call: Call, repository: Repository) -> Response:
    """Lead to the repository's number; all but reading is to be repeated as it was."""
    rest = re.sub(r"^.*?/repos/[^/]+/[^/]+", "", quote(request.path))
    query = request.query_string.decode("latin-1")
    url = f"{call.api}/repositories/{repository.id}{rest}" + (f"?{query}" if query else "")
    status, message = (301, "Moved Permanently") if request.method == "GET" else (307, "Temporary Redirect")
    about = f"{DOCUMENTATION}/guides/best-practices-for-using-the-rest-api#follow-redirects"
    return answer({"message": message, "url": url, "documentation_url": about}, status, {"Location": url})


def _refused(problem: Problem) -> Response:
    return answer(problem.body(), problem.status, problem.headers)


def _unrouted(problem: HTTPException) -> Response:
    """GitHub knows no such address; what Flask could not do is told in GitHub's shape, too."""
    status = 404 if problem.code == HTTPStatus.METHOD_NOT_ALLOWED else problem.code or 500
    return _refused(Problem(status, HTTPStatus(status).phrase))


def _is_jwt(secret: str) -> bool:
    return secret.count(".") == 2


def _number(text: str | None, default: int) -> int:
    return int(text) if text and text.isdecimal() else default
