"""Which datasets are not published as they should be, for whoever runs the portal."""

from __future__ import annotations

from typing import Any

from ckanext.metastore.model import checks, pulls, waiting

ORDER = ("diverged", "failed", "waiting")
"""What is worst comes first."""


def unsettled() -> dict[str, str]:
    """The names of the datasets that have something to publish or to pull, by id; of one that is gone, its id."""
    ids = dict.fromkeys([*waiting.datasets(), *pulls.known()])
    names = checks.names(list(ids))
    return {dataset_id: names.get(dataset_id, dataset_id) for dataset_id in ids}


def state(publishing: dict[str, Any]) -> str:
    """How it stands with a dataset: ``diverged``, ``failed`` or ``waiting``.

    :param publishing: as ``dataset_publish`` tells it
    """
    if publishing["diverged"]:
        return "diverged"
    return "failed" if publishing["error"] else "waiting"
