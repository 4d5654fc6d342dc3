"""Git objects, built and read as exact bytes.

A sha is known before anything is written, and is the same on every machine. What is built here equals, byte for byte,
what ``git commit-tree`` and ``git mktag`` make of the same input.

:see: https://git-scm.com/book/en/v2/Git-Internals-Git-Objects
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import cast

from ckanext.metastore.core.errors import Invalid
from ckanext.metastore.core.text import LATEST_TIMESTAMP, normalise_author
from ckanext.metastore.core.types import Author, GitObject, ObjectType

FILE_MODE = "100644"
DIRECTORY_MODE = "40000"

_ENCODING = re.compile(rb"^encoding ([\w.:-]{1,40})$", re.MULTILINE)
_PLAIN = rb"tree 0<>+a-\x41\u0041"
_IDENTITY = re.compile(r"(?P<name>.*?) ?<(?P<email>[^<>]*)> ?(?P<time>\d*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class TreeEntry:
    """One line of a directory.

    :param name: its bytes as UTF-8, where they are none with ``surrogateescape``
    :param mode: octal, as Git writes it: ``"100644"``, ``"40000"`` for a directory
    :param sha: the blob or tree
    """

    name: str
    sha: str
    mode: str = FILE_MODE

    @property
    def sort_key(self) -> bytes:
        """Git sorts by bytes, a directory as if its name ended in a slash."""
        return _encode_name(self.name) + (b"/" if self.mode == DIRECTORY_MODE else b"")


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit object, read.

    :param timestamp: the committer's time, seconds since 1970-01-01 UTC
    :param message: as stored, trailers included, without the final newline
    """

    tree: str
    parents: tuple[str, ...]
    author: Author
    committer: Author
    timestamp: int
    message: str


@dataclass(frozen=True, slots=True)
class TagObject:
    """An annotated tag's object, read.

    :param target: the sha that it names
    :param target_type: ``"commit"``, but for foreign tags
    :param timestamp: seconds since 1970-01-01 UTC; 0 where a foreign tag has none
    """

    name: str
    target: str
    target_type: str
    tagger: Author
    timestamp: int
    message: str


def blob(data: bytes) -> GitObject:
    """Build a file's content."""
    return GitObject("blob", data)


def tree(entries: Iterable[TreeEntry]) -> GitObject:
    """Build a directory, in Git's order."""
    lines = (
        b"%s %s\0%s" % (entry.mode.encode(), _encode_name(entry.name), bytes.fromhex(entry.sha))
        for entry in sorted(entries, key=lambda entry: entry.sort_key)
    )
    return GitObject("tree", b"".join(lines))


def parse_tree(raw: bytes) -> tuple[TreeEntry, ...]:
    """Read a directory's raw bytes.

    :raises Invalid: they are no tree
    """
    return tuple(_tree_entries(raw))


def _tree_entries(raw: bytes) -> Iterator[TreeEntry]:
    start = 0
    while start < len(raw):
        end = raw.find(b"\0", start)
        mode, space, name = raw[start:end].partition(b" ")
        sha = raw[end + 1 : end + 21]
        if end < 0 or not space or len(sha) != 20:
            raise Invalid("tree", "these bytes are no Git tree")
        yield TreeEntry(_decode_name(name), sha.hex(), mode.decode("ascii", "replace"))
        start = end + 21


def commit(
    *, tree: str, parents: Iterable[str], author: Author, committer: Author, timestamp: int, message: str
) -> GitObject:
    """Build a commit. Identities are normalised; author and committer share one time, in UTC.

    :param tree: the sha of the root directory
    :param timestamp: seconds since 1970-01-01 UTC
    :param message: normalised, with its trailers; the final newline is added
    """
    headers = [
        f"tree {tree}",
        *(f"parent {parent}" for parent in parents),
        f"author {_identity(author, timestamp)}",
        f"committer {_identity(committer, timestamp)}",
    ]
    return GitObject("commit", ("\n".join(headers) + f"\n\n{message}\n").encode())


