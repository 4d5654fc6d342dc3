"""Time travel for machines: the page of a dataset or of a resource says where its versions are, and leads to any.

The page is its own TimeGate: to who sends ``Accept-Datetime`` it answers with the address of the version of that time.
There is one TimeMap, the dataset's: which versions a resource was in only its documents tell, and they may be many.

:see: https://www.rfc-editor.org/rfc/rfc7089 (Memento), https://www.rfc-editor.org/rfc/rfc5829 (version-history and its
    like), https://www.rfc-editor.org/rfc/rfc8288 (Link)
"""

from __future__ import annotations

from dataclasses import dataclass
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


@dataclass(frozen=True)
class Shown:
    """What a page is about: a dataset, by id or name, or one of its resources."""

    dataset_id: str
    resource_id: str | None = None

    @property
    def address(self) -> str:
        """That of the page of now."""
        if self.resource_id:
            values = {"id": self.dataset_id, "resource_id": self.resource_id}
            return str(tk.url_for("dataset_resource.read", _external=True, **values))
        return _original(self.dataset_id)

    def memento(self, sha: str) -> str:
        """The address of a version's page."""
        values = {"id": self.dataset_id, "ref": sha}
        if self.resource_id:
            return str(tk.url_for("metastore.version_resource", resource_id=self.resource_id, _external=True, **values))
        return str(tk.url_for("metastore.version", _external=True, **values))

    def is_in(self, version: Revision) -> bool:
        """Whether a version has it."""
        if not self.resource_id:
            return True
        resources = call("package_show", id=self.dataset_id, revision_ref=version["id"])["resources"]
        return any(resource.get("id") == self.resource_id for resource in resources)


@blueprint.before_app_request
def redirect() -> Response | None:
    """Lead whoever asks for a time from the page of now to the version of that time.

    Before the first version there is the first. Where nothing is to be seen, CKAN's own page says so.
    """
    wanted = tk.request.headers.get("Accept-Datetime")
    shown = _shown()
    if wanted is None or shown is None:
        return None
    time = parse_date(wanted)
    if time is None:
        return tk.abort(400, tk._("Accept-Datetime must be a time such as: Fri, 03 May 2024 12:00:00 GMT"))
    found = _closest(shown.dataset_id, time)
    if found is None:
        return None
    for_whoever_asks()
    if not shown.is_in(found):
        return tk.abort(404, tk._("The dataset had no such resource at that time"))
    response = Response(status=302, headers={"Location": shown.memento(found["id"])})
    _tell(response, shown, _memento_link(shown, "memento", found))
    response.vary.add("Accept-Datetime")
    return response


@blueprint.after_app_request
def tell(response: Response) -> Response:
    """Say on the page of a dataset or resource, and on that of a version, where the others are."""
    if response.status_code != 200:
        return response
    if shown := _shown():
        _tell_of_now(response, shown)
    elif tk.request.endpoint in ("metastore.version", "metastore.version_resource"):
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
        lines.append(_memento_link(Shown(id), " ".join(["first"] * first + ["last"] * last + ["memento"]), revision))
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


def _shown() -> Shown | None:
    """The dataset, of whichever type, or resource that the page is about; None for any other page."""
    values = tk.request.view_args or {}
    if "package_type" not in values:
        return None
    if tk.request.endpoint == f"{values['package_type']}.read":
        return Shown(values["id"])
    if tk.request.endpoint == f"{values['package_type']}_resource.read":
        return Shown(values["id"], values["resource_id"])
    return None


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


def _tell_of_now(response: Response, shown: Shown) -> None:
    response.vary.add("Accept-Datetime")
    for newest in _listed(shown.dataset_id):
        feed = tk.url_for("metastore.feed", id=shown.dataset_id, _external=True)
        # A resource that was there a moment ago is in the newest version.
        last = _memento_link(shown, "last memento", newest)
        _tell(response, shown, last, _link(feed, "alternate", type=ATOM))


def _tell_of_version(response: Response, id: str, ref: str, resource_id: str | None = None) -> None:
    shown = Shown(id, resource_id)
    if ref == "HEAD":  # it is another version tomorrow: no memento
        _tell(response, shown)
        return
    revision = call("dataset_revision_show", id=id, revision_ref=ref)
    response.headers["Memento-Datetime"] = _date(revision)
    more = []
    if not resource_id:  # which other versions may not have
        more = [_link(shown.address, "latest-version")]
        more += [_link(shown.memento(sha), "predecessor-version") for sha in revision["parents"]]
    _tell(response, shown, *more)


def _tell(response: Response, shown: Shown, *more: str) -> None:
    links = [
        _link(shown.address, "original timegate"),
        _link(tk.url_for("metastore.versions", id=shown.dataset_id, _external=True), "version-history"),
        *more,
    ]
    if not shown.resource_id:
        links.insert(1, _link(_timemap(shown.dataset_id), "timemap", type=LINK_FORMAT))
    response.headers.add("Link", ", ".join(links))


def _link(address: str, relation: str, **parameters: str) -> str:
    quoted = {"rel": relation, **parameters}.items()
    escaped = [(name, value.replace("\\", r"\\").replace('"', r"\"")) for name, value in quoted]
    return "; ".join([f"<{address}>", *(f'{name}="{value}"' for name, value in escaped)])


def _memento_link(shown: Shown, relation: str, revision: Revision) -> str:
    return _link(shown.memento(revision["id"]), relation, datetime=_date(revision))


def _original(dataset_id: str) -> str:
    return str(tk.url_for("dataset.read", id=dataset_id, _external=True))


def _timemap(dataset_id: str, number: int = 1) -> str:
    query = {"page": number} if number > 1 else {}
    return str(tk.url_for("metastore.timemap", id=dataset_id, _external=True, **query))


def _date(revision: Revision) -> str:
    return http_date(datetime.fromisoformat(revision["timestamp"]))
