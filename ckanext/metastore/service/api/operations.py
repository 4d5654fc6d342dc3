"""What operators and machines ask the service about itself."""

from __future__ import annotations

from flask import Response, current_app, render_template

from ckanext.metastore.core import Invalid, Unavailable
from ckanext.metastore.service.api import openapi
from ckanext.metastore.service.api.call import Call, reply
from ckanext.metastore.service.api.routing import JSON, ROUTES, Answer, route
from ckanext.metastore.service.api.shapes import an_object, text
from ckanext.metastore.service.metrics import Metrics

STATUS = an_object({"status": text(enum=["ok"])})
METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"


@route("GET", "/healthz", None, {200: Answer("The process answers", {JSON: STATUS})}, is_open=True)
def healthz(call: Call) -> Response:  # noqa: ARG001
    """Say that the process answers."""
    return reply({"status": "ok"})


@route("GET", "/readyz", None, {200: Answer("Requests can be answered", {JSON: STATUS})}, is_open=True)
def readyz(call: Call) -> Response:
    """Say whether requests can be answered: the index can be written, tokens can be verified."""
    try:
        call.service.keys.check()
        with call.service.database.write():
            pass
    except Invalid as error:
        raise Unavailable(str(error)) from error
    return reply({"status": "ok"})


@route("GET", "/metrics", None, {200: Answer("Metrics for Prometheus", {"text/plain": text()})}, is_open=True)
def metrics(call: Call) -> Response:
    """Count requests and datasets, for Prometheus."""
    counted: Metrics = current_app.extensions["metastore-metrics"]
    return reply(counted.text(call.service.store.counts()), media=METRICS_TYPE)


@route("GET", "/openapi.json", None, {200: Answer("This description", {JSON: {"type": "object"}})}, is_open=True)
def describe(call: Call) -> Response:
    """Describe the service, in OpenAPI 3.1."""
    server = {"servers": [{"url": call.service.settings.url}]}
    return reply({**openapi.description(), **server})


@route("GET", "/docs", None, {200: Answer("The same for people", {"text/html": text()})}, is_open=True)
def docs(call: Call) -> Response:
    """Describe the service to people."""
    page = render_template("docs.html", description=openapi.description(), routes=ROUTES, url=call.service.settings.url)
    return reply(page.encode(), media="text/html; charset=utf-8")