def tag_object(*, name: str, target: str, tagger: Author, timestamp: int, message: str) -> GitObject:
    """Build an annotated tag of a commit.

    :param name: a checked tag name
    :param target: the commit's sha
    :param timestamp: seconds since 1970-01-01 UTC
    :param message: normalised, perhaps empty; the final newline is added
    """
    headers = [f"object {target}", "type commit", f"tag {name}", f"tagger {_identity(tagger, timestamp)}"]
    body = f"{message}\n" if message else ""
    return GitObject("tag", ("\n".join(headers) + f"\n\n{body}").encode())


def parse_commit(raw: bytes) -> Commit:
    """Read a commit, also one of foreign making: broken text is replaced, other headers are passed over.

    :raises Invalid: there is no tree in it
    """
    headers, message = _split(raw)
    trees = [value for key, value in headers if key == "tree"]
    if not trees:
        raise Invalid("commit", "these bytes are no Git commit")
    values = dict(headers)
    author, authored = _parse_identity(values.get("author", ""))
    committer, committed = _parse_identity(values.get("committer", ""))
    parents = tuple(value for key, value in headers if key == "parent")
    return Commit(trees[0], parents, author, committer, committed or authored, message)


def parse_tag(raw: bytes) -> TagObject:
    """Read an annotated tag, also one of foreign making.

    :raises Invalid: it names nothing
    """
    headers, message = _split(raw)
    values = dict(headers)
    if "object" not in values:
        raise Invalid("tag", "these bytes are no Git tag")
    tagger, timestamp = _parse_identity(values.get("tagger", ""))
    return TagObject(values.get("tag", ""), values["object"], values.get("type", "commit"), tagger, timestamp, message)


def pack_objects(objects: Iterable[GitObject]) -> bytes:
    """Put objects into one string of bytes: each framed as a loose object is, uncompressed, one after the other."""
    return b"".join(item.framed for item in objects)


def unpack_objects(data: bytes) -> tuple[GitObject, ...]:
    """Take apart what :func:`pack_objects` made.

    :raises Invalid: the bytes are cut short, or no such thing
    """
    return tuple(_unpacked(data))


def _unpacked(data: bytes) -> Iterator[GitObject]:
    start = 0
    while start < len(data):
        header = re.compile(rb"(blob|tree|commit|tag) (\d{1,18})\0").match(data, start)
        end = header.end() + int(header[2]) if header else -1
        if header is None or end > len(data):
            raise Invalid("objects", f"no whole Git object at byte {start} of {len(data)}")
        yield GitObject(cast(ObjectType, header[1].decode()), data[header.end() : end])
        start = end


def _identity(author: Author, timestamp: int) -> str:
    author = normalise_author(author)
    return f"{author.name} <{author.email}> {timestamp} +0000"


def _parse_identity(text: str) -> tuple[Author, int]:
    match = _IDENTITY.match(text)
    if match is None:
        return normalise_author(Author(text, "")), 0
    return normalise_author(Author(match["name"], match["email"])), min(int(match["time"][:18] or 0), LATEST_TIMESTAMP)


def _split(raw: bytes) -> tuple[list[tuple[str, str]], str]:
    """Split a commit or tag into its headers, in order, and its message."""
    head, _, body = raw.partition(b"\n\n")
    named = _ENCODING.search(head)
    encoding = named[1].decode("ascii", "replace") if named else "utf-8"
    lines = [line.partition(" ") for line in _decode(head, encoding).split("\n") if not line.startswith(" ")]
    return [(key, value) for key, _, value in lines], _decode(body, encoding).removesuffix("\n")


def _decode(raw: bytes, encoding: str) -> str:
    """Decode text; as UTF-8, where there is no such encoding, or one in which ASCII means something else."""
    try:
        if _PLAIN.decode(encoding) == _PLAIN.decode("ascii"):
            return raw.decode(encoding, "replace")
    except (LookupError, ValueError):
        pass
    return raw.decode("utf-8", "replace")


def _decode_name(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogateescape")


def _encode_name(name: str) -> bytes:
    return name.encode("utf-8", "surrogateescape")
