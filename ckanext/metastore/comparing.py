"""Two revisions of a dataset, told apart in the form that was asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

from ckanext.metastore import mapper
from ckanext.metastore.core import MetastoreError
from ckanext.metastore.core.diff import diff, json_patch, unified
from ckanext.metastore.core.types import Change
from ckanext.metastore.history import History
from ckanext.metastore.model.queries import Row


def changes(history: History, a: Row, b: Row) -> list[Change]:
    """The dataset's fields that changed, resources matched by id."""
    return diff(_dataset(history, a), _dataset(history, b))


def patch(history: History, a: Row, b: Row) -> list[dict[str, Any]]:
    """The JSON Patch that turns the dataset at ``a`` into the one at ``b``.

    :see: https://www.rfc-editor.org/rfc/rfc6902
    """
    return json_patch(_dataset(history, a), _dataset(history, b))


def text(history: History, a: Row, b: Row) -> str:
    """The difference of the two ``datapackage.json``, as ``git diff`` shows it."""
    return unified(history.text(a), history.text(b), label_a=a.sha[:12], label_b=b.sha[:12])


def steps(history: History, revisions: Sequence[Row]) -> list[list[Change] | None]:
    """What each revision changed of the one after it in the list; one list less than there are revisions.

    :returns: None for a revision where one of the two cannot be read now
    """
    datasets = [_readable(history, revision) for revision in revisions]
    return [None if old is None or new is None else diff(old, new) for new, old in pairwise(datasets)]


FORMATS: dict[str, Callable[[History, Row, Row], Any]] = {"changes": changes, "json_patch": patch, "unified": text}


def _readable(history: History, revision: Row) -> dict[str, Any] | None:
    try:
        return _dataset(history, revision)
    except MetastoreError:
        return None


def _dataset(history: History, revision: Row) -> dict[str, Any]:
    return mapper.to_dataset(history.document(revision))
