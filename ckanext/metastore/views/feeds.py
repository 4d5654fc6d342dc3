"""Atom feeds of versions: of one dataset, and of the whole site.

:see: https://www.rfc-editor.org/rfc/rfc4287, and https://www.rfc-editor.org/rfc/rfc5005 for their pages
"""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from typing import Any
from uuid import UUID, uuid5

import ckantoolkit as tk
from feedgen.entry import FeedEntry
from feedgen.feed import FeedGenerator
from flask import Response

from ckanext.metastore import config
from ckanext.metastore.core.text import one_line, printable
from ckanext.metastore.views.answers import answer
from ckanext.metastore.views.base import aborting, blueprint, call, dataset_or_abort
from ckanext.metastore.views.paging import Page, Revision, page
from ckanext.metastore.wording import told

ATOM = "application/atom+xml"
_IDS = UUID("4c0f2f1c-8f0e-4f6c-9d52-2c2e3c0a7b1d")
_NEVER = "1970-01-01T00:00:00+00:00"
"""When a feed without entries was updated: the same each time it is asked for."""

Dataset = dict[str, Any]


@blueprint.route("/dataset/<id>/versions.atom")
def feed(id: str) -> Response:
    """The versions of a dataset that whoever asks may see, newest first: ``page`` is 1 or more."""
    number = tk.h.get_page_number(tk.request.args)
    found = dataset_or_abort(id)
    with aborting():
        versions = page(found["id"], number=number, size=config.feed_limit(), details=True)
        named = _named_at(found["id"]) if any(revision["tags"] for revision in versions.revisions) else {}
    title = tk._("Versions of {title}").format(title=found["title"] or found["name"])
    atom = _feed(found["id"], title, alternate=_address("metastore.versions", id=found["name"]))
    _link_pages(atom, found, versions)
    for revision in versions.revisions:
        _add(atom, found, revision, named)
    return _answer(atom, versions.revisions, named)


@blueprint.route("/feeds/versions.atom")
def site_feed() -> Response:
    """The newest versions of all datasets: what anybody may see, whoever asks."""
    anybody = {"user": ""}
    with aborting():
        revisions = tk.get_action("site_revision_list")(anybody, {"limit": config.feed_limit()})
    details = _details(revisions)
    named: dict[str, str] = {}
    for dataset_id in {revision["dataset"]["id"] for revision in revisions if revision["tags"]}:
        named |= _named_at(dataset_id)
    title = tk._("New versions of datasets: {site}").format(site=config.site_title())
    atom = _feed(config.site_id(), title, alternate=_address("dataset.search"))
    atom.link(href=_address("metastore.site_feed"), rel="self", type=ATOM)
    for revision in revisions:
        revision |= details.get(revision["id"], {})
        _add(atom, revision["dataset"], revision, named, prefix=revision["dataset"]["title"])
    return _answer(atom, revisions, named)


def _details(revisions: list[Revision]) -> dict[str, Revision]:
    """What changed, by revision: those in the site's feed are the newest public ones of their datasets."""
    numbers = Counter(revision["dataset"]["id"] for revision in revisions)
    details: dict[str, Revision] = {}
    for dataset_id, number in numbers.items():
        with suppress(tk.ObjectNotFound, tk.NotAuthorized):  # gone since they were listed
            asked = {"id": dataset_id, "limit": number, "details": True}
            listed = tk.get_action("dataset_revision_list")({"user": ""}, asked)
            details |= {revision["id"]: revision for revision in listed}
    return details


def _feed(about: str, title: str, *, alternate: str) -> FeedGenerator:
    """A feed without entries.

    :param about: the id of the dataset or of the site: a feed keeps its own id, wherever it moves
    """
    feed = FeedGenerator()
    feed.id(_urn(about))
    feed.title(one_line(title))
    feed.language(tk.h.lang())
    feed.generator("ckanext-metastore")
    feed.author(name=config.feed_author())
    feed.link(href=alternate, rel="alternate", type="text/html")
    return feed


def _link_pages(feed: FeedGenerator, found: Dataset, versions: Page) -> None:
    pages = {"self": versions.number, "first": 1}
    if versions.number > 1:
        pages["previous"] = versions.number - 1
    if versions.more:
        pages["next"] = versions.number + 1
    for relation, number in pages.items():
        query = {"page": number} if number > 1 else {}
        feed.link(href=_address("metastore.feed", id=found["name"], **query), rel=relation, type=ATOM)


def _add(feed: FeedGenerator, found: Dataset, revision: Revision, named: dict[str, str], *, prefix: str = "") -> None:
    entry: FeedEntry = feed.add_entry(order="append")
    entry.id(_urn(found["id"], revision["id"]))
    entry.title(one_line(": ".join(filter(None, (prefix, _said(revision))))))
    entry.link(href=_address("metastore.version", id=found["name"], ref=revision["id"]), rel="alternate")
    entry.author(name=printable(revision["author"]))
    entry.published(revision["timestamp"])
    entry.updated(_updated(revision, named))
    entry.category([{"term": tag} for tag in revision["tags"]])
    changed = told(revision, found["type"]) if "changes" in revision else ""
    entry.summary(printable("\n\n".join(filter(None, (revision["message"].strip(), changed)))))


def _said(revision: Revision) -> str:
    """The version's names, and the first line of its message."""
    names = ", ".join(revision["tags"])
    first_line = revision["message"].partition("\n")[0]
    return " – ".join(filter(None, (names, first_line))) or tk._("Version {id}").format(id=revision["id"][:7])


def _named_at(dataset_id: str) -> dict[str, str]:
    """Revision -> when it got its newest name."""
    tags = call("dataset_tag_list", id=dataset_id)
    return {tag["revision_id"]: tag["timestamp"] for tag in reversed(tags)}


def _updated(revision: Revision, named: dict[str, str]) -> str:
    """Times in one form and zone, so that texts compare as times do."""
    return max(revision["timestamp"], named.get(revision["id"], ""))


def _answer(feed: FeedGenerator, revisions: list[Revision], named: dict[str, str]) -> Response:
    feed.updated(max((_updated(revision, named) for revision in revisions), default=_NEVER))
    return answer(feed.atom_str(pretty=True), ATOM)


def _address(endpoint: str, **values: Any) -> str:
    return str(tk.url_for(endpoint, _external=True, **values))


def _urn(*names: str) -> str:
    return uuid5(_IDS, "/".join(names)).urn
