"""The ``git`` backend among others: other programs in its repositories, other people's homes and files."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from ckanext.metastore.backends.git import GitBackend
from ckanext.metastore.core import Conflict, Invalid, NotFound, Unavailable
from ckanext.metastore.testing.contract.base import ADA, DOCUMENT, GRACE, PACKAGE, titled
from ckanext.metastore.testing.contract.publishing import chain, tagged
from ckanext.metastore.testing.git import check_integrity, git
from ckanext.metastore.tests.core.processes import run_python


def foreign_commit(repository: Path, **files: str) -> str:
    """Add a commit to the branch as any other program would."""
    work = repository.parent / "work"
    git("clone", "--quiet", str(repository), str(work))
    for name, text in files.items():
        (work / name).write_text(text)
    git("add", ".", cwd=work)
    who = {f"GIT_{role}_{what}": "robot" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    git("commit", "--quiet", "--message", "From outside", cwd=work, env=who)
    git("push", "--quiet", "origin", "HEAD", cwd=work)
    shutil.rmtree(work)
    return git("rev-parse", "main", cwd=repository).strip()


# -- strangers in the repository ---------------------------------------------------------------------------------------


def test_commits_of_strangers(backend, public):
    first = backend.create(PACKAGE, document=DOCUMENT, author=ADA).revision
    sha = foreign_commit(public, **{"CITATION.cff": "cff-version: 1.2.0"})
    with pytest.raises(Conflict) as conflict:
        backend.update(PACKAGE, document=titled("2"), author=ADA, base_revision=first.id)
    assert conflict.value.current is not None
    assert conflict.value.current.id == sha
    second = backend.update(PACKAGE, document=titled("2"), author=ADA)
    assert second.revision.parents == (sha,)
    assert backend.load(PACKAGE, sha=second.revision.id, path="CITATION.cff") == b"cff-version: 1.2.0"


def test_tags_of_strangers(backend, public):
    revision = backend.create(PACKAGE, document=DOCUMENT, author=ADA).revision
    who = {"GIT_COMMITTER_NAME": "robot", "GIT_COMMITTER_EMAIL": "robot"}
    git("tag", "light", cwd=public)
    git("tag", "team/light", cwd=public)
    git("tag", "of-a-tree", "HEAD^{tree}", cwd=public)
    git("tag", "--annotate", "--message=x", "of-a-blob", "HEAD:README.md", cwd=public, env=who)
    git("tag", "--annotate", "--message=By a robot", "full", cwd=public, env=who)
    assert {(tag.name, tag.revision_id, tag.description) for tag in backend.tag_list(PACKAGE)} == {
        ("light", revision.id, ""),
        ("team/light", revision.id, ""),
        ("full", revision.id, "By a robot"),
    }
    assert backend.fetch(PACKAGE, revision_ref="light").revision.id == revision.id
    assert backend.fetch(PACKAGE, revision_ref="team/light").revision.id == revision.id
    with pytest.raises(NotFound):
        backend.fetch(PACKAGE, revision_ref="of-a-tree")
    with pytest.raises(Conflict):
        backend.tag_create(PACKAGE, name="of-a-tree", author=ADA)
    renamed = backend.tag_update(PACKAGE, tag="team/light", name="team-light", description="Now full", author=GRACE)
    assert (renamed.revision_id, renamed.author) == (revision.id, GRACE)
    backend.tag_delete(PACKAGE, tag="light")
    assert {tag.name for tag in backend.tag_list(PACKAGE)} == {"full", "team-light"}


def test_documents_of_strangers(backend, public):
    backend.create(PACKAGE, document=DOCUMENT, author=ADA)
    foreign_commit(public, **{"datapackage.json": "{broken"})
    with pytest.raises(Invalid, match="document"):
        backend.fetch(PACKAGE)
    assert backend.update(PACKAGE, document=titled("2"), author=ADA).document == titled("2")


def test_git_gc_and_packed_refs(backend, public, private):
    shown = chain(backend, 3)
    hidden = chain(backend, 2, public=False, head=shown[-1].head)
    tags = [tagged(shown[0], "v1"), tagged(shown[1], "v2")]
    backend.publish(PACKAGE, revisions=[*shown, *hidden], tags=tags)
    for repository_ in (public, private):
        git("gc", "--quiet", "--prune=now", cwd=repository_)
    assert not (public / "refs/heads/main").exists()
    backend.publish(PACKAGE, revisions=[*shown, *hidden], tags=tags)
    backend.tag_delete(PACKAGE, tag="v1")
    backend.tag_update(PACKAGE, tag="v2", name="v3", author=ADA)
    assert [tag.name for tag in backend.tag_list(PACKAGE)] == ["v3"]
    assert backend.update(PACKAGE, document=titled("new"), author=ADA).revision.parents == (shown[-1].sha,)
    assert backend.load(PACKAGE, sha=hidden[0].sha, public=False)
    check_integrity(public)
    check_integrity(private)


def test_an_object_that_nothing_names(backend, public):
    backend.create(PACKAGE, document=DOCUMENT, author=ADA)
    dangling = backend.record(PACKAGE, document=titled("never published"), author=ADA)
    for item in dangling.objects:
        git("hash-object", "-t", item.type, "-w", "--stdin", cwd=public, stdin=item.data)
    for ref in (dangling.sha, dangling.sha[:7]):
        with pytest.raises(NotFound):
            backend.fetch(PACKAGE, revision_ref=ref)
        with pytest.raises(NotFound):
            backend.tag_create(PACKAGE, name="v1", author=ADA, revision_ref=ref)


def test_a_page_reads_no_more_than_it_shows(backend, public):
    """The oldest commit is gone from the disk, and nobody who reads a newer page notices."""
    oldest = backend.create(PACKAGE, document=DOCUMENT, author=ADA).revision.id
    for number in range(4):
        backend.update(PACKAGE, document=titled(str(number)), author=ADA)
    file = public / "objects" / oldest[:2] / oldest[2:]
    data = file.read_bytes()
    file.unlink()
    assert len(backend.revision_list(PACKAGE, limit=2, offset=1)) == 2
    with pytest.raises((NotFound, Unavailable)):
        backend.revision_list(PACKAGE)
    file.write_bytes(data)


# -- whose home, whose files -------------------------------------------------------------------------------------------

FETCH = """
import sys
from ckanext.metastore.backends.git import GitBackend
from ckanext.metastore.core import Author
backend = GitBackend(sys.argv[1])
package = backend.fetch(sys.argv[2])
backend.update(sys.argv[2], document={"title": "From another home"}, author=Author("Ada", "ada@example.org"))
"""


def test_a_hostile_home(backend, root, tmp_path):
    backend.create(PACKAGE, document=DOCUMENT, author=ADA)
    home = tmp_path / "home"
    home.mkdir()
    (home / ".gitconfig").write_text("[core\nbroken = ")
    (home / "git").mkdir()
    (home / "git/config").write_text("[broken")
    run_python(
        FETCH, str(root), PACKAGE, HOME=str(home), XDG_CONFIG_HOME=str(home), GIT_DIR=str(home), GIT_WORK_TREE="/"
    )
    run_python(FETCH, str(root), PACKAGE, HOME="/nonexistent", GIT_CONFIG_GLOBAL=str(home / ".gitconfig"))
    assert backend.fetch(PACKAGE).document == {"title": "From another home"}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_files_of_another_user(backend, root, public):
    backend.create(PACKAGE, document=DOCUMENT, author=ADA)
    for path in (public, *public.rglob("*")):
        os.chown(path, 12345, 12345)
    run_python(FETCH, str(root), PACKAGE)
    assert len(backend.revision_list(PACKAGE)) == 2


def test_no_repository_above_is_taken(root):
    """libgit2 looks upwards for a repository, if it may."""
    root.mkdir()
    git("init", "--quiet", str(root))
    (root / "6f" / f"{PACKAGE}.git").mkdir(parents=True)
    with pytest.raises(Unavailable):
        GitBackend(root).fetch(PACKAGE)
