"""How a dataset presents itself at a Git host, by what its public revisions say."""

from __future__ import annotations

from collections.abc import Sequence

from ckanext.metastore import config
from ckanext.metastore.core.document import parse_document
from ckanext.metastore.core.record import document_in
from ckanext.metastore.core.types import Document, Profile, RecordedRevision
from ckanext.metastore.model import repositories


def newest(dataset_id: str, revisions: Sequence[RecordedRevision]) -> Profile | None:
    """The profile by the newest of these public revisions that changed the document; None where none did."""
    for revision in reversed(revisions):
        if (text := document_in(revision.objects, revision.sha)) is not None:
            return _profile(dataset_id, parse_document(text))
    return None


def _profile(dataset_id: str, document: Document) -> Profile:
    organization = document.get("ckan", {}).get("owner_org")
    owners = config.github_owners()
    owner = owners.get(repositories.organization_name(organization), "") if organization and owners else ""
    return Profile(
        owner=owner,
        name=document.get("name") or dataset_id,
        description=document.get("title") or document.get("name") or "",
        homepage=config.dataset_url().replace("{id}", dataset_id),
        topics=tuple(document.get("keywords") or ()),
    )
