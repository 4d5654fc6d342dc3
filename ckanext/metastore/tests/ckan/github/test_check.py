"""``ckan metastore check`` with GitHub behind it: each fault is made there, by Git or by GitHub's own API."""

from __future__ import annotations

import shutil

import pytest
from ckan import model
from ckan.tests import factories
from github import Auth, Github

from ckanext.metastore.backends.hosted import hosting
from ckanext.metastore.testing.git import git as run_git
from ckanext.metastore.testing.github import Fault
from ckanext.metastore.tests.ckan.checks import sql, statements

from .conftest import head


@pytest.fixture
def name(dataset):
    """The dataset's repository at GitHub."""
    return f"city/{dataset['name']}"


@pytest.fixture
def there(github, token, name):
    """The same, for somebody who uses GitHub's own API."""
    client = Github(auth=Auth.Token(token), base_url=github.api_url, retry=None)
    return client.get_repo(name)


def add_commit(github, name, *parents):
    who = {f"GIT_{role}_{what}": "robot" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    path = github.repository(name).path
    arguments = [word for parent in parents for word in ("-p", parent)]
    sha = run_git("commit-tree", "main^{tree}", "-m", "By hand", *arguments, cwd=path, env=who).strip()
    run_git("update-ref", "refs/heads/main", sha, cwd=path)
    return sha


def test_all_is_well(check, glance, act, dataset, asked):
    act("dataset_tag_create", id=dataset["id"], name="v1")
    act("package_patch", id=dataset["id"], private=True)
    assert check(dataset["id"]).found == []
    act("package_patch", id=dataset["id"], private=False)
    assert check(dataset["id"], "--fix").found == []
    assert asked(lambda: glance(dataset["id"])) == (1, 0, 0)
    assert asked(lambda: check(dataset["id"])) == (1, 0, 1)


def test_many_are_listed(check, glance, act, dataset, organization, asked, monkeypatch):
    more = [act("package_create", name=factories.Dataset.stub().name, owner_org=organization["id"]) for _ in range(3)]
    ids = [dataset["id"], *(one["id"] for one in more)]
    monkeypatch.setattr(hosting, "FEW", 3)
    assert asked(lambda: glance(*ids)) == (1, 0, 0)


# -- who may see it -------------------------------------------------------------------------------------------------


def test_made_public_there(check, act, dataset, github, there, name):
    act("package_patch", id=dataset["id"], private=True)
    there.edit(private=False)
    assert check(dataset["id"]).kinds == ["host-exposed"]
    assert check(dataset["id"], "--fix").found == []
    assert github.repository(name).private
    act("package_patch", id=dataset["id"], private=False)
    assert not github.repository(name).private
    assert check(dataset["id"]).found == []


def test_hidden_by_sql(check, glance, dataset, github, name):
    sql("UPDATE package SET private = true WHERE id = :id", id=dataset["id"])
    assert sorted(glance(dataset["id"])) == ["host-exposed", "unrecorded"]
    assert check(dataset["id"], "--fix").found == []
    assert github.repository(name).private


def test_what_is_exposed_is_hidden_before_anything_else(check, act, dataset, github, there, name):
    """What waits cannot be pushed; the repository is hidden all the same, and first."""
    act("package_patch", id=dataset["id"], private=True)
    there.edit(private=False)
    github.forget_requests()
    sql("UPDATE package SET title = 'By SQL' WHERE id = :id", id=dataset["id"])
    github.fail(Fault(kind="git", status=503, times=None))
    answer = check(dataset["id"], "--fix")
    assert github.repository(name).private
    assert "host-exposed" not in answer.kinds
    assert [request.method for request in github.requests if request.kind == "rest"][:3] == ["GET", "GET", "PATCH"]


def test_an_archived_one_is_hidden_too(check, act, dataset, github, there, name):
    act("package_patch", id=dataset["id"], private=True)
    there.edit(private=False)
    there.edit(archived=True)
    assert check(dataset["id"], "--fix").kinds == ["host-archived"]
    assert (github.repository(name).private, github.repository(name).archived) == (True, True)


def test_hidden_there(check, dataset, github, there, name):
    there.edit(private=True)
    assert check(dataset["id"], "--fix").kinds == ["host-hidden"]
    assert github.repository(name).private  # a person has done this


# -- what it is -----------------------------------------------------------------------------------------------------


def test_renamed_there(check, glance, dataset, github, there, name):
    number = github.repository(name).id
    there.edit(name=factories.Dataset.stub().name)
    assert glance(dataset["id"]) == ["host-name"]
    assert check(dataset["id"]).kinds == ["host-name"]
    assert check(dataset["id"], "--fix").found == []
    assert github.repository(number).full_name == name


def test_renamed_there_and_the_name_is_taken(check, dataset, github, token, there, name):
    there.edit(name=factories.Dataset.stub().name)
    client = Github(auth=Auth.Token(token), base_url=github.api_url)
    client.get_organization("city").create_repo(dataset["name"])
    other = github.repository(name)
    assert "host-taken" in check(dataset["id"], "--fix").kinds
    assert github.repository(name) == other


def test_given_away(check, dataset, github, there):
    there.transfer_ownership("parks")
    assert check(dataset["id"], "--fix").kinds == ["host-owner"]
    assert github.repository(f"parks/{dataset['name']}")


def test_archived_there(check, dataset, there):
    there.edit(archived=True)
    assert check(dataset["id"], "--fix").kinds == ["host-archived"]
    there.edit(archived=False)
    assert check(dataset["id"]).found == []


def test_deleted_there(check, act, dataset, github, there, name):
    there.delete()
    assert check(dataset["id"], "--fix").kinds == ["host-missing"]
    sql(statements("A repository at GitHub is gone for good", dataset["id"]))
    saved = act("package_patch", id=dataset["id"], title="Again")
    assert check(dataset["id"]).found == []
    assert head(github, name) == saved["revision_id"]


def test_deleted_and_made_anew(check, dataset, github, token, there, name):
    there.delete()
    Github(auth=Auth.Token(token), base_url=github.api_url).get_organization("city").create_repo(dataset["name"])
    other = github.repository(name)
    assert check(dataset["id"], "--fix").kinds == ["host-taken"]
    assert github.repository(name) == other


def test_never_brought_there(check, act, organization, ckan_config, monkeypatch):
    monkeypatch.setitem(ckan_config, "ckanext.metastore.backend", "git")
    made = act("package_create", name=factories.Dataset.stub().name, owner_org=organization["id"])
    monkeypatch.setitem(ckan_config, "ckanext.metastore.backend", "github")
    assert check(made["id"], "--fix").kinds == ["host-missing"]
    act("package_patch", id=made["id"], title="Now")
    assert check(made["id"]).found == []


# -- the branch and the tags ----------------------------------------------------------------------------------------


def test_rewound(check, glance, act, dataset, github, name):
    first = dataset["revision_id"]
    act("package_patch", id=dataset["id"], title="Second")
    run_git("update-ref", "refs/heads/main", first, cwd=github.repository(name).path)
    assert glance(dataset["id"]) == []  # only a thorough look asks Git
    assert check(dataset["id"], "--fix").kinds == ["host-behind"]
    assert head(github, name) == first


@pytest.mark.parametrize("copy", [True, False])
def test_a_strangers_commit(check, dataset, github, name, repositories, copy):
    sha = add_commit(github, name, "main")
    if not copy:
        shutil.rmtree(repositories)
    assert "host-ahead" in check(dataset["id"], "--fix").kinds
    assert head(github, name) == sha


def test_another_history(check, dataset, github, name):
    sha = add_commit(github, name)
    assert check(dataset["id"], "--fix").kinds == ["host-diverged"]
    assert head(github, name) == sha


def test_a_tag_is_gone_there(check, act, dataset, github, name):
    act("dataset_tag_create", id=dataset["id"], name="v1")
    run_git("tag", "--delete", "v1", cwd=github.repository(name).path)
    assert check(dataset["id"], "--fix").kinds == ["host-tag"]


def test_what_was_pushed_although_its_mark_is_missing(check, unmarked, act, dataset):
    with unmarked(act("package_patch", id=dataset["id"], title="Second")["revision_id"]):
        assert check(dataset["id"]).kinds == ["waiting"]


def test_github_is_down(check, act, dataset, github, name):
    github.fail(Fault(status=503, times=None))
    saved = act("package_patch", id=dataset["id"], title="Meanwhile")
    kinds = check(dataset["id"]).kinds
    assert {"host-unknown", "waiting"} == set(kinds)
    github.clear_faults()
    assert check(dataset["id"], "--fix").found == []
    assert head(github, name) == saved["revision_id"]


def test_the_owner_cannot_be_listed(glance, dataset, github, monkeypatch):
    monkeypatch.setattr(hosting, "FEW", 0)
    github.fail(Fault(path="/orgs/city/repos", status=503, times=None))
    assert glance(dataset["id"]) == ["host-unknown"]


# -- the copy here --------------------------------------------------------------------------------------------------


def test_no_copy_here(check, glance, dataset, git, repositories):
    shutil.rmtree(repositories)
    assert glance(dataset["id"]) == []
    assert check(dataset["id"]).kinds == ["missing"]
    assert check(dataset["id"], "--fix").found == []
    assert git(dataset["id"])("rev-parse", "main") == dataset["revision_id"]


def test_an_old_copy(check, act, dataset, git, tmp_path):
    copy = git(dataset["id"]).public
    shutil.copytree(copy, tmp_path / "old")
    act("dataset_tag_create", id=dataset["id"], name="v1")
    second = act("package_patch", id=dataset["id"], title="Second")["revision_id"]
    shutil.rmtree(copy)
    shutil.copytree(tmp_path / "old", copy)
    assert sorted(check(dataset["id"]).kinds) == ["behind", "tag"]
    assert check(dataset["id"], "--fix").found == []
    assert git(dataset["id"])("rev-parse", "main") == second


@pytest.mark.parametrize("what", ["object", "HEAD"])
def test_a_damaged_copy(check, act, dataset, git, what):
    repository = git(dataset["id"])
    act("package_patch", id=dataset["id"], private=True, notes="Secret.")
    sha = repository("rev-parse", "main:README.md")
    path = repository.public / ("HEAD" if what == "HEAD" else f"objects/{sha[:2]}/{sha[2:]}")
    path.chmod(0o644)
    path.write_bytes(b"nonsense")
    assert set(check(dataset["id"]).kinds) == {"corrupt"}
    assert check(dataset["id"], "--fix").found == []
    repository.fsck()
    assert len(list(repository.public.parent.glob(".damaged-*"))) == 1


def test_a_damaged_copy_that_is_the_only_one(check, act, dataset, git, github, name):
    second = act("package_patch", id=dataset["id"], title="Second")["revision_id"]
    repository = git(dataset["id"])
    sha = repository("rev-parse", "main:README.md")
    run_git("update-ref", "refs/heads/main", dataset["revision_id"], cwd=github.repository(name).path)
    path = repository.public / "objects" / sha[:2] / sha[2:]
    path.chmod(0o644)
    path.write_bytes(b"nonsense")
    answer = check(dataset["id"], "--fix")
    assert "corrupt" in answer.kinds
    assert "GitHub does not have all that was published" in answer.failed[dataset["id"]]
    assert repository("rev-parse", "main") == second


# -- leaving --------------------------------------------------------------------------------------------------------


def test_export_from_github_without_a_copy_here(cli, act, dataset, repositories, tmp_path):
    from ckanext.metastore.cli import metastore

    secret = act("package_patch", id=dataset["id"], private=True, notes="Secret.")["revision_id"]
    act("dataset_tag_create", id=dataset["id"], name="draft")
    shown = act("package_patch", id=dataset["id"], private=False, notes="Shown.")["revision_id"]
    shutil.rmtree(repositories)
    result = cli.invoke(metastore, ["export", str(tmp_path / "out"), dataset["id"], "--private"])
    assert result.exit_code == 0, result.output
    organization = model.Group.get(dataset["owner_org"]).name
    place = tmp_path / "out" / organization / f"{dataset['name']}.git"
    assert run_git("rev-parse", "HEAD", cwd=place).strip() == shown
    assert run_git("rev-parse", "draft^{commit}", cwd=place.with_suffix(".private.git")).strip() == secret
