"""Names, addresses, messages and times in the one form in which Git objects carry them.

Each function is idempotent, and what it gives is a fixpoint of what ``git commit-tree`` does to its own input: the same
text gives the same bytes, whoever writes the object.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import datetime, timezone

from ckanext.metastore.core.errors import Invalid
from ckanext.metastore.core.types import Author

MESSAGE_LIMIT = 10_000
"""Characters in a message or a tag's description, trailers not counted."""

LATEST_TIMESTAMP = 2**32 - 1
"""Git's tools disagree on years beyond 2106."""

FALLBACK_NAME = "Unknown"
FALLBACK_EMAIL = "unknown@unknown.invalid"

_SURROGATES = "\ud800-\udfff"
_NONCHARACTERS = "\ufdd0-\ufdef" + "".join(
    chr(plane * 0x10000 + last) for plane in range(17) for last in (0xFFFE, 0xFFFF)
)
"""Git takes a message with one of these for Latin-1, and encodes it again (``find_invalid_utf8`` in commit.c)."""

_UNPRINTABLE = re.compile(rf"[\x00-\x08\x0b-\x1f\x7f-\x9f{_SURROGATES}{_NONCHARACTERS}]")
_LEADING_BLANK_LINES = re.compile(r"\A(?:[^\S\n]*\n)+")

_CRUD = "".join(map(chr, range(33))) + ".,:;<>\"\\'"
"""What Git strips from both ends of a name and an address (``crud`` in ident.c)."""


def printable(text: str) -> str:
    """Drop what no text should hold (control characters but for newline and tab, surrogates, noncharacters); NFC."""
    if text.isascii() and text.isprintable():
        return text
    return unicodedata.normalize("NFC", _UNPRINTABLE.sub("", re.sub(r"\r\n?", "\n", text)))


def one_line(text: str) -> str:
    """Make a text fit for one line: every run of white space becomes one space."""
    return " ".join(printable(text).split())


def normalise_name(name: str) -> str:
    """Give a person's name as Git stores it; ``"Unknown"`` where nothing is left."""
    return one_line(re.sub("[<>]", "", name)).strip(_CRUD) or FALLBACK_NAME


def normalise_email(email: str) -> str:
    """Give an e-mail address as Git stores it; an address under ``.invalid`` where nothing is left."""
    return printable(re.sub(r"[<>\s]", "", email)).strip(_CRUD) or FALLBACK_EMAIL


def normalise_author(author: Author) -> Author:
    """Give an author as Git stores one."""
    return Author(normalise_name(author.name), normalise_email(author.email))


def normalise_message(message: str, *, field: str = "message") -> str:
    """Give a message as a commit or a tag carries it, without the final newline; perhaps empty.

    :param field: the name of the parameter, for the error
    :raises Invalid: it has more than 10,000 characters
    """
    text = _LEADING_BLANK_LINES.sub("", printable(message)).rstrip()
    if len(text) > MESSAGE_LIMIT:
        raise Invalid(field, f"it has {len(text):,} characters; at most {MESSAGE_LIMIT:,} are stored")
    return text


def normalise_timestamp(time: datetime | None, *, not_before: int = 0) -> int:
    """Give a time as whole seconds since 1970-01-01 UTC, between ``not_before`` and 2106.

    :param time: a time without a zone is UTC; ``None`` is now
    :param not_before: the parent's time: a clock that was set back does not reorder the history
    """
    time = time or datetime.now(timezone.utc)
    if time.tzinfo is None:
        time = time.replace(tzinfo=timezone.utc)
    return min(max(int(time.timestamp()), not_before, 0), LATEST_TIMESTAMP)
