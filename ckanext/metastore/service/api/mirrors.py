"""Mirrors: made empty, described, moved, destroyed. Their histories come by push, and are read as all datasets are."""

from __future__ import annotations

import re

from flask import Response

from ckanext.metastore.core import NotFound
from ckanext.metastore.service.api import cursors
from ckanext.metastore.service.api.call import Call, reply
from ckanext.metastore.service.api.routing import JSON, Answer, Body, Parameter, route
from ckanext.metastore.service.api.shapes import FLAG, NAME_SCHEMA, a_list, an_object, mirror_shape, ref, text
from ckanext.metastore.service.datasets import Dataset

MIRRORS = "/v1/mirrors"
MIRROR = "/v1/mirrors/{number}"

NAMES = {"owner": NAME_SCHEMA, "name": NAME_SCHEMA}
PRESENTATION = {
    "description": text(maxLength=10_000),
    "homepage": text(maxLength=2_000),
    "topics": {**a_list(text(maxLength=200)), "maxItems": 1_000},
    "private": FLAG,
}
CHANGES = {**NAMES, **PRESENTATION, "archived": FLAG}

FOUND = Answer("The mirror", {JSON: ref("Mirror")})

_NUMBER = re.compile(r"[1-9][0-9]{0,17}")


@route(
    "GET",
    MIRRORS,
    None,
    {200: Answer("A page of mirrors", {JSON: a_list(ref("Mirror"))}, {"Link": "The next page"})},
    parameters=(
        Parameter("owner", NAME_SCHEMA, "Only those of this owner"),
        Parameter("name", NAME_SCHEMA, "Only those of this name"),
        cursors.LIMIT,
        cursors.CURSOR,
    ),
)
def list_mirrors(call: Call) -> Response:
    """List the mirrors that the token may read, by number."""
    if call.claims is None and not call.service.settings.anonymous_read:
        raise call.refusal("show")
    limit = cursors.limit(call)
    found = call.service.mirrors.list(
        owner=call.query["owner"],
        name=call.query["name"],
        after=cursors.place(call.query["cursor"]) or 0,
        limit=limit + 1,
        reach=call.service.access.reach(call.claims),
        wanted=lambda mirror: call.service.access.permits(call.claims, "show", mirror),
    )
    shapes = [mirror_shape(mirror) for mirror in found]
    following = cursors.of_place(shapes[limit - 1]["number"]) if len(shapes) > limit else None
    return reply(shapes[:limit], headers=cursors.link(call, following))


@route(
    "POST",
    MIRRORS,
    None,
    {201: Answer(FOUND.description, FOUND.content, {"Location": "Where it is"})},
    body=Body(an_object({**NAMES, **PRESENTATION}, optional=tuple(PRESENTATION))),
)
def create_mirror(call: Call) -> Response:
    """Make a mirror, with no revision in it yet."""
    if call.claims is None:
        raise call.refusal("create")
    given = dict(call.body)
    call.require_create(owner := given.pop("owner"))
    shape = mirror_shape(call.service.mirrors.create(owner, given.pop("name"), given))
    return reply(shape, 201, headers={"Location": f"{MIRRORS}/{shape['number']}"})


@route("GET", MIRROR, None, {200: FOUND})
def read_mirror(call: Call) -> Response:
    """Read what is known of a mirror beside its history."""
    return reply(mirror_shape(_mirror(call, "show")))


@route(
    "PATCH",
    MIRROR,
    None,
    {200: FOUND},
    body=Body(an_object(CHANGES, optional=tuple(CHANGES), minProperties=1)),
    errors=(409,),
)
def update_mirror(call: Call) -> Response:
    """Change a mirror: its owner, its name, how it presents itself, who may see it, whether it takes pushes."""
    mirror, given = _mirror(call, "update"), call.body
    if given.get("owner", mirror.owner) != mirror.owner:
        call.require_create(given["owner"])
    return reply(mirror_shape(call.service.mirrors.update(mirror, given)))


@route("DELETE", MIRROR, None, {204: Answer("It is gone, with its history")})
def delete_mirror(call: Call) -> Response:
    """Destroy a mirror and its history."""
    call.service.store.purge(_mirror(call, "purge"))
    return Response(status=204)


def _mirror(call: Call, operation: str) -> Dataset:
    """The mirror that the path names.

    :raises Problem: the token does not allow what is asked for
    :raises NotFound: there is no such mirror, or the token may not know of it
    """
    access, number = call.service.access, call.path["number"]
    try:
        if not _NUMBER.fullmatch(number):
            raise NotFound("mirror", number)
        found = call.service.mirrors.find(int(number))
    except NotFound:
        if call.claims is None:
            raise call.refusal(operation) from None
        raise
    if access.permits(call.claims, operation, found):
        return found
    if call.claims is None or access.permits(call.claims, "show", found):
        raise call.refusal(operation)
    raise NotFound("mirror", number)
