"""The actions. Each one checks access, validates, makes one call down, and dictizes what comes back."""

from __future__ import annotations

from typing import Any

from ckanext.metastore.logic.action import publishing, reads, recent, revisions, saves, tags
from ckanext.metastore.logic.bearer import guarded

_OWN = (
    publishing.dataset_check,
    publishing.dataset_history_show,
    publishing.dataset_publish,
    publishing.dataset_publishing_list,
    publishing.dataset_pull,
    reads.package_show,
    reads.resource_show,
    recent.site_revision_list,
    revisions.dataset_revert,
    revisions.dataset_revision_list,
    revisions.dataset_revision_show,
    revisions.revision_diff,
    tags.dataset_tag_create,
    tags.dataset_tag_delete,
    tags.dataset_tag_list,
    tags.dataset_tag_show,
    tags.dataset_tag_update,
)


def actions() -> dict[str, Any]:
    """Every action by name, for CKAN's blanket."""
    found = {**{action.__name__: action for action in _OWN}, **saves.actions()}
    return {name: guarded(name, action) for name, action in found.items()}
