"""``ckan metastore export``: judged by plain git, without anything of ours."""

from __future__ import annotations

import json
import shutil

import pytest
from ckan.tests import factories

from ckanext.metastore.cli import metastore
from ckanext.metastore.testing.git import check_integrity, git, object_ids
from ckanext.metastore.tests.ckan.outage import outage

from .checks import sql


@pytest.fixture
def export(cli, tmp_path):
    """Run the command; gives what it told."""

    def run(*arguments, status=0):
        result = cli.invoke(metastore, ["export", "--json", str(tmp_path / "out"), *arguments])
        assert result.exit_code == status, result.output
        return json.loads(result.stdout)

    return run


@pytest.fixture
def place(tmp_path, dataset, organization):
    """Where the dataset's repository is written."""
    return tmp_path / "out" / organization["name"] / f"{dataset['name']}.git"


def clone(repository, tmp_path):
    """Take it elsewhere, alone, and clone it."""
    alone = tmp_path / "alone" / repository.name
    shutil.rmtree(alone.parent, ignore_errors=True)
    shutil.copytree(repository, alone)
    check_integrity(alone)
    assert not (alone / "objects/info/alternates").exists()
    shutil.rmtree(tmp_path / "clone", ignore_errors=True)
    git("clone", "--quiet", str(alone), str(tmp_path / "clone"))
    return tmp_path / "clone"


def test_a_plain_repository(act, dataset, export, place, tmp_path):
    act("dataset_tag_create", id=dataset["id"], name="v1", description="The first")
    saved = act("package_patch", id=dataset["id"], title="Second")
    assert export(dataset["id"]) == {"exported": 1, "left_out": 0, "failed": {}}
    work = clone(place, tmp_path)
    assert git("rev-parse", "HEAD", cwd=work).strip() == saved["revision_id"]
    assert git("rev-parse", "v1^{commit}", cwd=work).strip() == dataset["revision_id"]
    assert git("cat-file", "-t", "v1", cwd=work).strip() == "tag"
    assert json.loads((work / "datapackage.json").read_text())["title"] == "Second"
    assert not place.with_suffix(".private.git").exists()
    assert [path.name for path in place.parent.iterdir()] == [place.name]


def test_nothing_of_what_is_private(act, dataset, export, git_of, place, tmp_path):
    secret = act("package_patch", id=dataset["id"], private=True, notes="Secret.")["revision_id"]
    act("dataset_tag_create", id=dataset["id"], name="draft")
    shown = act("package_patch", id=dataset["id"], private=False, notes="Open.")["revision_id"]
    assert export(dataset["name"])["exported"] == 1
    public = object_ids(place)
    assert secret not in public
    assert git("for-each-ref", "--format=%(refname)", cwd=place).split() == ["refs/heads/main"]
    assert export(dataset["name"], "--private")["exported"] == 1
    assert object_ids(place) == public
    whole = place.with_suffix(".private.git")
    assert whole.stat().st_mode & 0o077 == 0
    work = clone(whole, tmp_path)
    assert git("rev-parse", "HEAD", cwd=work).strip() == shown
    assert git("rev-parse", "draft^{commit}", cwd=work).strip() == secret


def test_a_dataset_that_is_hidden_now(act, dataset, export, place, tmp_path):
    secret = act("package_patch", id=dataset["id"], private=True, notes="Secret.")["revision_id"]
    assert export(dataset["id"]) == {"exported": 0, "left_out": 1, "failed": {}}
    assert not place.exists()
    assert export(dataset["id"], "--private")["exported"] == 1
    assert not place.exists()
    work = clone(place.with_suffix(".private.git"), tmp_path)
    assert git("rev-parse", "HEAD", cwd=work).strip() == secret
    assert git("rev-parse", "origin/main", cwd=work).strip() == dataset["revision_id"]


def test_a_dataset_that_was_hidden_since(act, dataset, export, place):
    export(dataset["id"])
    act("package_patch", id=dataset["id"], private=True)
    assert "which it is not: remove it" in export(dataset["id"], status=1)["failed"][dataset["id"]]


