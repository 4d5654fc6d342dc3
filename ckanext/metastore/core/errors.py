"""Every error that the metastore raises, in one tree.

::

    MetastoreError
    ├── NotFound        a dataset, revision, tag or file that is not there (or not for you)
    ├── Conflict        somebody else was first; carries what stands there now
    ├── InvalidName     a tag, branch or dataset id that Git or GitHub would refuse
    ├── Invalid         any other input that cannot be stored; carries the field's name
    ├── Unauthorized    a remote refused our credentials
    ├── RateLimited     a remote asks us to wait; carries for how long
    └── Unavailable     the disk or the remote does not answer now; try again

Errors carry data, so that callers need not read sentences. The exceptions of pygit2, of the ``git`` program or
of PyGithub never pass a backend's door.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ckanext.metastore.core.types import Revision


class MetastoreError(Exception):
    """Any failure of the metastore."""


class NotFound(MetastoreError):
    """What was asked for does not exist, or nothing may tell that it exists.

    :param kind: ``"dataset"``, ``"revision"``, ``"tag"``, ``"file"`` or, at a Git host, ``"repository"``
        and ``"branch"``
    :param ref: what was asked for, as it was written by the caller
    """

    def __init__(self, kind: str, ref: str) -> None:
        super().__init__(f"{kind} not found: {ref}")
        self.kind = kind
        self.ref = ref


class Conflict(MetastoreError):
    """The head, or a name, is not what the caller believed.

    :param message: one sentence
    :param current: the revision at the head now, where the conflict is about one
    """

    def __init__(self, message: str, *, current: Revision | None = None) -> None:
        super().__init__(message)
        self.current = current


class Invalid(MetastoreError):
    """Input that cannot be stored as it is.

    :param field: the name of the parameter or property at fault
    :param reason: what is wrong with it, and what would be right
    """

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field = field
        self.reason = reason


class InvalidName(MetastoreError):
    """A name that Git or GitHub would refuse.

    :param field: the name of the parameter, such as ``"name"`` or ``"branch"``
    :param name: the name as given
    :param reason: what is wrong with it, and what would be right
    """

    def __init__(self, field: str, name: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field = field
        self.name = name
        self.reason = reason


class Unauthorized(MetastoreError):
    """A remote refused our credentials, or what they may do."""


class RateLimited(MetastoreError):
    """A remote asks us to wait.

    :param message: one sentence
    :param retry_after: seconds until it is worth trying again
    """

    def __init__(self, message: str, *, retry_after: float) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Unavailable(MetastoreError):
    """The disk or the remote does not answer now. Nothing is lost: the same call may be made again."""
