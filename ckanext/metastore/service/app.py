"""The application: every route, and what all of them share."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable

from flask import Flask, Response, current_app, request

from ckanext.metastore.service.api import datasets, mirrors, operations, revisions, tags  # noqa: F401
from ckanext.metastore.service.api.call import Call
from ckanext.metastore.service.api.problems import Problem, install
from ckanext.metastore.service.api.routing import ROUTES, Route
from ckanext.metastore.service.git_http import GitHttp
from ckanext.metastore.service.idempotency import Answer, headers_to_keep
from ckanext.metastore.service.metrics import Metrics
from ckanext.metastore.service.service import Service, create_service
from ckanext.metastore.service.settings import Settings

KEY = "Idempotency-Key"
KEY_LIMIT = 255


def create_app(settings: Settings) -> Flask:
    """Make the WSGI application.

    :raises Invalid: a setting is wrong, or missing
    :raises Unavailable: the folder cannot be used
    """
    app = Flask("ckanext.metastore.service", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = settings.limits_body + 1
    app.url_map.strict_slashes = True
    app.url_map.merge_slashes = False
    app.extensions["metastore"] = create_service(settings)
    install(app)
    Metrics().install(app)
    for route in ROUTES:
        rule = re.sub(r"{(\w+)}", r"<\1>", route.path)
        app.add_url_rule(rule, route.name, _view(route), methods=[route.method])
    service: Service = app.extensions["metastore"]
    app.register_blueprint(GitHttp(settings, service).blueprint())
    return app


def _view(route: Route) -> Callable[..., Response]:
    def view(**path: str) -> Response:
        service: Service = current_app.extensions["metastore"]
        call = Call.of(service, route, path)
        if route.takes_key and KEY in request.headers and call.claims is not None:
            return _once(call)
        call.authorize()
        return route.handler(call)

    return view


def _once(call: Call) -> Response:
    """Answer as before, where the same was asked before by the same key and the same token's scopes."""
    said = request.headers[KEY]
    if not 0 < len(said) <= KEY_LIMIT or call.claims is None:
        raise Problem(400, f"a header is wrong: {KEY} must have 1 to {KEY_LIMIT} characters")
    key = _hash(call.claims.subject or "", said)
    scopes = " ".join(map(str, call.claims.scopes))
    body = hashlib.sha256(call.data()).hexdigest()
    asked = _hash(request.method, request.full_path, request.mimetype, scopes, body)
    answers = call.service.answers
    if known := answers.begin(key, asked):
        return Response(known.body, known.status, known.headers)
    kept = False
    try:
        call.authorize()
        response = call.route.handler(call)
        if response.status_code < 300:
            answer = Answer(response.status_code, headers_to_keep(dict(response.headers)), response.get_data())
            answers.keep(key, answer, dataset_id=call.found.id if call.found else None)
            kept = True
        return response
    finally:
        if not kept:
            answers.drop(key)


def _hash(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()
