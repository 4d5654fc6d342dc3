"""How a dataset presents itself at a Git host, by what its public revisions say."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from ckanext.metastore import config
from ckanext.metastore.core import NotFound
from ckanext.metastore.core.document import parse_document
from ckanext.metastore.core.record import document_in
from ckanext.metastore.core.types import Document, Profile, RecordedRevision
from ckanext.metastore.model import repositories


def newest(dataset_id: str, revisions: Sequence[RecordedRevision]) -> Profile | None:
    """The profile by the newest of these public revisions; None where there is none, or it cannot be told here."""
    for revision in reversed(revisions):
        if (text := document_in(revision.objects, revision.sha)) is not None:
            return _profile(dataset_id, parse_document(text))
    if not (revisions and revisions[0].parents):
        return None
    # None of them changed the document: it is that of the revision before.
    with suppress(NotFound):
        return _profile(dataset_id, parse_document(config.backend().load(dataset_id, sha=revisions[0].parents[0])))
    return None


def _profile(dataset_id: str, document: Document) -> Profile:
    organization = document.get("ckan", {}).get("owner_org")
    known = organization and config.has_owners()
    owner = config.host_owner(repositories.organization_name(organization)) if known else ""
    return Profile(
        owner=owner,
        name=document.get("name") or dataset_id,
        description=document.get("title") or document.get("name") or "",
        homepage=config.dataset_url().replace("{id}", dataset_id),
        topics=tuple(document.get("keywords") or ()),
    )
