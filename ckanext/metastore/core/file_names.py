"""Names of files: any text, as a name that Git accepts and that can be checked out on every system.

Strict on purpose: Git for Windows gives up a whole checkout for one ``?`` in a name.

:see: https://git-scm.com/docs/git-config#Documentation/git-config.txt-coreprotectNTFS
:see: https://learn.microsoft.com/en-us/windows/win32/fileio/naming-a-file
"""

from __future__ import annotations

import re
import unicodedata

from ckanext.metastore.core.text import one_line

FILE_NAME_LIMIT = 200
"""Bytes of UTF-8. File systems take 255."""

_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]")
"""Marks of joining and direction. HFS+ passes over them: there, ``.g\u200cit`` is ``.git``."""

_FORBIDDEN = re.compile(r'[<>:"/\\|?*]|~(?=[0-9])')
"""What Windows does not take; and ``~1``, for NTFS knows ``.git`` as ``git~1``, too."""

_DEVICE = re.compile(r"(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]|conin\$|conout\$) *(\.|$)", re.IGNORECASE)
_PARTS = re.compile(r"(.+?)((?:\.tar)?\.[A-Za-z0-9]{1,20})?", re.DOTALL)


def safe_file_name(text: str) -> str:
    """Make a text a file's name: one segment, in NFC, not hidden, of 200 bytes at most; empty where nothing is left."""
    name = _FORBIDDEN.sub("_", one_line(_INVISIBLE.sub("", text))).strip(". ")
    return _fit(f"_{name}" if _DEVICE.match(name) else name)


class FileNames:
    """The names in one folder: each is given once, in whatever case and composition of letters."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def take(self, name: str) -> str:
        """Give a safe name as it is or, where it is taken, with a number: ``trees-2.csv``."""
        free, number = name, self._numbers.get(_folded(name), 1)
        while _folded(free) in self._numbers:
            number += 1
            free = _fit(name, f"-{number}")
        self._numbers[_folded(name)] = number
        self._numbers.setdefault(_folded(free), 1)
        return free


def _fit(name: str, suffix: str = "") -> str:
    """Put a suffix before the extension; what is too long is cut before both."""
    parts = _PARTS.fullmatch(name)
    stem, extension = parts.groups("") if parts else ("", "")
    room = FILE_NAME_LIMIT - len(suffix) - len(extension)
    return stem.encode()[:room].decode(errors="ignore").rstrip(". ") + suffix + extension


def _folded(name: str) -> str:
    """Give what a file system compares that knows no case."""
    return unicodedata.normalize("NFD", unicodedata.normalize("NFD", name).casefold())
