"""Datasets: created, read, replaced, patched, deleted, moved, purged, listed."""

from __future__ import annotations

import re
from datetime import datetime, timezone
from urllib.parse import quote

from flask import Response, request

from ckanext.metastore.core import Invalid
from ckanext.metastore.core.document import canonical_json
from ckanext.metastore.service import packages
from ckanext.metastore.service.api import cursors
from ckanext.metastore.service.api.call import Call, reply
from ckanext.metastore.service.api.routing import JSON, MERGE_PATCH, Answer, Body, Parameter, route
from ckanext.metastore.service.api.shapes import (
    FLAG,
    NAME_SCHEMA,
    REF,
    TIME,
    a_list,
    an_object,
    dataset_shape,
    entry_shape,
    ref,
    text,
)
from ckanext.metastore.service.history import Entry, History
from ckanext.metastore.service.saving import Saved

DATASETS = "/v1/datasets"
DATASET = "/v1/datasets/{owner}/{name}"
PACKAGE = ref("DataPackage")

MESSAGE_PARAMETER = Parameter("message", text(maxLength=500), "What has changed, and why")
PRIVATE = Parameter("private", FLAG, "Whether only those with a token may see it; as it is now, where left out")
REVISION = Parameter("revision", REF, "HEAD, a tag, or a revision's id or its first digits")
AS_OF = Parameter("as_of", TIME, "As it was at this time")
IF_MATCH = Parameter("If-Match", text(), "The ETag that you saw: the revision's id, in quotes", "header")
IF_NONE_MATCH = Parameter("If-None-Match", text(), "The ETag that you have", "header")

HEADERS = {
    "ETag": "The revision's id, in quotes",
    "Metastore-Private": "true where only those with a token may see this revision",
    "Metastore-Published": "false where it is recorded, and the Git repository does not have it yet",
}
SAVED = Answer("The Data Package, as it is now", {JSON: PACKAGE}, HEADERS)
CREATED = Answer(SAVED.description, SAVED.content, {**HEADERS, "Location": "Where the dataset is"})
NOT_MODIFIED = Answer("It is what you have")


@route(
    "GET",
    DATASETS,
    None,
    {200: Answer("A page of datasets", {JSON: a_list(ref("Dataset"))}, {"Link": "The next page"})},
    parameters=(Parameter("owner", NAME_SCHEMA, "Only those of this owner"), cursors.LIMIT, cursors.CURSOR),
)
def list_datasets(call: Call) -> Response:
    """List the datasets that the token may read, by owner and name."""
    if call.claims is None and not call.service.settings.anonymous_read:
        raise call.refusal("show")
    limit = cursors.limit(call)
    after = cursors.names(call.query["cursor"])
    found = call.service.store.list(
        owner=call.query["owner"],
        after=after,
        limit=limit + 1,
        reach=call.service.access.reach(call.claims),
        wanted=lambda dataset: not dataset.deleted and call.service.access.permits(call.claims, "show", dataset),
    )
    following = cursors.of_names(found[limit - 1].owner, found[limit - 1].name) if len(found) > limit else None
    return reply([dataset_shape(dataset) for dataset in found[:limit]], headers=cursors.link(call, following))


@route(
    "POST",
    DATASETS,
    "create",
    {201: CREATED},
    parameters=(
        Parameter("owner", NAME_SCHEMA, "Who owns it", required=True),
        Parameter("name", NAME_SCHEMA, "What it is called; the Data Package's name, where left out"),
        MESSAGE_PARAMETER,
        Parameter("private", FLAG, "Whether only those with a token may see it", default=False),
    ),
    body=Body(PACKAGE, is_package=True),
)
def create_dataset(call: Call) -> Response:
    """Create a dataset."""
    document = call.package()
    name = call.query["name"] or document.get("name")
    if name is None:
        raise Invalid("name", "it is missing: give it in the query, or as the Data Package's name")
    owner, private = call.query["owner"], call.query["private"]
    saved = call.service.store.create(owner, name, document, call.by(), private=private)
    return saved_reply(saved, 201, Location=address(owner, name))


@route(
    "GET",
    DATASET,
    "show",
    {200: Answer("The Data Package", {JSON: PACKAGE}, HEADERS), 304: NOT_MODIFIED},
    parameters=(REVISION, AS_OF, IF_NONE_MATCH),
    errors=(422,),
)
def read_dataset(call: Call) -> Response:
    """Read a dataset, as it is or as it was."""
    with call.service.store.history(call.dataset, private=call.private) as history:
        entry = asked_for(call, history)
        response = revision_reply(entry, history.text(entry))
    response.make_conditional(request)
    return response


