"""A repository's topics."""

from __future__ import annotations

from flask import Response

from ckanext.metastore.testing.github import names
from ckanext.metastore.testing.github.repositories import Repository
from ckanext.metastore.testing.github.rest.routes import Call, Routes, answer


def register(routes: Routes) -> None:
    """Say what is answered here."""
    routes.on_repository("GET", "/topics", _topics)
    routes.on_repository("PUT", "/topics", _replace_topics, needs="administration")


def _topics(_call: Call, repository: Repository) -> Response:
    return answer({"names": list(repository.topics)})


def _replace_topics(call: Call, repository: Repository) -> Response:
    topics = names.topics(call.body.get("names"))
    return _topics(call, call.world.repositories.change(repository.id, topics=topics))
