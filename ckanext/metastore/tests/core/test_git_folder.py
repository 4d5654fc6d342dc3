"""What the ``git`` backend keeps on disk, and where."""

from __future__ import annotations

import pytest

from ckanext.metastore.backends.git import GitBackend
from ckanext.metastore.core import Author, Conflict, NotFound, Site
from ckanext.metastore.testing.contract.base import ADA, DOCUMENT, OTHER, PACKAGE
from ckanext.metastore.testing.contract.publishing import chain, tagged
from ckanext.metastore.testing.git import check_integrity, git, object_ids

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
    for revision in reversed(everything):
        backend.publish(PACKAGE, revisions=[revision])
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
