"""Git LFS: a pointer for each file that a document tells the SHA-256 and the size of.

A pointer says which file of the LFS server belongs there. Whoever clones with ``git lfs`` gets the file itself.

:see: https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from hashlib import sha256
from typing import Any
from urllib.parse import quote, unquote

from ckanext.metastore.core.errors import Invalid
from ckanext.metastore.core.file_names import FileNames, safe_file_name
from ckanext.metastore.core.types import Document

DATA_PATH = "data"
ATTRIBUTES_PATH = ".gitattributes"
CONFIG_PATH = ".lfsconfig"

LFS_PATHS = frozenset({DATA_PATH, ATTRIBUTES_PATH, CONFIG_PATH})
"""What belongs to us in a repository's root, where there is an LFS server."""

_ATTRIBUTES = b"/data/** filter=lfs diff=lfs merge=lfs -text\n"
_SHA256 = re.compile(r"(?:sha-?256[:=])?([0-9a-f]{64})", re.IGNORECASE | re.ASCII)
_EMPTY = sha256().hexdigest()
_LARGEST = 2**63 - 1
"""Git LFS counts bytes in 64 bits."""

_DIGITS = re.compile(r"[0-9]{1,19}", re.ASCII)
_PATH = re.compile(r"(?!\.{1,2}(?:/|$))[\w.-]+(?:/(?!\.{1,2}(?:/|$))[\w.-]+)*", re.ASCII)
_ADDRESS = re.compile(
    r"https?://([a-zA-Z0-9.-]+|\[[0-9a-fA-F:.]+\])(:[0-9]{1,5})?"
    r"(/([\w.~!$&'()*+,;=:@/-]|%[0-9a-fA-F]{2}|\{id\}|\{owner_org\}|\{prefix\})*)?",
    re.ASCII,
)


def check_lfs_url(lfs_url: str) -> str:
    """Give the address of an LFS server as it is. It stands in every repository, so it holds no secret.

    :param lfs_url: with or without ``{id}``, ``{owner_org}`` and ``{prefix}`` in its path
    :raises Invalid: it is no such address
    """
    if re.match(r"[^/]*//[^/?#]*@", lfs_url):
        raise Invalid("lfs_url", "it must hold no user name and no password: everybody who clones can read it")
    if not _ADDRESS.fullmatch(lfs_url):
        raise Invalid(
            "lfs_url",
            "it must be an http(s) address, such as https://lfs.example.org/portal/{id}: no spaces, no '?', no '#', "
            "no placeholder but {id}, {owner_org} and {prefix}",
        )
    return lfs_url


def lfs_files(document: Document, lfs_url: str, package_id: str) -> dict[str, bytes]:
    """Give the files that LFS needs, by their paths.

    :param lfs_url: an address, perhaps with ``{id}`` (the package's id), ``{owner_org}`` (its organization's) or
        ``{prefix}`` (what ckanext-blob-storage writes into ``lfs_prefix`` of a resource); where the document says
        nothing of the kind, the package's id stands there
    """
    resources = document.get("resources")
    resources = [item for item in resources if isinstance(item, dict)] if isinstance(resources, list) else []
    package = quote(package_id, safe="", errors="replace")
    url = check_lfs_url(lfs_url).rstrip("/").replace("{id}", package)
    url = url.replace("{owner_org}", _path([document], "owner_org") or package)
    url = url.replace("{prefix}", _path(resources, "lfs_prefix") or package)
    return {ATTRIBUTES_PATH: _ATTRIBUTES, CONFIG_PATH: _config(url), **dict(_pointers(resources))}


def content_of(resource: Document) -> tuple[str | None, int | None]:
    """What a resource tells of its file: the SHA-256, in lower case, and the number of bytes."""
    return _digest(resource), _size(resource)


def _config(url: str) -> bytes:
    """Write ``.lfsconfig``. What follows a bare ``;`` would be a comment."""
    value = f'"{url}"' if ";" in url else url
    return f"[lfs]\n\turl = {value}\n".encode()


def _pointers(resources: list[Document]) -> Iterator[tuple[str, bytes]]:
    """Give the pointers by their paths. Who has none yet takes a name, too: the others keep theirs when it comes."""
    names = FileNames()
    for resource in resources:
        name = names.take(_file_name(resource))
        pointer = _pointer(_digest(resource), _size(resource))
        if pointer is not None:
            yield f"{DATA_PATH}/{name}", pointer


def _pointer(digest: str | None, size: int | None) -> bytes | None:
    """Write a pointer; an empty file is its own. Size and digest that contradict each other make none."""
    if digest is None or size is None or (size == 0) != (digest == _EMPTY):
        return None
    return f"version https://git-lfs.github.com/spec/v1\noid sha256:{digest}\nsize {size}\n".encode() if size else b""


def _digest(resource: Document) -> str | None:
    """Give the SHA-256 of a file. CKAN says only "hash"; no other hash in use has 64 digits and no name before them."""
    values = (value.strip() for value in _values(resource, "sha256", "hash") if isinstance(value, str))
    found = next(filter(None, map(_SHA256.fullmatch, values)), None)
    return found[1].lower() if found else None


def _size(resource: Document) -> int | None:
    sizes = map(_whole_number, _values(resource, "bytes", "size"))
    return next((size for size in sizes if size is not None and 0 <= size <= _LARGEST), None)


def _whole_number(value: Any) -> int | None:
    if isinstance(value, str) and _DIGITS.fullmatch(value.strip()):
        return int(value)
    return value if type(value) is int else None


def _path(places: Iterable[Document], name: str) -> str | None:
    """Give the first value of this name that can be a part of an address."""
    values = (value for place in places for value in _values(place, name) if isinstance(value, str))
    return next(filter(_PATH.fullmatch, values), None)


def _file_name(resource: Document) -> str:
    """Name a file as its address does or, where that says nothing, as people call the resource."""
    paths = resource.get("path")
    addresses = [*(paths[:1] if isinstance(paths, list) else []), *_values(resource, "path", "url")]
    candidates = [
        *(_last_segment(address) for address in addresses if isinstance(address, str)),
        *(name for name in _values(resource, "title", "name", "id") if isinstance(name, str)),
    ]
    return next(filter(None, map(safe_file_name, candidates)), "file")


def _last_segment(address: str) -> str:
    """Give the last part of a web address as a person reads it, or that of a path as it is."""
    _, separator, rest = address.partition("://")
    if separator:
        return unquote(re.split("[?#]", rest)[0].partition("/")[2].rstrip("/").rpartition("/")[2])
    return address.replace("\\", "/").rstrip("/").rpartition("/")[2]


def _values(document: Document, *names: str) -> Iterator[Any]:
    """Give what a document or a resource says under one of these names, also in CKAN's own fields."""
    ckan = document.get("ckan")
    fields = ckan if isinstance(ckan, dict) else {}
    for name in names:
        yield from (place[name] for place in (document, fields) if name in place)
