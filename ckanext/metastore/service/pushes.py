"""What is pushed, judged before it is taken: which refs are to change, and to what."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from ckanext.metastore.backends.git.repository import TAGS
from ckanext.metastore.core.errors import Invalid, InvalidName
from ckanext.metastore.core.names import check_tag_name
from ckanext.metastore.core.objects import parse_tag
from ckanext.metastore.core.text import normalise_message
from ckanext.metastore.core.types import GitObject, RecordedRevision, Tag, utc
from ckanext.metastore.service.incoming import Moved, Objects, Refused

REF_LIMIT = 500
"""How many refs one push may change."""

TAG_LIMIT = 65_536
"""Bytes of a tag's object."""

NEWER = "there is a newer revision: fetch it, and build on it or merge it"
OTHER_TAG = "there is another one by now: fetch it first"

_NOTHING = "0" * 40
_UPDATE = re.compile(r"(?P<old>[0-9a-f]{40}) (?P<new>[0-9a-f]{40}) (?P<ref>.+)")


class Update(NamedTuple):
    """A ref that is to change.

    :param old: where the pusher saw it; None where it was not there
    :param new: where it is to be; None where it is to go
    """

    old: str | None
    new: str | None
    ref: str


@dataclass(frozen=True)
class TagChange:
    """A tag that is to be set or taken away.

    :param old: the sha of the tag's object as the pusher saw it; None where there was none
    :param new: the tag's object, as it was pushed; None where it is to go
    :param tag: what that says
    """

    name: str
    old: str | None
    new: GitObject | None = None
    tag: Tag | None = None


@dataclass(frozen=True)
class Push:
    """What a push brings, judged.

    :param base: the public head that the revisions build on; None where they are the first
    """

    base: str | None = None
    revisions: Sequence[RecordedRevision] = ()
    tags: Sequence[TagChange] = ()


def updates(lines: Sequence[str], refs: Mapping[str, str], branch: str) -> list[Update]:
    """Read what a push is to change.

    :param refs: as they are, by their full names
    :raises Refused: it is more than the branch and tags, or somebody was first
    """
    if len(lines) > REF_LIMIT:
        raise Refused(f"one push may change {REF_LIMIT} refs at most; push fewer at a time")
    found = [Update(_sha(match["old"]), _sha(match["new"]), match["ref"]) for match in map(_match, lines)]
    for update in found:
        if not update.ref.startswith(TAGS) and update.ref != f"refs/heads/{branch}":
            raise Refused(f"only the branch {branch} and tags can be pushed, not {update.ref}")
        if update.new is None and not update.ref.startswith(TAGS):
            raise Refused(f"the branch {branch} stays; to delete the dataset, send DELETE")
        if update.old is None and update.new is None:
            raise Refused(f"there is no {update.ref} that could be taken away")
        if update.old != refs.get(update.ref):
            raise Moved(update.ref, OTHER_TAG if update.ref.startswith(TAGS) else NEWER)
    if len({update.ref for update in found}) < len(found):
        raise Refused("a ref can be changed once in a push")
    return found


def check_scopes(asked: Sequence[Update], operations: Collection[str]) -> None:
    """See whether the pusher may change these refs.

    :param operations: of the policy, those that the token allows
    :raises Refused: they may not
    """
    for update in asked:
        operation = "tag" if update.ref.startswith(TAGS) else "update"
        if operation not in operations:
            raise Refused(f"this token does not allow that: {update.ref} needs the scope {operation}")


def tags(objects: Objects, asked: Sequence[Update]) -> list[TagChange]:
    """Read the tags among what is asked for.

    :raises Refused: a tag is not annotated, or is not what its ref is called
    """
    wanted = [update for update in asked if update.ref.startswith(TAGS)]
    shas = [update.new for update in wanted if update.new]
    if any(size > TAG_LIMIT for size in objects.sizes(shas)):
        raise Refused(f"a tag can have {TAG_LIMIT:,} bytes at most")
    pushed = dict(zip(shas, objects.read(shas), strict=True))
    return [_tag(update, pushed.get(update.new or "")) for update in wanted]


def _tag(update: Update, pushed: GitObject | None) -> TagChange:
    name = update.ref.removeprefix(TAGS)
    if pushed is None:
        return TagChange(name, update.old)
    try:
        return TagChange(name, update.old, pushed, _checked(name, pushed))
    except (Invalid, InvalidName) as error:
        raise Refused(f"tag {name}: {error}") from error


def _checked(name: str, pushed: GitObject) -> Tag:
    """Give what a tag's object says.

    :raises Invalid: it is none, or is called otherwise
    :raises InvalidName: no tag can be called so
    """
    if pushed.type != "tag":
        raise Invalid("object", "only annotated tags are taken; make one by: git tag -a")
    if check_tag_name(name) != name:
        raise Invalid("name", "it must be in Unicode's normal form NFC")
    said = parse_tag(pushed.data)
    if said.name != name:
        raise Invalid("name", f"its object calls it {said.name}")
    if said.target_type != "commit":
        raise Invalid("object", f"it names a {said.target_type}, and no revision")
    description = normalise_message(said.message, field="description")
    return Tag(name, said.target, description, said.tagger, utc(said.timestamp))


def _match(line: str) -> re.Match[str]:
    found = _UPDATE.fullmatch(line)
    if found is None:
        raise Refused("what is pushed cannot be read")
    return found


def _sha(said: str) -> str | None:
    return None if said == _NOTHING else said
