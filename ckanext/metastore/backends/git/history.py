"""Reading a dataset's history out of its repository: refs, revisions, tags."""

from __future__ import annotations

from collections import defaultdict
from itertools import islice

from ckanext.metastore.backends.git.repository import Repository
from ckanext.metastore.core.document import DOCUMENT_PATH
from ckanext.metastore.core.errors import Invalid, NotFound
from ckanext.metastore.core.names import is_abbreviation
from ckanext.metastore.core.objects import parse_commit, parse_tag, parse_tree
from ckanext.metastore.core.record import without_trailers
from ckanext.metastore.core.types import Head, Revision, Tag, utc

HEAD = "HEAD"
TAGS = "refs/tags/"


def tip_of(repository: Repository, branch: str) -> str | None:
    """Give the sha at the head of a branch; ``None`` where nothing was ever published."""
    return repository.ref(f"refs/heads/{branch}")


def head_of(repository: Repository, sha: str) -> Head:
    """Give a revision as what the next one builds on."""
    commit = repository.commit(sha)
    return Head(sha, repository.tree(commit.tree), commit.timestamp)


def document_sha(head: Head) -> str | None:
    """Give the sha of the document's blob; ``None`` where the package is deleted there."""
    return next((entry.sha for entry in parse_tree(head.tree) if entry.name == DOCUMENT_PATH), None)


def head_revision(repository: Repository, branch: str) -> Revision | None:
    """Give the newest revision."""
    tip = tip_of(repository, branch)
    return revision_of(repository, tip, tag_names(repository)) if tip else None


def revision_of(repository: Repository, sha: str, tags: dict[str, list[str]]) -> Revision:
    """Read one revision.

    :param tags: what :func:`tag_names` gave
    :raises NotFound: no commit has this sha
    """
    commit = repository.commit(sha)
    return Revision(
        id=sha,
        timestamp=utc(commit.timestamp),
        author=commit.author,
        message=without_trailers(commit.message),
        parents=commit.parents,
        tags=tuple(tags.get(sha, ())),
    )


def resolve(repository: Repository, branch: str, ref: str) -> str:
    """Find the revision that a ref means: ``HEAD``, then a tag, then a sha or its beginning on the branch.

    :returns: the full sha
    :raises NotFound: it means none, or an object that is no revision of this branch
    :raises Invalid: an abbreviation fits more than one revision
    """
    tip = tip_of(repository, branch)
    if tip is None or not isinstance(ref, str):
        raise NotFound("revision", str(ref))
    if ref == HEAD:
        return tip
    if tag := tag_of(repository, ref):
        return tag.revision_id
    if not is_abbreviation(ref):
        raise NotFound("revision", ref)
    prefix, enough = ref.lower(), 1 if len(ref) == 40 else 2
    found = list(islice((sha for sha in repository.walk(tip) if sha.startswith(prefix)), enough))
    if not found:
        raise NotFound("revision", ref)
    if len(found) > 1:
        raise Invalid("revision_ref", f"{ref} fits more than one revision; write more digits")
    return found[0]


def tag_of(repository: Repository, name: str) -> Tag | None:
    """Read one tag; ``None`` where there is none, or it names no revision."""
    sha = repository.ref(TAGS + name)
    return _tag(repository, name, sha) if sha else None


def tags_of(repository: Repository) -> list[Tag]:
    """Read all tags, newest first: the refs, and one object for each."""
    found = (_tag(repository, name, sha) for name, sha in repository.refs(TAGS).items())
    return sorted((tag for tag in found if tag), key=lambda tag: (-tag.timestamp.timestamp(), tag.name))


def tag_names(repository: Repository) -> dict[str, list[str]]:
    """Give the sorted names of the tags of each tagged revision."""
    names = defaultdict(list)
    for tag in tags_of(repository):
        names[tag.revision_id].append(tag.name)
    return {sha: sorted(tags) for sha, tags in names.items()}


def _tag(repository: Repository, name: str, sha: str) -> Tag | None:
    """Read what a tag's ref points to: an annotated tag, or, where a stranger made it, a commit."""
    item = repository.read(sha)
    if item is None:
        return None
    if item.type == "commit":
        commit = parse_commit(item.data)
        return Tag(name, sha, "", commit.author, utc(commit.timestamp))
    if item.type != "tag":
        return None
    tag = parse_tag(item.data)
    if tag.target_type != "commit":
        return None
    return Tag(name, tag.target, tag.message, tag.tagger, utc(tag.timestamp))
