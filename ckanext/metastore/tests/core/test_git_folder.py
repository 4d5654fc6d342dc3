"""What the ``git`` backend keeps on disk, and what becomes of it when things go wrong."""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import subprocess
import sys
import time
from datetime import datetime, timezone
from pathlib import Path

import pytest

from ckanext.metastore.backends.git import GitBackend, folder, repository
from ckanext.metastore.core import Author, Conflict, Invalid, NotFound, Site, Unavailable
from ckanext.metastore.core.document import DOCUMENT_PATH, README_PATH
from ckanext.metastore.core.objects import blob
from ckanext.metastore.testing.contract.base import ADA, DOCUMENT, GRACE, OTHER, PACKAGE, titled
from ckanext.metastore.testing.contract.publishing import chain, tagged
from ckanext.metastore.testing.git import check_integrity, git, object_ids


@pytest.fixture
def root(tmp_path):
    return tmp_path / "repositories"


@pytest.fixture
def backend(root):
    return GitBackend(root)


@pytest.fixture
def public(backend):
    return backend.repository_path(PACKAGE)


@pytest.fixture
def private(backend):
    return backend.repository_path(PACKAGE, public=False)


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


# -- layout ------------------------------------------------------------------------------------------------------------


def test_the_folder(backend, root, public, private):
    revisions = chain(backend, 1)
    backend.publish(PACKAGE, revisions=[*revisions, *chain(backend, 1, public=False, head=revisions[0].head)])
    assert public == root / "6f" / f"{PACKAGE}.git"
    assert private == root / "6f" / f"{PACKAGE}.private.git"
    assert sorted(path.name for path in (root / "6f").iterdir()) == [".lock", public.name, private.name]


def test_a_repository_is_bare_and_minimal(backend, public):
    backend.create(PACKAGE, document=DOCUMENT, author=ADA)
    files = {str(path.relative_to(public)) for path in public.rglob("*") if "objects" not in path.parts}
    assert files == {"HEAD", "config", "refs", "refs/heads", "refs/heads/main", "refs/tags"}
    assert (public / "objects/pack").is_dir()
    assert git("rev-parse", "--is-bare-repository", cwd=public).strip() == "true"


def test_the_branch_has_the_name_that_was_chosen(root):
    backend = GitBackend(root, branch="data/live")
    sha = backend.create(PACKAGE, document=DOCUMENT, author=ADA).revision.id
    assert git("symbolic-ref", "HEAD", cwd=backend.repository_path(PACKAGE)).strip() == "refs/heads/data/live"
    assert git("rev-parse", "data/live", cwd=backend.repository_path(PACKAGE)).strip() == sha


def test_the_site_commits(root):
    site = Site(Author("data.example", "noreply@data.example"), "https://data.example/dataset/{id}")
    backend = GitBackend(root, site=site)
    revision = backend.create(PACKAGE, document=DOCUMENT, author=ADA).revision
    log = git("log", "--format=%an, %cn <%ce>", cwd=backend.repository_path(PACKAGE))
    assert log.strip() == "Ada Lovelace, data.example <noreply@data.example>"
    readme = backend.load(PACKAGE, sha=revision.id, path="README.md").decode()
    assert f"https://data.example/dataset/{PACKAGE}" in readme


@pytest.mark.parametrize("package_id", ["../../outside", "/etc/passwd", "..", "a/../../b", "Ä\0"])
def test_no_id_leaves_the_folder(backend, root, package_id):
    backend.create(package_id, document=DOCUMENT, author=ADA)
    assert backend.repository_path(package_id).resolve().parent.parent == root.resolve()


def test_reading_makes_no_files(backend, root):
    for read in (backend.fetch, backend.revision_list, backend.tag_list):
        with pytest.raises(NotFound):
            read(PACKAGE)
    with pytest.raises(NotFound):
        backend.load(PACKAGE, sha="0" * 40)
    backend.record(PACKAGE, document=DOCUMENT, author=ADA)
    assert not root.exists()


# -- public and private ------------------------------------------------------------------------------------------------


def test_no_public_repository_without_a_public_revision(backend, public, private):
    revisions = chain(backend, 2, public=False)
    backend.publish(PACKAGE, revisions=revisions, tags=[tagged(revisions[0], "secret")])
    assert not public.exists()
    assert not (private / "objects/info/alternates").exists()
    assert private.stat().st_mode & 0o077 == 0


