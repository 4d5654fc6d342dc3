"""Tags: names for revisions."""

from __future__ import annotations

from urllib.parse import quote

from flask import Response

from ckanext.metastore.service.api.call import Call, reply
from ckanext.metastore.service.api.datasets import DATASET, address
from ckanext.metastore.service.api.routing import JSON, Answer, Body, route
from ckanext.metastore.service.api.shapes import MESSAGE, REF, a_list, an_object, ref, tag_shape

TAGS = DATASET + "/tags"
TAG = DATASET + "/tags/{tag}"


@route("GET", TAGS, "show", {200: Answer("All tags", {JSON: a_list(ref("Tag"))})})
def list_tags(call: Call) -> Response:
    """List all tags, newest first."""
    with call.service.store.history(call.dataset, private=call.private) as history:
        return reply([tag_shape(tag) for tag in history.tags()])


@route(
    "POST",
    TAGS,
    "tag",
    {201: Answer("The tag", {JSON: ref("Tag")}, {"Location": "Where it is"})},
    body=Body(
        an_object(
            {"name": REF, "description": MESSAGE, "revision": REF},
            optional=("description", "revision"),
        )
    ),
)
def create_tag(call: Call) -> Response:
    """Name a revision."""
    said = call.body
    tag = call.service.tags.create(
        call.dataset,
        said["name"],
        ref=said.get("revision", "HEAD"),
        description=said.get("description", ""),
        author=call.by().author,
        private=call.private,
    )
    where = f"{address(call.dataset.owner, call.dataset.name)}/tags/{quote(tag.name, safe='')}"
    return reply(tag_shape(tag), 201, headers={"Location": where})


@route("GET", TAG, "show", {200: Answer("The tag", {JSON: ref("Tag")})})
def read_tag(call: Call) -> Response:
    """Read one tag."""
    with call.service.store.history(call.dataset, private=call.private) as history:
        return reply(tag_shape(history.tag(call.path["tag"])))


@route(
    "PATCH",
    TAG,
    "tag",
    {200: Answer("The tag", {JSON: ref("Tag")})},
    body=Body(an_object({"name": REF, "description": MESSAGE}, optional=("name", "description"), minProperties=1)),
    errors=(409,),
)
def update_tag(call: Call) -> Response:
    """Rename a tag, or describe it anew. It stays at its revision."""
    said = call.body
    tag = call.service.tags.update(
        call.dataset,
        call.path["tag"],
        name=said.get("name"),
        description=said.get("description"),
        private=call.private,
    )
    return reply(tag_shape(tag))


@route("DELETE", TAG, "tag", {204: Answer("It is gone; the revision stays")}, errors=(409,))
def delete_tag(call: Call) -> Response:
    """Take a name away from a revision."""
    call.service.tags.delete(call.dataset, call.path["tag"], private=call.private)
    return Response(status=204)
