"""The examples in the documents: their code blocks, and the match between an answer and the one that is shown."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from docutils import nodes
from docutils.core import publish_doctree

ROOT = Path(__file__).parents[3]
README = ROOT / "README.rst"
MANUAL = [README, *(ROOT / "docs" / f"{name}.rst" for name in ("api", "access", "hosts", "configuration", "leaving"))]
"""The documents whose examples are played on one portal, one after the other."""

SERVICE = "A service, without CKAN"
"""README.rst's section that is played without a portal."""


@dataclass(frozen=True)
class Block:
    """A code block.

    :param language: what stands behind ``code-block::``; empty for a plain literal block
    :param section: the title above it
    """

    language: str
    section: str
    text: str


@dataclass(frozen=True)
class Command:
    """What a person types behind a ``$``, and what is shown below it: nothing, where that does not matter."""

    words: str
    shown: str


@cache
def document(path: Path) -> nodes.document:
    """Read a reStructuredText document. A mistake in it is an error."""
    settings = {"halt_level": 2, "report_level": 2, "syntax_highlight": "none", "input_encoding": "utf-8"}
    return publish_doctree(path.read_text(encoding="utf-8"), source_path=str(path), settings_overrides=settings)


def blocks(path: Path, *languages: str) -> list[Block]:
    """The code blocks of a document, in order; those in the given languages, where any are given."""
    found = document(path).findall(nodes.literal_block)
    return [block for block in map(_block, found) if not languages or block.language in languages]


def _block(node: nodes.literal_block) -> Block:
    language = [name for name in node["classes"] if name != "code"]
    parent = node.parent
    while not isinstance(parent, (nodes.section, nodes.document)):
        parent = parent.parent
    return Block(" ".join(language), parent[0].astext(), node.astext())


def commands(text: str) -> Iterator[Command]:
    """The commands of a ``console`` block, as a shell would read them: to the end of the last quotation."""
    for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
        lines = part.splitlines()
        end = next(number for number in range(1, len(lines) + 1) if _is_whole("\n".join(lines[:number])))
        yield Command("\n".join(lines[:end]), "\n".join(lines[end:]).strip())


def _is_whole(words: str) -> bool:
    try:
        shlex.split(words)
    except ValueError:
        return False
    return not words.endswith("\\")


class StandIns:
    """What stands in a document for something that is another each time: addresses, folders, and ids.

    An id of a revision or a dataset is known from the answer in which it is shown first; from then on it must be that.

    :param known: what is known from the start
    """

    _REVISION = r"[0-9a-f]{40}"
    _UUID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
    _ABBREVIATION = r"[0-9a-f]{7,12}"

    def __init__(self, known: dict[str, str]) -> None:
        self._known = known
        self._ids: dict[str, str] = {}
        names = "|".join(map(re.escape, known))
        self._token = re.compile(rf"\.\.\.|{names}|\b(?:{self._UUID}|{self._REVISION}|{self._ABBREVIATION})\b")

    def real(self, text: str) -> str:
        """The text with what its stand-ins stand for."""
        return self._token.sub(lambda token: self._meaning(token[0]) or token[0], text)

    def agree(self, shown: str, answer: str) -> bool:
        """Whether the answer is the one that is shown; ``...`` is anything, and lines may be broken elsewhere."""
        new: dict[str, str] = {}
        pattern, end = "", 0
        for token in self._token.finditer(shown):
            pattern += _literally(shown[end : token.start()]) + self._pattern(token[0], new)
            end = token.end()
        found = re.fullmatch(pattern + _literally(shown[end:]), answer.strip(), re.DOTALL)
        if found:
            self._ids.update({token: found[group] for token, group in new.items()})
        return found is not None

    def _pattern(self, token: str, new: dict[str, str]) -> str:
        """The pattern for a token; an id that is not known yet gets a group, whose name is put into ``new``."""
        if token == "...":
            return ".*?"
        if meaning := self._meaning(token):
            return re.escape(meaning)
        if token in new:
            return f"(?P={new[token]})"
        for kind in (self._REVISION, self._UUID):
            if re.fullmatch(kind, token):
                new[token] = f"id{len(new)}"
                return f"(?P<{new[token]}>{kind})"
        return re.escape(token)

    def _meaning(self, token: str) -> str | None:
        if token in self._known:
            return self._known[token]
        id_ = next((id_ for id_ in self._ids if id_.startswith(token)), None)
        return self._ids[id_][: len(token)] if id_ else None


def _literally(text: str) -> str:
    return re.sub(r"(\\?\s)+", r"\\s+", re.escape(text))
