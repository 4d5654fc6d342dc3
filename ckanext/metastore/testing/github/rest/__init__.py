"""GitHub's REST API, version 3, as far as repositories go."""

from __future__ import annotations

from flask import Flask

from ckanext.metastore.testing.github.rest import (
    accounts,
    apps,
    commits,
    contents,
    objects,
    refs,
    repositories,
    statuses,
    topics,
    webhooks,
)
from ckanext.metastore.testing.github.rest.routes import PREFIX, Routes
from ckanext.metastore.testing.github.world import World


def create_app(world: World) -> Flask:
    """Make the WSGI application."""
    app = Flask(__name__)
    app.url_map.strict_slashes = False
    routes = Routes(app, PREFIX, world)
    for part in (accounts, apps, repositories, topics, webhooks, objects, refs, commits, contents, statuses):
        part.register(routes)
    return app
