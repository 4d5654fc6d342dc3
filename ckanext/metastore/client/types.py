"""What the service gives beside the core's values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from ckanext.metastore.core.types import Document


@dataclass(frozen=True, slots=True)
class Dataset:
    """A dataset as it is, or was, at one revision.

    :param revision_id: the revision's full sha: what ``base_revision`` takes
    :param document: the Data Package
    :param private: whether only those with a token may see this revision
    :param published: whether the Git repository has it already
    """

    owner: str
    name: str
    revision_id: str
    document: Document
    private: bool = False
    published: bool = True


@dataclass(frozen=True, slots=True)
class Listed:
    """A dataset in a list.

    :param id: a UUID, which stays whatever the dataset is called
    :param title: None where the Data Package has none
    :param revision_id: the newest revision's full sha
    :param timestamp: when that was made, UTC
    """

    id: str
    owner: str
    name: str
    title: str | None
    private: bool
    revision_id: str
    timestamp: datetime


@dataclass(frozen=True, slots=True)
class Mirror:
    """A dataset of the service whose history is made elsewhere, and comes there by push.

    :param number: its own for ever, whatever it is called
    :param homepage: where its history is made; perhaps empty
    :param archived: whether it takes no pushes
    :param empty: whether nothing was pushed to it yet
    """

    number: int
    owner: str
    name: str
    description: str = ""
    homepage: str = ""
    topics: tuple[str, ...] = ()
    private: bool = False
    archived: bool = False
    empty: bool = True