def test_the_private_repository_borrows_from_the_public_one(backend, public, private):
    backend.publish(PACKAGE, revisions=chain(backend, 1, public=False))
    backend.publish(PACKAGE, revisions=chain(backend, 1))
    assert (private / "objects/info/alternates").read_text() == f"../../../6f/{PACKAGE}.git/objects\n"
    assert not (public / "objects/info/alternates").exists()


def test_runs_of_private_revisions(backend, private):
    first = chain(backend, 2, public=False)
    shown = chain(backend, 2)
    second = chain(backend, 3, public=False, head=shown[-1].head)
    everything = [*first, *shown, *second]
    for length in range(1, len(everything) + 1):
        backend.publish(PACKAGE, revisions=everything[:length])
    refs = git("for-each-ref", "--format=%(refname) %(objectname)", cwd=private).split()
    runs = {f"refs/heads/private/{run[0].sha[:12]}": run[-1].sha for run in (first, second)}
    assert dict(zip(refs[::2], refs[1::2], strict=True)) == runs
    assert git("rev-parse", "HEAD", cwd=private).strip() == second[-1].sha
    log = git("log", "--format=%H", cwd=private).split()
    assert log == [revision.sha for revision in reversed([*shown, *second])]
    git("gc", "--quiet", "--prune=now", cwd=private)
    for revision in (*first, *second):
        assert b"private" in backend.load(PACKAGE, sha=revision.sha, public=False)


def test_head_follows_a_run_that_was_cut_off(backend, private):
    first = chain(backend, 1, public=False)
    shown = chain(backend, 1)
    second = chain(backend, 1, public=False, head=shown[0].head)
    backend.publish(PACKAGE, revisions=[*first, *shown, *second])
    run = f"refs/heads/private/{second[0].sha[:12]}"
    git("update-ref", "-d", run, cwd=private)
    backend.publish(PACKAGE, revisions=second)
    assert git("symbolic-ref", "HEAD", cwd=private).strip() == run
    assert git("rev-parse", "HEAD", cwd=private).strip() == second[0].sha


def test_a_private_tag_is_in_the_private_repository(backend, public, private):
    shown = chain(backend, 1)
    hidden = chain(backend, 1, public=False, head=shown[0].head)
    tag = tagged(hidden[0], "secret")
    backend.publish(PACKAGE, revisions=[*shown, *hidden], tags=[tag])
    assert git("tag", cwd=private).split() == ["secret"]
    assert git("tag", cwd=public).split() == []
    assert tag.object is not None
    assert tag.object.sha not in object_ids(public)


def test_the_root_may_be_moved(backend, root):
    shown = chain(backend, 1)
    hidden = chain(backend, 1, public=False, head=shown[0].head)
    backend.publish(PACKAGE, revisions=[*shown, *hidden])
    moved = root.rename(root.with_name("moved"))
    assert GitBackend(moved).load(PACKAGE, sha=shown[0].sha, public=False)
    check_integrity(GitBackend(moved).repository_path(PACKAGE, public=False))


def test_rename_moves_both_repositories(backend, private):
    shown = chain(backend, 1)
    hidden = chain(backend, 1, public=False, head=shown[0].head)
    backend.publish(PACKAGE, revisions=[*shown, *hidden])
    backend.rename(PACKAGE, new_id=OTHER)
    assert backend.load(OTHER, sha=shown[0].sha, public=False)
    assert (backend.repository_path(OTHER, public=False) / "objects/info/alternates").read_text().count("\n") == 1
    check_integrity(backend.repository_path(OTHER, public=False))
    assert not private.exists()


def test_rename_to_a_private_history(backend):
    backend.create(OTHER, document=DOCUMENT, author=ADA)
    backend.publish(PACKAGE, revisions=chain(backend, 1, public=False))
    with pytest.raises(Conflict):
        backend.rename(OTHER, new_id=PACKAGE)
    with pytest.raises(Conflict):
        backend.rename(PACKAGE, new_id=OTHER)


def test_a_rename_that_was_cut_off_is_finished(backend, public, private):
    shown = chain(backend, 1)
    hidden = chain(backend, 1, public=False, head=shown[0].head)
    backend.publish(PACKAGE, revisions=[*shown, *hidden])
    target = backend.repository_path(OTHER)
    both = f"../../../6f/{PACKAGE}.git/objects\n../../../0b/{OTHER}.git/objects\n"
    (private / "objects/info/alternates").write_text(both)
    target.parent.mkdir()
    public.rename(target)
    assert backend.load(PACKAGE, sha=shown[0].sha, public=False)
    backend.rename(PACKAGE, new_id=OTHER)
    assert backend.load(OTHER, sha=hidden[0].sha, public=False)
    check_integrity(backend.repository_path(OTHER, public=False))


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