def test_what_waits_is_in_it(act, dataset, export, repositories, place, tmp_path):
    with outage(repositories):
        saved = act("package_patch", id=dataset["id"], title="Meanwhile")
        act("dataset_tag_create", id=dataset["id"], name="v1")
    assert export(dataset["id"])["exported"] == 1
    work = clone(place, tmp_path)
    assert git("rev-parse", "HEAD", cwd=work).strip() == saved["revision_id"]
    assert git("rev-parse", "v1^{commit}", cwd=work).strip() == saved["revision_id"]
    assert act("dataset_publish", id=dataset["id"])["waiting"] == []


def test_a_second_export_moves_forward(act, dataset, export, place, tmp_path):
    export(dataset["id"])
    mark = place / "description"
    mark.write_text("Kept.")
    saved = act("package_patch", id=dataset["id"], title="Second")
    act("dataset_tag_create", id=dataset["id"], name="v1")
    for _ in range(2):
        export(dataset["id"])
        assert git("rev-parse", "HEAD", cwd=clone(place, tmp_path)).strip() == saved["revision_id"]
    assert mark.read_text() == "Kept."


def test_nothing_is_forced(act, dataset, organization, export, place):
    export(dataset["id"])
    was = git("rev-parse", "main", cwd=place)
    sysadmin = factories.Sysadmin()["name"]
    act("dataset_purge", user=sysadmin, id=dataset["id"])
    other = act("package_create", name=dataset["name"], owner_org=organization["id"], title="Another")
    assert "holds something else" in export(other["id"], status=1)["failed"][other["id"]]
    assert git("rev-parse", "main", cwd=place) == was


def test_what_is_lost_is_named(act, dataset, export, git_of, place, tmp_path):
    repository = git_of(dataset["id"])
    shutil.rmtree(repository.public)
    assert "not found" in export(dataset["id"], status=1)["failed"][dataset["id"]]
    assert not place.exists()
    assert not place.parent.exists() or list(place.parent.iterdir()) == []


def test_lost_private_revisions_are_named(act, dataset, export, git_of, place):
    secret = act("package_patch", id=dataset["id"], private=True, notes="Secret.")["revision_id"]
    shutil.rmtree(git_of(dataset["id"]).private)
    assert export(dataset["id"], "--private", status=1)["failed"] == {dataset["id"]: f"revision not found: {secret}"}
    assert not place.with_suffix(".private.git").exists()


def test_a_lost_tag_is_named(act, dataset, export, git_of, place):
    act("dataset_tag_create", id=dataset["id"], name="v1")
    git_of(dataset["id"])("tag", "-d", "v1")
    assert export(dataset["id"], status=1)["failed"] == {dataset["id"]: "tag not found: v1"}


def test_damage_does_not_travel(dataset, export, git_of, place):
    repository = git_of(dataset["id"])
    sha = repository("rev-parse", "main:README.md")
    path = repository.public / "objects" / sha[:2] / sha[2:]
    path.chmod(0o644)
    path.write_bytes(b"nonsense")
    assert "cannot copy" in export(dataset["id"], status=1)["failed"][dataset["id"]]
    assert not place.exists()


def test_in_no_organization_and_without_a_history(act, export, tmp_path):
    sysadmin = factories.Sysadmin()["name"]
    made = act("package_create", user=sysadmin, name=factories.Dataset.stub().name)
    export(made["id"])
    check_integrity(tmp_path / "out" / "_" / f"{made['name']}.git")
    sql("DELETE FROM metastore_revision WHERE dataset_id = :id", id=made["id"])
    sql("DELETE FROM metastore_dataset WHERE id = :id", id=made["id"])


def test_people_are_told(cli, dataset, tmp_path):
    result = cli.invoke(metastore, ["export", str(tmp_path / "out"), dataset["name"]])
    assert "exported: 1, left out: 0, failed: 0" in result.output


@pytest.fixture
def git_of(request):
    """The repositories of a dataset in the folder."""
    return request.getfixturevalue("git")