@route(
    "PUT",
    DATASET,
    "update",
    {200: SAVED},
    parameters=(MESSAGE_PARAMETER, PRIVATE, IF_MATCH),
    body=Body(PACKAGE, is_package=True),
    errors=(409, 412, 428),
)
def replace_dataset(call: Call) -> Response:
    """Replace a dataset. What is there already makes no revision."""
    base, document = call.base, call.package()
    saved = call.service.store.save(
        call.dataset, lambda _: document, call.by(), private=call.query["private"], base=base
    )
    return saved_reply(saved)


@route(
    "PATCH",
    DATASET,
    "update",
    {200: SAVED},
    parameters=(MESSAGE_PARAMETER, PRIVATE, IF_MATCH),
    body=Body({"type": "object"}, (MERGE_PATCH, JSON)),
    errors=(409, 412, 428),
)
def patch_dataset(call: Call) -> Response:
    """Change some of a dataset, by a JSON Merge Patch (RFC 7396)."""
    base, patch = call.base, call.body
    saved = call.service.store.save(
        call.dataset,
        lambda document: call.package(packages.merged(document, patch)),
        call.by(),
        private=call.query["private"],
        base=base,
    )
    return saved_reply(saved)


@route(
    "DELETE",
    DATASET,
    "delete",
    {200: Answer("The revision that says so", {JSON: ref("Revision")}, {"ETag": HEADERS["ETag"]})},
    parameters=(MESSAGE_PARAMETER, IF_MATCH),
    errors=(409, 412, 428),
)
def delete_dataset(call: Call) -> Response:
    """Delete a dataset. It is a revision; the history stays."""
    entry = call.service.store.delete(call.dataset, call.by(), base=call.base)
    return reply(entry_shape(entry), headers={"ETag": f'"{entry.sha}"'})


@route(
    "POST",
    DATASET + "/move",
    "update",
    {200: Answer("The dataset under its new name", {JSON: ref("Dataset")}, {"Location": "Where it is now"})},
    body=Body(an_object({"owner": NAME_SCHEMA, "name": NAME_SCHEMA}, optional=("owner", "name"), minProperties=1)),
)
def move_dataset(call: Call) -> Response:
    """Give a dataset another owner or name; its history goes along."""
    owner, name = call.body.get("owner", call.dataset.owner), call.body.get("name", call.dataset.name)
    if owner != call.dataset.owner:
        call.require_create(owner)
    moved = call.service.store.move(call.dataset, owner=owner, name=name)
    return reply(dataset_shape(moved), headers={"Location": address(owner, name)})


@route("POST", DATASET + "/purge", "purge", {204: Answer("It is gone")})
def purge_dataset(call: Call) -> Response:
    """Destroy a dataset and its history."""
    call.service.store.purge(call.dataset)
    return Response(status=204)


def address(owner: str, name: str) -> str:
    """Where a dataset is, as seen from the service's root."""
    return f"{DATASETS}/{quote(owner)}/{quote(name)}"


def asked_for(call: Call, history: History) -> Entry:
    """The revision that ``revision`` or ``as_of`` names; the newest, where neither is there.

    :raises Invalid: both are
    """
    ref_, time = call.query["revision"], call.query["as_of"]
    if ref_ is not None and time is not None:
        raise Invalid("as_of", "it cannot be there beside revision")
    if time is not None:
        return history.at(_seconds(time))
    return history.resolve("HEAD" if ref_ is None else ref_)


def revision_reply(entry: Entry, body: bytes, status: int = 200, **headers: str) -> Response:
    """Answer with what a revision says."""
    known = {
        "ETag": f'"{entry.sha}"',
        "Metastore-Private": str(entry.private).lower(),
        "Metastore-Published": str(entry.published).lower(),
    }
    return reply(body, status, headers={**known, **headers})


def saved_reply(saved: Saved, status: int = 200, **headers: str) -> Response:
    """Answer with what was saved."""
    return revision_reply(saved.entry, canonical_json(saved.document), status, **headers)


_TIME = re.compile(r"(\d{4}-\d\d-\d\d)(?:[Tt ](\d\d:\d\d)(?::(\d\d)(?:\.\d+)?)?\s*([Zz]|[+-]\d\d:\d\d)?)?", re.ASCII)


def _seconds(said: str) -> int:
    """Read a time as seconds since 1970-01-01 UTC; one without a zone is UTC.

    :raises Invalid: it is none
    """
    found = _TIME.fullmatch(said)
    try:
        if found is None:
            raise ValueError
        day, minutes, seconds, zone = found.groups()
        shift = "+00:00" if zone in (None, "Z", "z") else zone
        # A leap second is the last one before it.
        second = min(int(seconds or 0), 59)
        time = datetime.fromisoformat(f"{day}T{minutes or '00:00'}:{second:02}{shift}")
    except ValueError:
        raise Invalid("as_of", f"{said!r} is no time; write one like 2026-05-01T12:00:00Z") from None
    return int((time - datetime(1970, 1, 1, tzinfo=timezone.utc)).total_seconds())
