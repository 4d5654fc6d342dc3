"""What strangers with a right to it do to a repository at GitHub."""

from __future__ import annotations

import pytest

from ckanext.metastore.core.errors import Conflict
from ckanext.metastore.core.record import record_tag
from ckanext.metastore.core.types import TagUpdate
from ckanext.metastore.testing.contract.base import ADA, PACKAGE, titled
from ckanext.metastore.testing.git import git

from .conftest import NAME, address, history, write


@pytest.fixture
def clone(github, token, tmp_path, first):
    """What a stranger with a right to it works in."""
    folder = tmp_path / "stranger"
    git("clone", "--quiet", address(github, NAME, token), str(folder))
    git("config", "user.name", "Eve", cwd=folder)
    git("config", "user.email", "eve@example.org", cwd=folder)
    return folder


@pytest.mark.parametrize("how", ["rewound", "replaced", "deleted"])
def test_a_branch_that_was_forced(github, one, two, clone, how, first):
    second = one.update(PACKAGE, document=titled("Two"), author=ADA).revision
    one.tag_create(PACKAGE, name="v2", author=ADA)
    if how == "replaced":
        git("checkout", "--quiet", "--orphan", "other", cwd=clone)
        write(clone, "README.md", b"Something else\n")
    if how == "deleted":
        git("update-ref", "-d", "refs/heads/main", cwd=github.repository(NAME).path)
    else:
        what = {"rewound": first.id, "replaced": "HEAD"}[how]
        git("push", "--quiet", "--force", "origin", f"{what}:refs/heads/main", cwd=clone)
    before = git("for-each-ref", cwd=github.repository(NAME).path)
    for call in (
        lambda: one.update(PACKAGE, document=titled("Three"), author=ADA),
        lambda: one.tag_create(PACKAGE, name="v3", author=ADA),
        lambda: one.tag_update(PACKAGE, tag="v2", author=ADA, name="v4"),
        lambda: one.delete(PACKAGE, author=ADA),
    ):
        with pytest.raises(Conflict, match="has lost revisions"):
            call()
    assert git("for-each-ref", cwd=github.repository(NAME).path) == before
    assert [revision.id for revision in one.revision_list(PACKAGE)] == [second.id, first.id]
    assert one.fetch(PACKAGE, revision_ref="v2").document == titled("Two")
    # Its owner puts it right; all goes on.
    git(
        "push",
        "--quiet",
        "--force",
        address(github, NAME, one._credentials.token()),
        f"{second.id}:refs/heads/main",
        cwd=one.repository_path(PACKAGE),
    )
    third = one.update(PACKAGE, document=titled("Three"), author=ADA).revision
    assert history(github, NAME) == [third.id, second.id, first.id]


def test_commits_of_strangers(github, one, clone, first):
    theirs = write(clone, "CITATION.cff", b"cff-version: 1.2.0\n")
    git("push", "--quiet", "origin", "main", cwd=clone)
    second = one.update(PACKAGE, document=titled("Two"), author=ADA).revision
    assert (second.parents, history(github, NAME)) == ((theirs,), [second.id, theirs, first.id])
    assert git("show", "main:CITATION.cff", cwd=github.repository(NAME).path) == "cff-version: 1.2.0\n"


def test_a_recorded_revision_does_not_pass_over_a_strangers(github, one, clone, first):
    second = one.record(PACKAGE, document=titled("Two"), author=ADA, head=one._history(PACKAGE).head)
    theirs = write(clone, "CITATION.cff", b"cff-version: 1.2.0\n")
    git("push", "--quiet", "origin", "main", cwd=clone)
    with pytest.raises(Conflict) as conflict:
        one.publish(PACKAGE, revisions=[second], tags=[_tag("v1", first.id)])
    assert conflict.value.current
    assert conflict.value.current.id == theirs
    assert history(github, NAME) == [theirs, first.id]
    assert git("tag", "--list", cwd=github.repository(NAME).path) == ""


def test_branches_and_tags_of_strangers(github, one, two, clone, first):
    write(clone, "notes.txt", b"Notes\n")
    git("push", "--quiet", "origin", "HEAD:refs/heads/draft/one", "HEAD:refs/heads/gh-pages", cwd=clone)
    git("tag", "light", first.id, cwd=clone)
    git("tag", "--annotate", "--message=A tree", "tree", f"{first.id}^{{tree}}", cwd=clone)
    git("tag", "nested/name", first.id, cwd=clone)
    git("push", "--quiet", "origin", "--tags", cwd=clone)
    second = one.update(PACKAGE, document=titled("Two"), author=ADA).revision
    tags = one.tag_create(PACKAGE, name="v2", author=ADA)
    assert {tag.name for tag in two.tag_list(PACKAGE)} == {"light", "nested/name", tags.name}
    one.tag_delete(PACKAGE, tag="v2")
    shown = git("for-each-ref", "--format=%(refname)", cwd=github.repository(NAME).path).split()
    assert shown == [
        "refs/heads/draft/one",
        "refs/heads/gh-pages",
        "refs/heads/main",
        "refs/tags/light",
        "refs/tags/nested/name",
        "refs/tags/tree",
    ]
    assert history(github, NAME) == [second.id, first.id]


def _tag(name, sha):
    return TagUpdate(name, True, record_tag(name=name, revision_id=sha, author=ADA))
