"""libgit2's options, set once for the process, and its errors, turned into ours."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pygit2
from pygit2.enums import ConfigLevel

from ckanext.metastore.core.errors import Unavailable


def configure() -> None:
    """Make libgit2 durable, and independent of whose home and whose files it works in. May be repeated.

    *   No configuration but the repository's own: with another user's ``HOME`` every open would fail.
    *   No check of who owns a repository: the web server's user and the administrator's both open it.
    *   Objects and refs are on the disk, not in a cache, when a call returns.
    """
    for level in (ConfigLevel.SYSTEM, ConfigLevel.XDG, ConfigLevel.GLOBAL, ConfigLevel.PROGRAMDATA):
        pygit2.settings.search_path[level] = ""
    pygit2.settings.owner_validation = False
    pygit2.settings.enable_fsync_gitdir(True)


@contextmanager
def translated_errors(action: str) -> Iterator[None]:
    """Raise what libgit2 and the file system raise as :class:`Unavailable`.

    :param action: what was tried, for the sentence ``cannot <action>: <why>``
    """
    try:
        yield
    except (pygit2.GitError, OSError, KeyError, ValueError) as error:
        raise Unavailable(f"cannot {action}: {error}") from error
