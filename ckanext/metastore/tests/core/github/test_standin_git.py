"""Clones and pushes by the real ``git``."""

import os
import shutil

import pytest
from github import GithubException

from ckanext.metastore.testing.git import check_integrity, git

from .conftest import address, head, refused, write

POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"a" * 64 + b"\nsize 12\n"


@pytest.fixture
def remote(github, repository, token):
    return address(github, "city/trees", token)


def test_push_and_clone(github, remote, work, tmp_path):
    git("push", remote, "main", cwd=work)
    git("clone", address(github, "city/trees"), str(tmp_path / "clone"))

    assert head(tmp_path / "clone") == head(work)
    assert (github.pushes, github.fetches) == (1, 1)
    assert github.repository("city/trees").pushed_at
    check_integrity(github.repository("city/trees").path)


def test_a_large_push_comes_in_pieces(github, remote, work, tmp_path):
    write(work, "big", os.urandom(3_000_000))
    git("push", remote, "main", cwd=work)

    assert any(request.is_probe for request in github.requests), "git did not send it in pieces"
    assert github.pushes == 1
    assert git("rev-parse", "main", cwd=github.repository("city/trees").path).strip() == head(work)


def test_git_compresses_a_long_request(github, remote, work, tmp_path):
    git("push", remote, "main", cwd=work)
    git("clone", remote, str(tmp_path / "clone"))
    identity = {f"GIT_{role}_{part}": "eve" for role in ("AUTHOR", "COMMITTER") for part in ("NAME", "EMAIL")}
    for number in range(60):
        # Newer than what both have: Git speaks of them first, and so of many.
        dated = {**identity, "GIT_COMMITTER_DATE": f"{4_000_000_000 + number} +0000"}
        git("commit", "--quiet", "--allow-empty", "-m", f"mine {number}", cwd=tmp_path / "clone", env=dated)
    write(work, "more", b"x")
    git("push", remote, "main", cwd=work)
    trace = tmp_path / "trace"

    git("fetch", "origin", cwd=tmp_path / "clone", env={"GIT_TRACE_CURL": str(trace)})

    assert "content-encoding: gzip" in trace.read_text().lower(), "git did not compress it"
    assert git("rev-parse", "origin/main", cwd=tmp_path / "clone").strip() == head(work)


def test_the_first_branch_becomes_the_default(github, remote, work):
    git("push", remote, "main:trunk", cwd=work)
    git("push", remote, "main:another", cwd=work)

    assert github.repository("city/trees").default_branch == "trunk"


def test_the_name_without_git_at_its_end(github, remote, work):
    git("push", remote.removesuffix(".git"), "main", cwd=work)
    assert git("ls-remote", address(github, "CITY/Trees"), "main").startswith(head(work))


def test_the_old_name_leads_on(github, repository, remote, work, tmp_path):
    repository.edit(name="oaks")

    git("push", remote, "main", cwd=work)
    git("clone", remote, str(tmp_path / "clone"))
    assert head(tmp_path / "clone") == head(work)
    assert {request.status for request in github.requests if "/city/trees.git" in request.path} == {301, 401}


def test_a_private_repository_asks_who_is_there(github, repository, remote, work):
    git("push", remote, "main", cwd=work)
    repository.edit(private=True)

    assert "could not read Username" in refused("ls-remote", address(github, "city/trees"))
    assert "not found" in refused("ls-remote", address(github, "city/trees", github.issue_token("eve")))
    assert "Authentication failed" in refused("ls-remote", address(github, "city/trees", "ghp_wrong"))
    git("ls-remote", remote)


def test_what_is_not_there_looks_the_same(github, token):
    assert "could not read Username" in refused("ls-remote", address(github, "city/nothing"))
    assert "Repository not found." in refused("ls-remote", address(github, "city/nothing", token))


def test_only_members_push(github, repository, work):
    stranger = address(github, "city/trees", github.issue_token("eve"))
    assert "denied to eve" in refused("push", stranger, "main", cwd=work)

    weak = address(github, "city/trees", github.issue_token("ada", scopes=["administration"]))
    assert "Write access to repository not granted" in refused("push", weak, "main", cwd=work)
    assert "could not read Username" in refused("push", address(github, "city/trees"), "main", cwd=work)
    assert github.pushes == 0


def test_an_archive_takes_no_push(repository, remote, work):
    repository.edit(archived=True)

    said = refused("push", remote, "main", cwd=work)
    assert "This repository was archived so it is read-only." in said
    assert "403" in said


def test_a_protected_branch(github, remote, work):
    git("push", remote, "main", cwd=work)
    before = head(work)
    github.protect("city/trees", "main")
    write(work, "more", b"x")
    git("tag", "v1", cwd=work)

    said = refused("push", "--atomic", remote, "main", "v1", cwd=work)

    assert "remote: error: GH006: Protected branch update failed for refs/heads/main." in said
    assert "! [remote rejected] main -> main (protected branch hook declined)" in said
    assert git("ls-remote", remote).split() == [before, "HEAD", before, "refs/heads/main"]
    github.unprotect("city/trees", "main")
    git("push", "--atomic", remote, "main", "v1", cwd=work)


