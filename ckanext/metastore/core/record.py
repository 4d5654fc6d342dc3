"""From a document to a revision, as bytes: the pure half of a save.

No clock is read where a time is given, no repository and no configuration: the same input gives the same sha on every
machine, and after a crash.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime

from ckanext.metastore.core import objects
from ckanext.metastore.core.document import DOCUMENT_PATH, files, generated_names
from ckanext.metastore.core.names import check_package_id, check_tag_name
from ckanext.metastore.core.objects import TreeEntry
from ckanext.metastore.core.text import normalise_author, normalise_message, normalise_timestamp, one_line
from ckanext.metastore.core.types import Author, Document, GitObject, Head, RecordedRevision, Site

_TRAILERS = re.compile(r"\n\nCKAN-Dataset: [^\n]+(?:\nCKAN-User: [^\n]+)?\Z")


def record(
    package_id: str,
    *,
    document: Document | None,
    author: Author,
    message: str = "",
    timestamp: datetime | None = None,
    public: bool = True,
    user: str = "",
    head: Head | None = None,
    joins: str | None = None,
    site: Site | None = None,
) -> RecordedRevision:
    """Compute the revision that follows ``head``. See :meth:`ckanext.metastore.core.Backend.record`.

    :param site: the committer, and where the dataset's page is; the author commits where there is none
    :raises Invalid: the document or the message cannot be stored
    :raises InvalidName: ``package_id`` is empty or no text
    """
    check_package_id(package_id)
    kept = {entry.name: entry for entry in objects.parse_tree(head.tree)} if head else {}
    message = normalise_message(message) or _default_message(document, kept)
    made = _made(files(document, site, package_id)) if document is not None else {}
    ours = generated_names(site)
    root = objects.tree([*(entry for name, entry in kept.items() if name not in ours), *made])
    author = normalise_author(author)
    seconds = normalise_timestamp(timestamp, not_before=head.timestamp if head else 0)
    parents = [*([head.sha] if head else []), *([joins] if joins else [])]
    commit = objects.commit(
        tree=root.sha,
        parents=parents,
        author=author,
        committer=site.committer if site else author,
        timestamp=seconds,
        message=message + _trailers(package_id, user),
    )
    changed = [entry for entry in made if entry.name not in kept or kept[entry.name].sha != entry.sha]
    new = list(dict.fromkeys(item for entry in changed for item in made[entry]))
    if head is None or head.tree != root.data:
        new.append(root)
    return RecordedRevision(
        sha=commit.sha,
        parents=tuple(parents),
        tree=root.data,
        author=author,
        message=message,
        timestamp=seconds,
        public=public,
        objects=(*new, commit),
    )


def record_tag(
    *, name: str, revision_id: str, author: Author, description: str = "", timestamp: datetime | None = None
) -> GitObject:
    """Compute the annotated tag that names a revision.

    :param revision_id: the commit's full sha
    :raises InvalidName: Git or GitHub would refuse the name
    :raises Invalid: the description is too long
    """
    return objects.tag_object(
        name=check_tag_name(name),
        target=revision_id,
        tagger=author,
        timestamp=normalise_timestamp(timestamp),
        message=normalise_message(description, field="description"),
    )


def without_trailers(message: str) -> str:
    """Give what the author wrote, of a message that :func:`record` stored."""
    return _TRAILERS.sub("", message)


def is_recorded(message: str) -> bool:
    """Tell whether a commit's message is one that :func:`record` stored."""
    return _TRAILERS.search(message) is not None


def document_sha(tree: bytes) -> str | None:
    """Give the sha of the document's blob in a root tree; ``None`` where the package is deleted there."""
    return next((entry.sha for entry in objects.parse_tree(tree) if entry.name == DOCUMENT_PATH), None)


def document_in(added: Iterable[GitObject], sha: str) -> bytes | None:
    """Give the document's bytes among the objects that a revision adds; ``None`` where it kept or removed the document.

    :param sha: the revision's
    """
    data = {item.sha: item.data for item in added}
    tree = data.get(objects.parse_commit(data[sha]).tree)
    return data.get(document_sha(tree) or "") if tree is not None else None


def _made(contents: dict[str, bytes]) -> dict[TreeEntry, list[GitObject]]:
    """Give the entries of the root for our files, each with its objects: a folder's files, then the folder."""
    made: dict[TreeEntry, list[GitObject]] = {}
    folders: dict[str, dict[TreeEntry, GitObject]] = {}
    for path, data in contents.items():
        folder, _, name = path.rpartition("/")
        blob = objects.blob(data)
        if folder:
            folders.setdefault(folder, {})[TreeEntry(name, blob.sha)] = blob
        else:
            made[TreeEntry(name, blob.sha)] = [blob]
    for folder, blobs in folders.items():
        tree = objects.tree(blobs)
        made[TreeEntry(folder, tree.sha, objects.DIRECTORY_MODE)] = [*blobs.values(), tree]
    return made


def _default_message(document: Document | None, kept: dict[str, TreeEntry]) -> str:
    if document is None:
        return "Delete dataset"
    return "Update dataset" if DOCUMENT_PATH in kept else "Create dataset"


def _trailers(package_id: str, user: str) -> str:
    """Give one blank line and the trailers, each on a line of its own.

    :see: https://git-scm.com/docs/git-interpret-trailers
    """
    trailers = f"\n\nCKAN-Dataset: {one_line(package_id) or '-'}"
    if user_line := one_line(user):
        trailers += f"\nCKAN-User: {user_line}"
    return trailers
