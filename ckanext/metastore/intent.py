"""Who saves, why, and on what base: said once by the action that was called, read when the transaction commits.

CKAN's actions call each other: ``resource_create`` calls ``package_update``, a bulk edit calls many. The outermost
action's intent holds for all of them, so that nothing has to be passed through CKAN's contexts.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

import ckantoolkit as tk

from ckanext.metastore.core.types import Document, Theirs


@dataclass
class Intent:
    """What a caller means by a save.

    :param user: the account's name; empty where nobody is logged in
    :param message: the revision's message; empty for the default
    :param base_revision: the revision that the caller started from, until it is known of which dataset
    :param expected: dataset id -> base revision, until the dataset is saved
    :param saved: dataset id -> the revision that the save made
    :param joins: dataset id -> somebody's commit, and its document, that the save brings in
    :param unpublished: dataset id -> why that revision is not published yet; empty where its turn will come
    """

    user: str = ""
    message: str = ""
    base_revision: str | None = None
    expected: dict[str, str] = field(default_factory=dict)
    saved: dict[str, str] = field(default_factory=dict)
    joins: dict[str, tuple[Theirs, Document]] = field(default_factory=dict)
    unpublished: dict[str, str] = field(default_factory=dict)

    def expect(self, dataset_id: str) -> str | None:
        """The base of a dataset that is about to be saved: of the first one, as hooks may save others."""
        if self.base_revision:
            self.expected[dataset_id], self.base_revision = self.base_revision, None
        return self.expected.get(dataset_id)

    def note(self, dataset_id: str, revision_id: str) -> None:
        """A dataset is saved on the base that was expected; hooks may save it again."""
        self.expected.pop(dataset_id, None)
        self.saved[dataset_id] = revision_id

    def note_published(self, dataset_id: str, *, waits: bool, error: str = "") -> None:
        """What became of the revision after COMMIT.

        :param error: why it waits, if anything went wrong
        """
        self.unpublished.pop(dataset_id, None)
        if waits:
            self.unpublished[dataset_id] = error

    def outcome(self, dataset_id: str) -> dict[str, Any]:
        """What an answer tells of the publication: nothing, where the revision is published."""
        if dataset_id not in self.unpublished:
            return {}
        error = self.unpublished[dataset_id]
        return {"revision_published": False, **({"revision_error": error} if error else {})}


_current: ContextVar[Intent | None] = ContextVar("metastore_intent", default=None)


def active() -> bool:
    """Whether a save is under way in this thread."""
    return _current.get() is not None


def current() -> Intent:
    """The intent of the save under way; outside any action, of whoever is logged in."""
    return _current.get() or Intent(user=_logged_in())


@contextmanager
def saving(user: str, message: str = "", base_revision: str | None = None) -> Iterator[Intent]:
    """Hold an intent for the length of an action; inside another action's, only fill in what that one left open."""
    outer = _current.get()
    if outer is not None:
        outer.message = outer.message or message
        outer.base_revision = outer.base_revision or base_revision
        yield outer
        return
    token = _current.set(Intent(user, message, base_revision))
    try:
        yield current()
    finally:
        _current.reset(token)


def _logged_in() -> str:
    if not tk.request:
        return ""
    user = tk.current_user
    return str(user.name) if user.is_authenticated else ""
