"""Names: of tags, branches, revisions and repositories.

What is accepted here is accepted by Git and by GitHub, so no backend has rules of its own.

:see: https://git-scm.com/docs/git-check-ref-format
"""

from __future__ import annotations

import re
import unicodedata
from hashlib import sha256

from ckanext.metastore.core.errors import InvalidName
from ckanext.metastore.core.saying import N_

TAG_NAME_LIMIT = 200
"""Bytes of UTF-8. File systems take 255, and Git needs room for ``.lock``."""

_ABBREVIATION = re.compile(r"[0-9a-fA-F]{7,40}")
_FULL_SHA = re.compile(r"[0-9a-f]{40}")
_PLAIN_ID = re.compile(r"[a-z0-9][a-z0-9_-]{1,99}")
_FORBIDDEN = re.compile(r"[~^:?*\[\\]")
_SPACES_AND_CONTROLS = {"Zs", "Zl", "Zp", "Cc", "Cs"}


def check_tag_name(name: str) -> str:
    """Give a tag's name in NFC.

    :param name: one path segment, such as ``v1.2`` or ``2026-spring``; any script
    :raises InvalidName: Git or GitHub would refuse it, or it would be taken for a revision
    """
    name = _checked("name", name)
    if "/" in name:
        raise InvalidName("name", name, N_("a tag's name is one path segment: no '/'; use '-' or '.'"))
    if is_abbreviation(name):
        raise InvalidName("name", name, N_("7 to 40 hexadecimal digits are a revision's id; write 'v' before them"))
    return name


def check_branch(branch: str) -> str:
    """Give a branch's name in NFC.

    :param branch: without ``refs/heads/``; it may have several path segments
    :raises InvalidName: Git would refuse it
    """
    return _checked("branch", branch)


def is_full_sha(ref: str) -> bool:
    """Tell whether this is a whole revision id: 40 lower-case hexadecimal digits."""
    return _FULL_SHA.fullmatch(ref) is not None


def is_abbreviation(ref: str) -> bool:
    """Tell whether Git would take this for a revision id or the beginning of one: 7 to 40 hexadecimal digits."""
    return _ABBREVIATION.fullmatch(ref) is not None


def check_package_id(package_id: str) -> str:
    """Give a package's id as it is.

    :raises InvalidName: it is empty, or no text
    """
    if not isinstance(package_id, str) or not package_id:
        raise InvalidName("package_id", repr(package_id), "a package's id is a text that is not empty")
    return package_id


def repository_name(package_id: str) -> str:
    """Give the name of a package's repository on disk, safe on every file system.

    :param package_id: any text: a UUID stands as it is, ``"../.."`` becomes ``_`` and a hash
    :raises InvalidName: it is empty, or no text
    """
    if _PLAIN_ID.fullmatch(check_package_id(package_id)):
        return package_id
    return "_" + sha256(package_id.encode("utf-8", "surrogatepass")).hexdigest()


def _checked(field: str, name: str) -> str:
    if not isinstance(name, str):
        raise InvalidName(field, repr(name), "it must be a text")
    name = unicodedata.normalize("NFC", name)
    reason = _objection(name) or next(filter(None, map(_segment_objection, name.split("/"))), None)
    if reason:
        raise InvalidName(field, name, reason)
    return name


def _objection(name: str) -> str | None:
    """Say what is wrong with a ref's name as a whole."""
    if not name:
        return N_("it is empty; write something like 'v1.0'")
    if name in ("HEAD", "@"):
        return N_("'{name}' means the newest revision; take another name", name=name)
    if any(unicodedata.category(character) in _SPACES_AND_CONTROLS for character in name):
        return N_("no spaces and no control characters; use '-' or '_' instead")
    if len(name.encode()) > TAG_NAME_LIMIT:
        return N_("at most {number} bytes of UTF-8", number=TAG_NAME_LIMIT)
    if forbidden := _FORBIDDEN.search(name):
        return N_("no {character}; use letters, digits, '-', '.' and '_'", character=repr(forbidden[0]))
    if sequence := next((sequence for sequence in ("..", "@{") if sequence in name), None):
        return N_("no {character}", character=repr(sequence))
    if name.startswith("-"):
        return N_("it must not begin with '-'")
    return None


def _segment_objection(segment: str) -> str | None:
    """Say what is wrong with one part of a ref's name."""
    if not segment:
        return N_("it must not begin or end with '/', nor hold two in a row")
    if segment.startswith(".") or segment.endswith("."):
        return N_("it must not begin or end with '.'")
    if segment.endswith(".lock"):
        return N_("it must not end with '.lock'")
    return None
