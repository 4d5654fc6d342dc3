"""Leaving: every history as a plain bare repository, which needs neither this extension nor CKAN."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ckan import model
from ckan.lib.plugins import get_permission_labels

from ckanext.metastore import config
from ckanext.metastore.core import Conflict
from ckanext.metastore.model import checks, exports, waiting
from ckanext.metastore.model.checks import State

NOWHERE = "_"
"""The folder of datasets that are in no organization."""


@dataclass(frozen=True)
class Export:
    """Where histories go.

    :param folder: the repositories are ``<organization>/<name>.git`` in it
    :param private: whole histories too, and those of datasets that are not public, as ``<name>.private.git``
    """

    folder: Path
    private: bool = False

    def write(self, dataset_id: str) -> bool:
        """Write one dataset's history. What waits is in it, although it is in no repository yet.

        :returns: whether there was anything to write
        :raises MetastoreError: it could not be written as a whole
        """
        with waiting.take(dataset_id, patience=config.publish_timeout()):
            state = checks.states([dataset_id])[dataset_id]
            public = _is_public(state)
            place = self.folder / _organization(state) / f"{state.name or dataset_id}.git"
            model.Session.rollback()
            if state.head is None or not (public or self.private):
                _refuse_exposed(place, state)
                return False
            if public:
                self._write(state, place, private=False)
            if self.private and not (public and state.all_public):
                self._write(state, place.with_suffix(".private.git"), private=True)
            if not public:
                _refuse_exposed(place, state)
            return True

    def _write(self, state: State, target: Path, *, private: bool) -> None:
        revisions, tags = exports.recorded(state.dataset_id)
        config.backend().export(
            state.expected(public=None),
            target=target,
            private=private,
            newest=state.head if private else None,
            revisions=[revision for revision in revisions if private or revision.public],
            tags=[tag for tag in tags if private or tag.public],
        )


def _refuse_exposed(place: Path, state: State) -> None:
    """A repository that was exported when its dataset was public is there to be served."""
    if place.exists():
        raise Conflict(f"{place} was exported when the dataset {state.name} was public, which it is not: remove it")


def _is_public(state: State) -> bool:
    """Whether everybody may see the dataset now, and its newest revision."""
    labels = get_permission_labels().get_dataset_labels(state.package) if state.package else []
    return "public" in labels and state.head_is_public


def _organization(state: State) -> str:
    owner = model.Group.get(state.package.owner_org) if state.package and state.package.owner_org else None
    return str(owner.name) if owner else NOWHERE