def run(code: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-c", code, *arguments], env={**os.environ, **environment}, check=True, capture_output=True
    )


def test_a_hostile_home(backend, root, tmp_path):
    backend.create(PACKAGE, document=DOCUMENT, author=ADA)
    home = tmp_path / "home"
    home.mkdir()
    (home / ".gitconfig").write_text("[core\nbroken = ")
    (home / "git").mkdir()
    (home / "git/config").write_text("[broken")
    run(FETCH, str(root), PACKAGE, HOME=str(home), XDG_CONFIG_HOME=str(home), GIT_DIR=str(home), GIT_WORK_TREE="/")
    run(FETCH, str(root), PACKAGE, HOME="/nonexistent", GIT_CONFIG_GLOBAL=str(home / ".gitconfig"))
    assert backend.fetch(PACKAGE).document == {"title": "From another home"}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_files_of_another_user(backend, root, public):
    backend.create(PACKAGE, document=DOCUMENT, author=ADA)
    for path in (public, *public.rglob("*")):
        os.chown(path, 12345, 12345)
    run(FETCH, str(root), PACKAGE)
    assert len(backend.revision_list(PACKAGE)) == 2


def test_no_repository_above_is_taken(root):
    """libgit2 looks upwards for a repository, if it may."""
    root.mkdir()
    git("init", "--quiet", str(root))
    (root / "6f" / f"{PACKAGE}.git").mkdir(parents=True)
    with pytest.raises(Unavailable):
        GitBackend(root).fetch(PACKAGE)


# -- when things go wrong ----------------------------------------------------------------------------------------------


def test_a_path_that_is_a_file(root):
    root.write_text("not a folder")
    backend = GitBackend(root)
    with pytest.raises(Unavailable):
        backend.create(PACKAGE, document=DOCUMENT, author=ADA)
    with pytest.raises(Unavailable):
        backend.purge(PACKAGE)


def test_a_damaged_object(backend, public):
    revision = backend.record(PACKAGE, document=DOCUMENT, author=ADA)
    backend.publish(PACKAGE, revisions=[revision])
    document, readme, tree, commit = revision.objects
    for item, path in [(document, DOCUMENT_PATH), (readme, README_PATH), (tree, README_PATH), (commit, README_PATH)]:
        file = public / "objects" / item.sha[:2] / item.sha[2:]
        data = file.read_bytes()
        file.chmod(0o644)
        file.write_bytes(b"garbage")
        with pytest.raises(Unavailable):
            backend.load(PACKAGE, sha=revision.sha, path=path)
        file.write_bytes(data)
    assert backend.fetch(PACKAGE).document == DOCUMENT


def test_a_ref_that_is_locked(backend, public, monkeypatch):
    backend.create(PACKAGE, document=DOCUMENT, author=ADA)
    monkeypatch.setattr(repository, "LOCK_PAUSE", 0.001)
    lock = public / "refs/heads/main.lock"
    lock.touch()
    with pytest.raises(Unavailable, match=r"main\.lock"):
        backend.update(PACKAGE, document=titled("2"), author=ADA)
    assert backend.fetch(PACKAGE).document == DOCUMENT
    lock.unlink()
    backend.update(PACKAGE, document=titled("2"), author=ADA)


@pytest.mark.parametrize("lock", ["refs/heads/main.lock", "refs/tags/v1.lock", "packed-refs.lock"])
def test_a_lock_that_a_killed_process_left(backend, public, lock):
    backend.create(PACKAGE, document=DOCUMENT, author=ADA)
    (public / lock).touch()
    os.utime(public / lock, (0, time.time() - repository.STALE_LOCK_AGE - 1))
    backend.update(PACKAGE, document=titled("2"), author=ADA)
    backend.tag_create(PACKAGE, name="v1", author=ADA)
    backend.tag_delete(PACKAGE, tag="v1")
    assert not (public / lock).exists()


