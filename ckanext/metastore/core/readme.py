"""The page that people see first in a dataset's repository.

Every value in it comes from somebody else, and is shown as text: never as Markdown, never as HTML.

:see: https://github.github.com/gfm/
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, urlsplit

from ckanext.metastore.core.text import one_line, printable
from ckanext.metastore.core.types import Document

_NOTICE = "<!-- Generated from datapackage.json. The next save overwrites what is changed here. -->"

_HTML = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_MARKDOWN = re.compile(r"[\\`*_\[\]|~$#]")
_BLOCK_START = re.compile(r"^(?=[+=:-])", re.MULTILINE)
_NUMBERED = re.compile(r"^(\d+)(?=[.)])", re.MULTILINE)
_FTP = re.compile(r"\b(ftp):", re.IGNORECASE)
"""GitHub makes links of addresses in plain text: web and e-mail addresses are fine, FTP is not."""


def readme(document: Document, *, page_url: str) -> bytes:
    """Write ``README.md``: title, description, a table of the resources, a link to the dataset's page.

    :param page_url: where the dataset is shown; no link where it is empty or no ``http(s)`` address
    """
    sections = [_NOTICE, f"# {_heading(document)}", *_paragraphs(document.get("description"))]
    resources = document.get("resources")
    if isinstance(resources, list) and resources:
        sections += ["## Resources", "\n".join(_table(resources))]
    if page := _link("Dataset page", page_url):
        sections.append(page)
    return ("\n\n".join(sections) + "\n").encode()


def escape_inline(text: str) -> str:
    """Make a text show as it is, within a line of Markdown, and as HTML."""
    text = re.sub("[&<>]", lambda match: _HTML[match[0]], text)
    text = _MARKDOWN.sub(r"\\\g<0>", text)
    return _FTP.sub(r"\1\\:", text)


def escape_block(text: str) -> str:
    """Make lines of text show as they are: none of them begins a list, a heading or a table."""
    return _NUMBERED.sub(r"\1\\", _BLOCK_START.sub(r"\\", escape_inline(text)))


def _heading(document: Document) -> str:
    return _cell(document.get("title")) or _cell(document.get("name")) or "Dataset"


def _paragraphs(value: Any) -> Iterator[str]:
    """Give the paragraphs of a text, without any indentation: that would make it code."""
    lines = [line.strip() for line in printable(_text(value)).splitlines()]
    for paragraph in re.split("\n{2,}", "\n".join(lines)):
        if paragraph.strip():
            yield escape_block(paragraph.strip("\n"))


def _table(resources: list[Any]) -> Iterator[str]:
    yield "| Resource | Format | Link |"
    yield "| --- | --- | --- |"
    for resource in resources:
        properties = resource if isinstance(resource, dict) else {}
        title = _cell(properties.get("title")) or _cell(properties.get("name")) or "Unnamed resource"
        path = properties.get("path")
        paths = path if isinstance(path, list) else [path]
        links = ", ".join(filter(None, (_link(_file_name(_text(item)), _text(item)) or _cell(item) for item in paths)))
        yield f"| {title} | {_cell(properties.get('format'))} | {links} |"


def _cell(value: Any) -> str:
    return escape_inline(one_line(_text(value)))


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _file_name(url: str) -> str:
    """Name a link by the last part of its address, as a person would."""
    return one_line(url).split("?")[0].rstrip("/").rpartition("/")[2] or url


def _link(label: str, url: str) -> str:
    """Link an ``http(s)`` address; give an empty text for any other."""
    try:
        parts = urlsplit(one_line(url))
    except ValueError:
        return ""
    if parts.scheme not in ("http", "https") or not parts.netloc:
        return ""
    return f"[{escape_inline(one_line(label))}](<{quote(parts.geturl(), safe=_URL_SAFE)}>)"


_URL_SAFE = "%/:?#[]@!&'()*+,;=~"
"""What stands in an address as it is; all else, such as ``|``, ``<`` or a letter beyond ASCII, is percent-encoded."""
