"""What is said with a change, and what comes of it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from ckanext.metastore.core import Author
from ckanext.metastore.core.text import one_line
from ckanext.metastore.core.types import Document
from ckanext.metastore.service.datasets import Dataset
from ckanext.metastore.service.history import Entry

Base = Collection[str] | None
"""The revisions that the caller may have seen, by If-Match; None where they do not say."""


@dataclass(frozen=True)
class By:
    """Who makes a change, and why.

    :param user: the account's name, for the trailer
    """

    author: Author
    user: str = ""
    message: str = ""


@dataclass(frozen=True)
class Saved:
    """What a change has led to.

    :param created: whether it made a revision
    """

    dataset: Dataset
    entry: Entry
    document: Document
    created: bool = True


def title_of(document: Document | None) -> str | None:
    """A document's title, for lists."""
    title = document.get("title") if document else None
    return one_line(title) if isinstance(title, str) else None
