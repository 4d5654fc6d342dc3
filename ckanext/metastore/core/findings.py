"""What a check compares, and what it finds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

KINDS = {
    # between CKAN and the tables
    "unrecorded": "the dataset is another than its newest revision says",
    "no-history": "the dataset has no revision yet",
    "no-dataset": "there is a history, and no dataset",
    "waiting": "something is recorded and not published",
    "refused": "somebody's commit at the Git host could not be taken into CKAN",
    "locked": "it is being published all the time that it was to be looked at",
    # in the folder
    "missing": "the repository is not there",
    "behind": "the repository lacks revisions that were published",
    "ahead": "the branch goes on where nothing was recorded",
    "diverged": "the branch is another than what was published",
    "tag": "a tag is missing, or names another revision",
    "foreign-ref": "there is a branch or a tag that is not ours",
    "corrupt": "the repository cannot be read, or Git finds damage in it",
    "lock": "a process that was killed has left a lock",
    "unfinished": "a process that was killed has left a folder half made or half removed",
    "not-lent": "the private repository does not borrow from the public one",
    "orphan": "there is a repository of no dataset",
    # at a Git host
    "host-exposed": "everybody can see the repository, and the dataset is not public",
    "host-hidden": "the dataset is public, and its repository cannot be seen",
    "host-missing": "the repository is not there",
    "host-taken": "another repository has the name of the dataset's",
    "host-name": "the repository was renamed there",
    "host-owner": "the repository was given to another owner there",
    "host-archived": "the repository takes no changes: it was archived there",
    "host-behind": "the branch has lost revisions that were published",
    "host-ahead": "somebody has added commits to the branch",
    "host-diverged": "the branch is another than what was published",
    "host-tag": "a tag is missing, or names another revision",
    "host-unknown": "the host does not answer, or not in a way that tells anything",
}
"""Every kind of finding, and what is wrong; docs/operations.rst says of each what to do."""

FIRST = ("host-exposed",)
"""What is mended before anything else."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is not as it should be.

    :param kind: one of :data:`KINDS`
    :param package_id: empty where it is about no package
    :param detail: what exactly is wrong
    :param remedy: what to do: a command, or what a person must decide; empty where it can be mended
    :param mends: whether the backend's ``mend`` puts it right, without deleting any history or forcing any ref
    """

    kind: str
    package_id: str
    detail: str
    remedy: str = ""
    mends: bool = False


@dataclass(frozen=True, slots=True)
class Expected:
    """What a package's repositories are to hold, by the caller's database.

    :param package_id: empty for the folder itself, where something is to be mended in it
    :param head: the newest public revision that is published; ``None`` where there is none
    :param private: the private revisions that are published, and whose bytes only the private repository has
    :param tags: the published tags of public revisions: name -> sha of the revision
    :param private_tags: those of private revisions
    :param waiting: shas and names of tags that wait: they may be there already
    :param public: whether the package is public now; ``None`` where nobody knows
    """

    package_id: str
    head: str | None = None
    private: tuple[str, ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict)
    private_tags: Mapping[str, str] = field(default_factory=dict)
    waiting: frozenset[str] = frozenset()
    public: bool | None = True
