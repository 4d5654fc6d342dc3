"""Atom feeds of versions: of one dataset, and of the whole site.

:see: https://www.rfc-editor.org/rfc/rfc4287, and https://www.rfc-editor.org/rfc/rfc5005 for their pages
"""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid5

import ckantoolkit as tk
from feedgen.entry import FeedEntry
from feedgen.feed import FeedGenerator
from flask import Blueprint, Response

from ckanext.metastore import config
from ckanext.metastore.core.text import one_line, printable
from ckanext.metastore.views.answers import answer
from ckanext.metastore.views.base import aborting, call
from ckanext.metastore.views.paging import Page, Revision, page

blueprint = Blueprint("metastore_feeds", __name__)

ATOM = "application/atom+xml"
_IDS = UUID("4c0f2f1c-8f0e-4f6c-9d52-2c2e3c0a7b1d")
_NEVER = "1970-01-01T00:00:00+00:00"
"""When a feed without entries was updated: the same each time it is asked for."""

Dataset = dict[str, Any]


@blueprint.route("/dataset/<id>/versions.atom")
def dataset(id: str) -> Response:
    """The versions of a dataset that whoever asks may see, newest first: ``page`` is 1 or more."""
    number = tk.h.get_page_number(tk.request.args)
    with aborting():
        found = call("package_show", id=id)
        versions = page(found["id"], number=number, size=config.feed_limit())
        named = _named_at(found["id"]) if any(revision["tags"] for revision in versions.revisions) else {}
    title = tk._("Versions of %(title)s") % {"title": found["title"] or found["name"]}
    feed = _feed(found["id"], title, alternate=_address("metastore.versions", id=found["name"]))
    _link_pages(feed, found, versions)
    for revision in versions.revisions:
        _add(feed, found, revision, named)
    return _answer(feed, versions.revisions, named)


@blueprint.route("/feeds/versions.atom")
def site() -> Response:
    """The newest versions of all datasets: what anybody may see, whoever asks."""
    anybody = {"user": ""}
    with aborting():
        revisions = tk.get_action("site_revision_list")(anybody, {"limit": config.feed_limit()})
    named: dict[str, str] = {}
    for dataset_id in {revision["dataset"]["id"] for revision in revisions if revision["tags"]}:
        named |= _named_at(dataset_id)
    title = tk._("New versions of datasets: %(site)s") % {"site": config.site_title()}
    feed = _feed(config.site_id(), title, alternate=_address("dataset.search"))
    feed.link(href=_address("metastore_feeds.site"), rel="self", type=ATOM)
    for revision in revisions:
        _add(feed, revision["dataset"], revision, named, prefix=revision["dataset"]["title"])
    return _answer(feed, revisions, named)
