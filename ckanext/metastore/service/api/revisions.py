"""Revisions: listed, read, compared, gone back to; and the resources of one."""

from __future__ import annotations

from typing import Any

from flask import Response, request

from ckanext.metastore.core import NotFound
from ckanext.metastore.core.diff import diff, json_patch, unified
from ckanext.metastore.core.types import Document
from ckanext.metastore.service.api import cursors
from ckanext.metastore.service.api.call import Call, accepted, reply
from ckanext.metastore.service.api.datasets import (
    AS_OF,
    DATASET,
    HEADERS,
    IF_MATCH,
    IF_NONE_MATCH,
    NOT_MODIFIED,
    REVISION,
    SAVED,
    asked_for,
    revision_reply,
    saved_reply,
)
from ckanext.metastore.service.api.routing import JSON, Answer, Body, Parameter, route
from ckanext.metastore.service.api.shapes import (
    FLAG,
    MESSAGE,
    REF,
    a_list,
    an_object,
    change_shape,
    entry_shape,
    ref,
    text,
)

JSON_PATCH = "application/json-patch+json"
TEXT = "text/plain"

RESOURCE_HEADERS = {"ETag": HEADERS["ETag"]}


@route(
    "GET",
    DATASET + "/revisions",
    "show",
    {200: Answer("A page of revisions", {JSON: a_list(ref("Revision"))}, {"Link": "The next page"})},
    parameters=(cursors.LIMIT, cursors.CURSOR),
)
def list_revisions(call: Call) -> Response:
    """List revisions, newest first."""
    limit, before = cursors.limit(call), cursors.place(call.query["cursor"])
    with call.service.store.history(call.dataset, private=call.private) as history:
        found = history.page(limit=limit + 1, before=before)
    following = cursors.of_place(found[limit - 1].seq) if len(found) > limit else None
    return reply([entry_shape(entry) for entry in found[:limit]], headers=cursors.link(call, following))


@route(
    "GET",
    DATASET + "/revisions/{ref}",
    "show",
    {200: Answer("The revision", {JSON: ref("Revision")}, RESOURCE_HEADERS)},
    errors=(422,),
)
def read_revision(call: Call) -> Response:
    """Read one revision: who made it, when, and why."""
    with call.service.store.history(call.dataset, private=call.private) as history:
        entry = history.resolve(call.path["ref"], field="ref")
    return reply(entry_shape(entry), headers={"ETag": f'"{entry.sha}"'})


@route(
    "GET",
    DATASET + "/diff",
    "show",
    {
        200: Answer(
            "What differs",
            {
                JSON: a_list(ref("Change")),
                JSON_PATCH: {"type": "array", "items": {"type": "object"}},
                TEXT: text(),
            },
        )
    },
    parameters=(
        Parameter("a", REF, "The older revision, by a ref", required=True),
        Parameter("b", REF, "The newer one", default="HEAD"),
    ),
    errors=(406, 422),
)
def read_diff(call: Call) -> Response:
    """Compare two revisions. Accept says how: as changes, as a JSON Patch (RFC 6902), or as text."""
    media = accepted(JSON, JSON_PATCH, TEXT)
    with call.service.store.history(call.dataset, private=call.private) as history:
        a, b = (history.resolve(call.query[name], field=name) for name in ("a", "b"))
        if media == TEXT:
            said = (history.text_or_empty(entry) for entry in (a, b))
            difference = unified(*said, label_a=a.sha[:12], label_b=b.sha[:12])
            return reply(difference.encode(), media="text/plain; charset=utf-8")
        documents = [history.document_or_empty(entry) for entry in (a, b)]
    if media == JSON_PATCH:
        return reply(json_patch(*documents), media=JSON_PATCH)
    return reply([change_shape(change) for change in diff(*documents)])


@route(
    "POST",
    DATASET + "/revert",
    "revert",
    {200: SAVED},
    parameters=(IF_MATCH,),
    body=Body(
        an_object(
            {
                "revision": REF,
                "message": MESSAGE,
                "fields": a_list(text()),
                "resources": a_list(text()),
                "allow_private": FLAG,
            },
            optional=("message", "fields", "resources", "allow_private"),
        )
    ),
    errors=(412, 428),
)
def revert_dataset(call: Call) -> Response:
    """Make a dataset be as it was, whole or some of its fields and resources. It is a new revision."""
    base, said = call.base, call.body
    saved = call.service.store.revert(
        call.dataset,
        said["revision"],
        call.by(said.get("message", "")),
        fields=said.get("fields"),
        resources=said.get("resources"),
        allow_private=said.get("allow_private", False),
        private=call.private,
        base=base,
    )
    return saved_reply(saved)


@route(
    "GET",
    DATASET + "/resources",
    "show",
    {
        200: Answer("The resources", {JSON: {"type": "array", "items": {"type": "object"}}}, RESOURCE_HEADERS),
        304: NOT_MODIFIED,
    },
    parameters=(REVISION, AS_OF, IF_NONE_MATCH),
    errors=(422,),
)
def list_resources(call: Call) -> Response:
    """List a dataset's resources, as they are or as they were."""
    return _of_document(call, lambda document: document.get("resources", []))


@route(
    "GET",
    DATASET + "/resources/{resource}",
    "show",
    {200: Answer("The resource", {JSON: {"type": "object"}}, RESOURCE_HEADERS), 304: NOT_MODIFIED},
    parameters=(REVISION, AS_OF, IF_NONE_MATCH),
    errors=(422,),
)
def read_resource(call: Call) -> Response:
    """Read one resource, as it is or as it was."""
    return _of_document(call, lambda document: _resource(document, call.path["resource"]))


def _of_document(call: Call, part: Any) -> Response:
    with call.service.store.history(call.dataset, private=call.private) as history:
        entry = asked_for(call, history)
        response = revision_reply(entry, reply(part(history.document(entry))).get_data())
    response.make_conditional(request)
    return response


def _resource(document: Document, wanted: str) -> Any:
    """Find a resource by its id, else by its name.

    :raises NotFound: there is none
    """
    resources = document.get("resources", [])
    for key in ("id", "name"):
        for resource in resources:
            if resource.get(key) == wanted:
                return resource
    raise NotFound("resource", wanted)
