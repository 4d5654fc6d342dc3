"""What Prometheus is told: how many requests, how they went, how long they took, what there is."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping

from flask import Flask, Response, g, request

MULTIPROCESS = "PROMETHEUS_MULTIPROC_DIR"
"""The environment variable by which several processes share their numbers: a folder."""

METHODS = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE")


class Metrics:
    """The numbers of one application.

    prometheus_client looks for the variable when it is imported, so that is done as late as here.
    """

    def __init__(self) -> None:
        from prometheus_client import CollectorRegistry, Counter, Histogram

        self._registry = CollectorRegistry()
        self._requests = Counter(
            "metastore_requests_total",
            "Requests, by the route that answered",
            ("method", "route", "status"),
            registry=self._registry,
        )
        self._seconds = Histogram(
            "metastore_request_seconds", "How long an answer took", ("method", "route"), registry=self._registry
        )

    def install(self, app: Flask) -> None:
        """Count every request."""
        app.before_request(self._begin)
        app.after_request(self._end)
        app.extensions["metastore-metrics"] = self

    def text(self, counts: Mapping[str, int]) -> bytes:
        """Give all numbers in Prometheus's text format.

        :param counts: numbers of things, by name
        """
        from prometheus_client import CollectorRegistry, generate_latest
        from prometheus_client.multiprocess import MultiProcessCollector

        shared = CollectorRegistry()
        if os.environ.get(MULTIPROCESS):
            MultiProcessCollector(shared)  # type: ignore[no-untyped-call]
        now = "".join(
            f"# HELP metastore_{name} How many {name.replace('_', ' ')} there are\n"
            f"# TYPE metastore_{name} gauge\nmetastore_{name} {count}\n"
            for name, count in counts.items()
        )
        own = shared if os.environ.get(MULTIPROCESS) else self._registry
        return generate_latest(own) + now.encode()

    def _begin(self) -> None:
        g.began = time.perf_counter()

    def _end(self, response: Response) -> Response:
        route = request.url_rule.rule if request.url_rule else "none"
        # A client may call its method what it likes.
        method = request.method if request.method in METHODS else "other"
        self._requests.labels(method, route, response.status_code).inc()
        self._seconds.labels(method, route).observe(time.perf_counter() - g.began)
        return response
