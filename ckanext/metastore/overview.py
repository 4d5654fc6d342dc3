"""Which datasets are not published as they should be, for whoever runs the portal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ckanext.metastore.model import unsettled
from ckanext.metastore.model.queries import Row

ORDER = ("diverged", "failed", "waiting")
"""What is worst comes first."""


def counts() -> dict[str, int]:
    """How many datasets are in each of these states."""
    found = unsettled.counts()
    return {state: found.get(state, 0) for state in ORDER}


def page(*, state: str = "", limit: int, offset: int) -> Sequence[Row]:
    """Some of the datasets that have something to publish or to pull: ``id``, ``name`` and ``state``.

    :param state: only those in this state
    """
    return unsettled.page(states=[state] if state else ORDER, limit=limit, offset=offset)


def state(publishing: dict[str, Any]) -> str:
    """How it stands with a dataset: ``diverged``, ``failed`` or ``waiting``.

    :param publishing: as ``dataset_publish`` tells it
    """
    if publishing["diverged"]:
        return "diverged"
    return "failed" if publishing["error"] else "waiting"