def test_a_folder_that_is_locked(backend, root, monkeypatch):
    monkeypatch.setattr(folder, "LOCK_TIMEOUT", 0.05)
    (root / "6f").mkdir(parents=True)
    with (root / "6f/.lock").open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with pytest.raises(Unavailable, match="another process"):
            backend.create(PACKAGE, document=DOCUMENT, author=ADA)
        backend.create(OTHER, document=DOCUMENT, author=ADA)
    backend.create(PACKAGE, document=DOCUMENT, author=ADA)


def test_what_was_cut_off_is_cleared_away(backend, root, public):
    for name in (f".new-{public.name}", f".gone-{public.name}"):
        (root / "6f" / name / "objects").mkdir(parents=True)
    backend.create(PACKAGE, document=DOCUMENT, author=ADA)
    backend.purge(PACKAGE)
    assert [path.name for path in (root / "6f").iterdir()] == [".lock"]


SAVE_ON_A_FULL_DISK = """
import resource, signal, sys
from ckanext.metastore.backends.git import GitBackend
from ckanext.metastore.core import Author, Unavailable
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[3]), resource.RLIM_INFINITY))
try:
    GitBackend(sys.argv[1]).update(sys.argv[2], document={"title": "2"}, author=Author("Ada", "ada@example.org"))
except Unavailable:
    print("unavailable")
"""


@pytest.mark.parametrize("room", [0, 60, 130])
def test_a_full_disk(backend, root, public, room):
    package = backend.create(PACKAGE, document=DOCUMENT, author=ADA)
    assert run(SAVE_ON_A_FULL_DISK, str(root), PACKAGE, str(room)).stdout == b"unavailable\n"
    assert backend.fetch(PACKAGE) == package
    check_integrity(public)
    assert backend.update(PACKAGE, document={"title": "2"}, author=ADA).revision.parents == (package.revision.id,)


SAVE_FOREVER = """
import sys
from itertools import count
from ckanext.metastore.backends.git import GitBackend
from ckanext.metastore.core import Author
backend = GitBackend(sys.argv[1])
for number in count():
    document = {"title": f"{sys.argv[3]}.{number}"}
    revision = backend.update(sys.argv[2], document=document, author=Author("Ada", "ada@example.org")).revision
    print(revision.id, flush=True)
"""


def test_killed_while_saving(backend, root, public):
    """What a process said it had saved is there; what it was at when it died is there or not, but nothing is broken."""
    backend.create(PACKAGE, document=DOCUMENT, author=ADA)
    saved: list[str] = []
    for attempt in range(5):
        process = subprocess.Popen(
            [sys.executable, "-c", SAVE_FOREVER, str(root), PACKAGE, str(attempt)], stdout=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        saved += [process.stdout.readline().strip() for _ in range(3 + attempt)]
        process.send_signal(signal.SIGKILL)
        saved += process.stdout.read().split()
        process.wait()
        for lock in public.rglob("*.lock"):
            os.utime(lock, (0, 0))
    check_integrity(public)
    backend.update(PACKAGE, document=titled("after all"), author=ADA)
    kept = [revision.id for revision in backend.revision_list(PACKAGE, limit=10_000)]
    assert {sha for sha in saved if len(sha) == 40} <= set(kept)


def test_a_replay_after_objects_but_before_the_ref(backend, public):
    first, second = chain(backend, 2)
    backend.publish(PACKAGE, revisions=[first])
    for item in second.objects:
        git("hash-object", "-t", item.type, "-w", "--stdin", cwd=public, stdin=item.data)
    backend.publish(PACKAGE, revisions=[first, second])
    assert backend.revision_fetch(PACKAGE).id == second.sha


def test_what_is_there_is_not_written_again(backend, public):
    first = chain(backend, 1)[0]
    backend.publish(PACKAGE, revisions=[first])
    count = len(object_ids(public))
    backend.update(PACKAGE, document={**titled("0"), "version": "2"}, author=ADA)
    assert len(object_ids(public)) == count + 3  # the document, the tree, the commit


def test_two_documents_of_the_same_bytes(backend):
    """Git stores what is equal once, also across a deletion."""
    time_ = datetime(2026, 1, 1, tzinfo=timezone.utc)
    first = backend.create(PACKAGE, document=DOCUMENT, author=ADA, timestamp=time_)
    backend.delete(PACKAGE, author=ADA)
    again = backend.create(PACKAGE, document=DOCUMENT, author=ADA)
    assert again.document == first.document
    assert blob(backend.load(PACKAGE, sha=again.revision.id)).sha in object_ids(backend.repository_path(PACKAGE))