def test_a_branch_that_takes_no_force(github, remote, work):
    write(work, "more", b"x")
    git("push", remote, "main", cwd=work)
    github.protect("city/trees", "main", only_force=True)

    said = refused("push", "--force", remote, "main~1:main", cwd=work)
    assert "protected branch hook declined" in said
    write(work, "yet-more", b"x")
    git("push", remote, "main", cwd=work)
    assert git("ls-remote", remote, "main").startswith(head(work))


def test_without_protection_force_is_taken_and_the_commit_stays_readable(remote, work, tmp_path):
    lost = write(work, "more", b"x")
    git("push", remote, "main", cwd=work)
    git("push", "--force", remote, "main~1:main", cwd=work)

    git("init", "--quiet", str(tmp_path / "other"))
    git("fetch", remote, lost, cwd=tmp_path / "other")
    assert git("rev-parse", "FETCH_HEAD", cwd=tmp_path / "other").strip() == lost


def test_who_comes_second_is_told(remote, work, tmp_path):
    git("push", remote, "main", cwd=work)
    shutil.copytree(work, tmp_path / "second")
    write(work, "first", b"x")
    write(tmp_path / "second", "second", b"x")
    git("push", remote, "main", cwd=work)

    assert "[rejected]" in refused("push", remote, "main", cwd=tmp_path / "second")


def test_lfs_pointers_without_objects(github, remote, work):
    write(work, "data/trees.csv", POINTER)

    said = refused("push", remote, "main", cwd=work)
    assert "GH008: Your push referenced at least 1 unknown Git LFS object" in said
    assert "pre-receive hook declined" in said
    assert git("ls-remote", remote) == ""

    write(work, ".lfsconfig", b"[lfs]\n\turl = https://lfs.example.org/\n")
    git("push", remote, "main", cwd=work)


def test_a_hook_of_ones_own(github, remote, work):
    github.set_hook("city/trees", "#!/bin/sh\necho 'no trees today' >&2\nexit 1\n")

    said = refused("push", remote, "main", cwd=work)
    assert "remote: no trees today" in said
    assert "(pre-receive hook declined)" in said
    github.set_hook("city/trees", None)
    git("push", remote, "main", cwd=work)


def test_damaged_objects_are_refused(remote, work):
    tree = git(
        "hash-object", "-t", "tree", "-w", "--literally", "--stdin", stdin=b"100644 .git\0" + b"\1" * 20, cwd=work
    )
    commit = git("commit-tree", tree.strip(), "-m", "bad", cwd=work).strip()

    refused("push", remote, f"{commit}:refs/heads/bad", cwd=work)
    assert git("ls-remote", remote) == ""


def test_objects_by_rest_are_gits(github, repository, remote, work):
    made = repository.create_file("README.md", "First", "Hello\n", branch="trunk")["commit"].sha
    tree = repository.create_git_tree([_element("a/b", "x")], repository.get_git_tree(made))
    commit = repository.create_git_commit("Second", tree, [repository.get_git_commit(made)])
    repository.get_git_ref("heads/trunk").edit(commit.sha)
    tag = repository.create_git_tag("v1", "One", commit.sha, "commit")
    repository.create_git_ref("refs/tags/v1", tag.sha)

    bare = github.repository("city/trees").path
    check_integrity(bare)
    assert git("ls-tree", "-r", "--name-only", "trunk", cwd=bare).split() == ["README.md", "a/b"]
    assert [one.sha for one in repository.get_commits()] == [commit.sha, made]
    assert [one.sha for one in repository.get_commits(path="a/b")] == [commit.sha]
    assert [(one.name, one.commit.sha) for one in repository.get_tags()] == [("v1", commit.sha)]
    assert [one.ref for one in repository.get_git_matching_refs("tags/")] == ["refs/tags/v1"]
    assert repository.get_git_tag(tag.sha).message == "One"
    assert repository.get_contents("a/b").decoded_content == b"x"
    assert [one.path for one in repository.get_contents("")] == ["README.md", "a"]
    assert repository.get_commit(commit.sha).files[0].filename == "a/b"
    assert repository.get_branch("trunk").commit.sha == commit.sha
    assert github.repository("city/trees").default_branch == "trunk"
    with pytest.raises(GithubException, match="already exists"):
        repository.create_git_ref("refs/tags/v1", tag.sha)
    with pytest.raises(GithubException, match="not a fast forward"):
        repository.get_git_ref("heads/trunk").edit(made)
    repository.get_git_ref("tags/v1").delete()
    assert list(repository.get_tags()) == []


def _element(path, content):
    from github import InputGitTreeElement

    return InputGitTreeElement(path, "100644", "blob", content=content)


def test_a_long_history_comes_in_pages(repository, remote, work):
    for number in range(70):
        git("commit", "--quiet", "--allow-empty", "-m", str(number), cwd=work)
    git("push", remote, "main", cwd=work)

    assert [one.sha for one in repository.get_commits()] == git("rev-list", "main", cwd=work).split()
