"""What is to be pushed: recorded bytes become objects in the local repository, and the moves of refs that follow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ckanext.metastore.backends.git.publishing import moved
from ckanext.metastore.backends.git.repository import TAGS, Repository
from ckanext.metastore.backends.git.transport import RefUpdate
from ckanext.metastore.core.errors import Conflict
from ckanext.metastore.core.names import check_tag_name
from ckanext.metastore.core.objects import parse_tag
from ckanext.metastore.core.types import RecordedRevision, TagUpdate

REMOTE = "refs/metastore/remote/"
"""What a fetch found, until it is compared with what we have."""


def stage(
    repository: Repository, branch: str, revisions: Sequence[RecordedRevision], tags: Sequence[TagUpdate]
) -> list[RefUpdate]:
    """Write the objects, and say how the refs are to move; none where everything is there.

    :raises Conflict: a revision's parent is not the head, or a tag's revision is not there
    """
    head = f"refs/heads/{branch}"
    old = tip = repository.ref(head)
    for revision in revisions:
        if tip is not None and repository.holds(tip, revision.sha):
            continue
        if tip is None and revision.parents:
            raise Conflict(f"the parent of revision {revision.sha} is not in the repository")
        if tip is not None and tip not in revision.parents:
            raise moved(repository, branch)
        repository.write(revision.objects)
        tip = revision.sha
    updates = [RefUpdate(head, old, tip)] if tip != old else []
    return updates + [update for tag in tags if (update := _stage_tag(repository, tag))]


def _stage_tag(repository: Repository, tag: TagUpdate) -> RefUpdate | None:
    name = TAGS + check_tag_name(tag.name)
    old, new = repository.ref(name), None
    if tag.object is not None and tag.public:
        if parse_tag(tag.object.data).target not in repository:
            raise Conflict(f"the revision of tag {tag.name} is not in the repository")
        repository.write([tag.object])
        new = tag.object.sha
    return RefUpdate(name, old, new) if old != new else None


def settle(repository: Repository, updates: Sequence[RefUpdate]) -> None:
    """Move the local refs as the host has moved its own."""
    for update in updates:
        _move(repository, update.name, update.new)


def take_over(repository: Repository, branch: str) -> None:
    """Bring the local refs to what a fetch has found.

    :raises Conflict: the host's branch has left what we know of it: it was rewound, or replaced
    """
    found = repository.refs(REMOTE)
    head = f"refs/heads/{branch}"
    theirs, ours = found.get(f"heads/{branch}"), repository.ref(head)
    if ours is not None and (theirs is None or not repository.holds(theirs, ours)):
        raise Conflict("the branch at the Git host has lost revisions that it had", current=None)
    _move(repository, head, theirs)
    tags = {name.removeprefix("tags/"): sha for name, sha in found.items() if name.startswith("tags/")}
    _take_over_tags(repository, tags)


def is_all_ours(repository: Repository) -> bool:
    """Whether the fetch found nothing at all, while we have a history: it began on another backend."""
    return not repository.refs(REMOTE) and bool(repository.refs("refs/heads/"))


def everything(repository: Repository, branch: str) -> list[RefUpdate]:
    """The moves that bring all that we have to where there is nothing."""
    head = f"refs/heads/{branch}"
    tags = [RefUpdate(TAGS + name, None, sha) for name, sha in sorted(repository.refs(TAGS).items())]
    return [RefUpdate(head, None, repository.ref(head)), *tags]


def _take_over_tags(repository: Repository, tags: Mapping[str, str]) -> None:
    for name in repository.refs(TAGS).keys() - tags.keys():
        repository.remove(TAGS + name)
    for name, sha in tags.items():
        _move(repository, TAGS + name, sha)


def _move(repository: Repository, name: str, new: str | None) -> None:
    if new is None:
        repository.remove(name)
        return
    while (old := repository.ref(name)) != new:
        repository.swap(name, old=old, new=new)
