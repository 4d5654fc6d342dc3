"""Time travel for machines: a dataset's page says where its versions are, and leads to the one of any time.

The page is its own TimeGate: to who sends ``Accept-Datetime`` it answers with the address of the version of that time.

:see: https://www.rfc-editor.org/rfc/rfc7089 (Memento), https://www.rfc-editor.org/rfc/rfc5829 (version-history and its
    like), https://www.rfc-editor.org/rfc/rfc8288 (Link)
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import ckantoolkit as tk
from flask import Response
from werkzeug.http import http_date, parse_date

from ckanext.metastore.views.answers import answer, for_whoever_asks
from ckanext.metastore.views.base import aborting, blueprint, call
from ckanext.metastore.views.feeds import ATOM
from ckanext.metastore.views.paging import Page, Revision, page

LINK_FORMAT = "application/link-format"
PAGE_SIZE = 1000
"""Versions in one TimeMap."""


@blueprint.before_app_request
def redirect() -> Response | None:
    """Lead whoever asks for a time from the dataset's page to its version of that time.

    Before the first version there is the first. Where nothing is to be seen, CKAN's own page says so.
    """
    wanted = tk.request.headers.get("Accept-Datetime")
    dataset_id = _dataset_shown()
    if wanted is None or dataset_id is None:
        return None
    time = parse_date(wanted)
    if time is None:
        return tk.abort(400, tk._("Accept-Datetime must be a time such as: Fri, 03 May 2024 12:00:00 GMT"))
    found = _closest(dataset_id, time)
    if found is None:
        return None
    for_whoever_asks()
    response = Response(status=302, headers={"Location": _memento(dataset_id, found)})
    _tell(response, dataset_id, _memento_link(dataset_id, "memento", found))
    response.vary.add("Accept-Datetime")
    return response


@blueprint.after_app_request
def tell(response: Response) -> Response:
    """Say on a dataset's page, and on that of a version, where the others are."""
    if response.status_code != 200:
        return response
    if dataset_id := _dataset_shown():
        _tell_of_dataset(response, dataset_id)
    elif tk.request.endpoint == "metastore.version":
        _tell_of_version(response, **(tk.request.view_args or {}))
    return response


@blueprint.route("/dataset/<id>/versions/timemap")
def timemap(id: str) -> Response:
    """All versions that whoever asks may see, the oldest first, in the form of RFC 6690: ``page`` is 1 or more."""
    number = tk.h.get_page_number(tk.request.args)
    with aborting():
        versions = page(id, number=number, size=PAGE_SIZE, oldest_first=True)
    lines = [_link(_original(id), "original timegate"), *_timemap_links(id, versions)]
    for place, revision in enumerate(versions.revisions, start=1):
        first = number == place == 1
        last = place == len(versions.revisions) and not versions.more
        lines.append(_memento_link(id, " ".join(["first"] * first + ["last"] * last + ["memento"]), revision))
    return answer(",\n".join(lines).encode() + b"\n", LINK_FORMAT)


def _timemap_links(dataset_id: str, versions: Page) -> list[str]:
    span = {}
    if versions.revisions:
        span = {"from": _date(versions.revisions[0]), "until": _date(versions.revisions[-1])}
    links = [_link(_timemap(dataset_id, versions.number), "self", type=LINK_FORMAT, **span)]
    if versions.number > 1:
        links.append(_link(_timemap(dataset_id, versions.number - 1), "timemap prev", type=LINK_FORMAT))
    if versions.more:
        links.append(_link(_timemap(dataset_id, versions.number + 1), "timemap next", type=LINK_FORMAT))
    return links


def _dataset_shown() -> str | None:
    """The id or name in the address of a dataset's page, of whichever type; None for any other page."""
    values = tk.request.view_args or {}
    is_page = "package_type" in values and tk.request.endpoint == f"{values['package_type']}.read"
    return values["id"] if is_page else None


def _closest(dataset_id: str, time: datetime) -> Revision | None:
    """The newest version that was there at a time, or else the first; None where there is none to be seen."""
    try:
        return call("dataset_revision_show", id=dataset_id, as_of=time.isoformat())
    except (tk.ObjectNotFound, tk.NotAuthorized):
        oldest = _listed(dataset_id, oldest_first=True)
    return oldest[0] if oldest else None


def _listed(dataset_id: str, **how: Any) -> list[Revision]:
    """The version at one end of the list; none where there is none to be seen."""
    try:
        return call("dataset_revision_list", id=dataset_id, limit=1, **how)
    except (tk.ObjectNotFound, tk.NotAuthorized):
        return []


def _tell_of_dataset(response: Response, dataset_id: str) -> None:
    response.vary.add("Accept-Datetime")
    for newest in _listed(dataset_id):
        feed = tk.url_for("metastore.feed", id=dataset_id, _external=True)
        last = _memento_link(dataset_id, "last memento", newest)
        _tell(response, dataset_id, last, _link(feed, "alternate", type=ATOM))


def _tell_of_version(response: Response, id: str, ref: str) -> None:
    if ref == "HEAD":  # it is another version tomorrow: no memento
        _tell(response, id)
        return
    revision = call("dataset_revision_show", id=id, revision_ref=ref)
    response.headers["Memento-Datetime"] = _date(revision)
    earlier = [_link(_memento(id, {"id": sha}), "predecessor-version") for sha in revision["parents"]]
    _tell(response, id, _link(_original(id), "latest-version"), *earlier)


def _tell(response: Response, dataset_id: str, *more: str) -> None:
    links = [
        _link(_original(dataset_id), "original timegate"),
        _link(_timemap(dataset_id), "timemap", type=LINK_FORMAT),
        _link(tk.url_for("metastore.versions", id=dataset_id, _external=True), "version-history"),
        *more,
    ]
    response.headers.add("Link", ", ".join(links))


def _link(address: str, relation: str, **parameters: str) -> str:
    quoted = {"rel": relation, **parameters}.items()
    escaped = [(name, value.replace("\\", r"\\").replace('"', r"\"")) for name, value in quoted]
    return "; ".join([f"<{address}>", *(f'{name}="{value}"' for name, value in escaped)])


def _memento_link(dataset_id: str, relation: str, revision: Revision) -> str:
    return _link(_memento(dataset_id, revision), relation, datetime=_date(revision))


def _memento(dataset_id: str, revision: dict[str, Any]) -> str:
    return str(tk.url_for("metastore.version", id=dataset_id, ref=revision["id"], _external=True))


def _original(dataset_id: str) -> str:
    return str(tk.url_for("dataset.read", id=dataset_id, _external=True))


def _timemap(dataset_id: str, number: int = 1) -> str:
    query = {"page": number} if number > 1 else {}
    return str(tk.url_for("metastore.timemap", id=dataset_id, _external=True, **query))


def _date(revision: Revision) -> str:
    return http_date(datetime.fromisoformat(revision["timestamp"]))
