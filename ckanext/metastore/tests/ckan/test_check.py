"""``ckan metastore check``: each fault is made for real, found, and put right where the command says that it does."""

from __future__ import annotations

import itertools
import json
import os
import shutil
import threading
import time

import ckan.plugins as p
import ckantoolkit as tk
import pytest
from ckan import model
from ckan.tests import factories

from ckanext.metastore import publisher
from ckanext.metastore.cli import metastore
from ckanext.metastore.model import waiting
from ckanext.metastore.testing.git import git as run_git
from ckanext.metastore.tests.ckan.outage import outage

from .checks import sql, statements

OLD = time.time() - 7200


@pytest.fixture
def hidden(act, dataset):
    """The dataset with two public revisions, a tag, and a private revision at the end."""
    act("dataset_tag_create", id=dataset["id"], name="v1")
    act("package_patch", id=dataset["id"], title="Second")
    return act("package_patch", id=dataset["id"], private=True, notes="Secret.")


def age(path):
    os.utime(path, (OLD, OLD))


# -- all is well ----------------------------------------------------------------------------------------------------


def test_all_is_well(check, act, hidden):
    answer = check(hidden["id"])
    assert (answer.exit_code, answer.found) == (0, [])
    act("dataset_tag_create", id=hidden["id"], name="v2")
    act("package_patch", id=hidden["id"], private=False)
    assert check(hidden["name"], "--fix").found == []


def test_all_datasets_are_looked_at(cli, dataset):
    """Those of other tests have lost their folder."""
    told = json.loads(cli.invoke(metastore, ["check", "--json"]).stdout)
    assert told["checked"] >= 1
    assert dataset["id"] not in [finding["id"] for finding in told["found"]]


def test_saves_that_go_on_are_no_findings(glance, check, act, dataset, organization):
    """Somebody saves, tags, hides and creates all the time while it is looked at."""
    stop, trouble, made = threading.Event(), [], [dataset["id"]]

    def save():
        try:
            for number in itertools.count():
                if stop.is_set():
                    break
                act("package_patch", id=dataset["id"], title=f"Number {number}", private=number % 3 == 1)
                act("dataset_tag_create", id=dataset["id"], name=f"v{number}")
                name = f"{dataset['name']}-{number}"
                made.append(act("package_create", name=name, owner_org=organization["id"])["id"])
        except Exception as error:
            trouble.append(error)
        finally:
            model.Session.remove()

    thread = threading.Thread(target=save)
    thread.start()
    try:
        for _ in range(8):
            ids = list(made)
            assert [kind for kind in glance(*ids) if kind != "orphan"] == []  # it is not told of the newest
            assert check(dataset["id"]).found == []
    finally:
        stop.set()
        thread.join()
    assert trouble == []
    assert len(made) > 2
    assert glance(*made) == []


def test_a_dataset_that_is_not_there(cli, portal):
    assert cli.invoke(metastore, ["check", "no-such-dataset"]).exit_code == 2


def test_people_are_told_what_to_do(cli, act, dataset, git):
    shutil.rmtree(git(dataset["id"]).public)
    result = cli.invoke(metastore, ["check", dataset["name"]])
    assert result.exit_code == 1
    assert f"missing: {dataset['name']}: " in result.output
    assert "-> bring the repository back from a backup" in result.output
    assert "checked: 1, found: 1, left: 1 (missing: 1)" in result.output


# -- between CKAN and the tables ------------------------------------------------------------------------------------


def test_written_by_sql(check, act, dataset, git):
    sql("UPDATE package SET title = 'By SQL' WHERE id = :id", id=dataset["id"])
    assert check(dataset["id"]).kinds == ["unrecorded"]
    assert check(dataset["id"], "--fix").found == []
    revision = act("dataset_revision_list", id=dataset["id"])[0]
    assert (revision["author"], revision["message"]) == ("CKAN", "Record what was changed outside of CKAN")
    assert git(dataset["id"])("rev-parse", "main") == revision["id"]
    assert act("package_show", id=dataset["id"], revision_ref="HEAD")["title"] == "By SQL"
    assert check(dataset["id"]).exit_code == 0


def test_what_is_recorded_is_published_at_once(check, dataset, ckan_config, monkeypatch):
    monkeypatch.setitem(ckan_config, "ckanext.metastore.publish", "background")
    sql("UPDATE package SET title = 'By SQL' WHERE id = :id", id=dataset["id"])
    assert check(dataset["id"], "--fix").found == []


def test_hidden_by_sql_is_found_at_a_glance(check, glance, act, dataset):
    sql("UPDATE package SET private = true WHERE id = :id", id=dataset["id"])
    assert glance(dataset["id"]) == ["unrecorded"]
    assert check(dataset["id"], "--fix").found == []
    assert len(act("dataset_revision_list", id=dataset["id"])) == 2


def test_saved_while_the_plugin_was_off(check, glance, act, dataset):
    p.unload("metastore")
    try:
        time.sleep(1.1)  # a revision's time has whole seconds
        act("package_patch", id=dataset["id"], title="Meanwhile")
    finally:
        p.load("metastore")
    assert glance(dataset["id"]) == ["unrecorded"]
    assert check(dataset["id"], "--fix").found == []
    assert act("package_show", id=dataset["id"], revision_ref="HEAD")["title"] == "Meanwhile"


class Fails(p.SingletonPlugin):
    p.implements(p.IPackageController, inherit=True)

    def after_dataset_show(self, context, pkg_dict):
        if pkg_dict["title"] == "Fails":
            raise RuntimeError("A plugin's own fault")


def test_one_that_cannot_be_shown_does_not_stop_the_others(load, cli, act, dataset, organization):
    other = act("package_create", name=factories.Dataset.stub().name, owner_org=organization["id"])
    load(Fails)
    sql("UPDATE package SET title = 'Fails' WHERE id = :id", id=dataset["id"])
    sql("UPDATE package SET title = 'Works' WHERE id = :id", id=other["id"])
    result = cli.invoke(metastore, ["check", "--json", "--fix", dataset["id"], other["id"]])
    (finding,) = json.loads(result.stdout)["found"]
    assert (finding["kind"], finding["id"]) == ("unrecorded", dataset["id"])
    assert "RuntimeError: A plugin's own fault" in finding["detail"]
    assert act("package_show", id=other["id"], revision_ref="HEAD")["title"] == "Works"


def test_no_history(check, act, organization):
    p.unload("metastore")
    try:
        made = act("package_create", name=factories.Dataset.stub().name, owner_org=organization["id"])
    finally:
        p.load("metastore")
    answer = check(made["id"], "--fix")
    assert (answer.exit_code, answer.kinds) == (1, ["no-history"])
    act("package_patch", id=made["id"], title="Now")
    assert check(made["id"]).exit_code == 0


def test_drafts_and_other_types_need_none(check, act, organization):
    draft = act("package_create", name=factories.Dataset.stub().name, owner_org=organization["id"], state="draft")
    other = act("package_create", name=factories.Dataset.stub().name, owner_org=organization["id"], type="showcase")
    assert check(draft["id"], other["id"]).found == []


def test_a_history_without_a_dataset(check, glance, dataset, git):
    of_2_11 = [] if tk.check_ckan_version(min_version="2.12.0a0") else ["package_extra"]
    for table in ("resource", "package_tag", *of_2_11):
        sql(f"DELETE FROM {table} WHERE package_id = :id", id=dataset["id"])
    sql("DELETE FROM package WHERE id = :id", id=dataset["id"])
    answer = check(dataset["id"], "--fix")
    assert (answer.exit_code, answer.kinds) == (1, ["no-dataset"])
    assert git(dataset["id"]).public.exists()
    sql(statements("A history without a dataset", dataset["id"]))
    assert check(dataset["id"]).kinds == ["waiting"]
    publisher.publish(dataset["id"], purge=True)
    assert not git(dataset["id"]).public.exists()
    assert glance(dataset["id"]) == []


def test_what_waits_after_an_outage(check, act, dataset, git, repositories):
    with outage(repositories):
        saved = act("package_patch", id=dataset["id"], title="Meanwhile")
        act("dataset_tag_create", id=dataset["id"], name="v1")
    (finding,) = check(dataset["id"]).found
    assert finding["kind"] == "waiting"
    assert "1 revisions wait; tags wait: v1. The last error: cannot " in finding["detail"]
    assert check(dataset["id"], "--fix").found == []
    assert git(dataset["id"])("rev-parse", "v1^{commit}") == saved["revision_id"]


def test_what_waits_although_it_was_written(check, unmarked, act, dataset):
    """The process died between the writing and its mark."""
    with unmarked(act("package_patch", id=dataset["id"], title="Second")["revision_id"]):
        assert check(dataset["id"]).kinds == ["waiting"]
    assert check(dataset["id"]).found == []


def test_somebody_publishes_it_all_the_time(check, act, dataset, git, ckan_config, monkeypatch):
    monkeypatch.setitem(ckan_config, "ckanext.metastore.publish_timeout", 0.2)
    git(dataset["id"]).public.rename(git(dataset["id"]).public.with_suffix(".away"))
    with waiting.take(dataset["id"], patience=1):
        assert check(dataset["id"]).kinds == ["locked"]
    assert check(dataset["id"]).kinds == ["missing"]


def test_a_purge_that_was_cut_off(glance, act, dataset, git, repositories):
    with outage(repositories):
        act("dataset_purge", user=factories.Sysadmin()["name"], id=dataset["id"])
    assert glance(dataset["id"]) == ["waiting"]
    assert glance(dataset["id"], fix=True) == []
    assert not git(dataset["id"]).public.exists()


# -- in the folder --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("public", [True, False])
def test_a_repository_is_gone(check, hidden, git, public, tmp_path):
    repository = git(hidden["id"])
    path = repository.public if public else repository.private
    path.rename(tmp_path / "backup")
    answer = check(hidden["id"], "--fix")
    assert answer.exit_code == 1
    assert "missing" in answer.kinds
    (tmp_path / "backup").rename(path)
    assert check(hidden["id"]).exit_code == 0


def test_an_older_folder(check, act, dataset, git, tmp_path):
    """The folder comes from a backup that is older than the database's."""
    shutil.copytree(git(dataset["id"]).public, tmp_path / "backup")
    act("package_patch", id=dataset["id"], title="Second")
    shutil.rmtree(git(dataset["id"]).public)
    shutil.copytree(tmp_path / "backup", git(dataset["id"]).public)
    answer = check(dataset["id"], "--fix")
    assert (answer.exit_code, answer.kinds) == (1, ["behind"])


def test_a_branch_set_back(check, act, dataset, git):
    first = git(dataset["id"])("rev-parse", "main")
    second = act("package_patch", id=dataset["id"], title="Second")["revision_id"]
    git(dataset["id"])("update-ref", "refs/heads/main", first)
    assert check(dataset["id"]).kinds == ["behind"]
    assert check(dataset["id"], "--fix").found == []
    assert git(dataset["id"])("rev-parse", "main") == second


def test_a_branch_set_back_while_something_waits(check, act, dataset, git):
    first = git(dataset["id"])("rev-parse", "main")
    act("package_patch", id=dataset["id"], title="Second")
    git(dataset["id"])("update-ref", "refs/heads/main", first)
    third = act("package_patch", id=dataset["id"], title="Third")["revision_id"]
    assert sorted(check(dataset["id"]).kinds) == ["behind", "waiting"]
    assert check(dataset["id"], "--fix").found == []
    assert git(dataset["id"])("rev-parse", "main") == third


def test_a_private_branch_is_gone(check, hidden, git):
    repository = git(hidden["id"])
    (name,) = repository("for-each-ref", "--format=%(refname)", private=True).split()
    repository("update-ref", "-d", name, private=True)
    assert check(hidden["id"]).kinds == ["behind"]
    assert check(hidden["id"], "--fix").found == []
    assert repository("rev-parse", name, private=True) == hidden["revision_id"]


def test_private_revisions_are_lost(check, act, hidden, git, tmp_path):
    private = git(hidden["id"]).private
    shutil.copytree(private, tmp_path / "backup")
    act("package_patch", id=hidden["id"], notes="More.")
    shutil.rmtree(private)
    shutil.copytree(tmp_path / "backup", private)
    answer = check(hidden["id"], "--fix")
    assert (answer.exit_code, answer.kinds) == (1, ["behind"])


def _foreign(git, dataset, *parents):
    who = {f"GIT_{role}_{what}": "robot" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    place = git(dataset["id"]).public
    arguments = [word for parent in parents for word in ("-p", parent)]
    return run_git("commit-tree", "main^{tree}", "-m", "From outside", *arguments, cwd=place, env=who).strip()


def test_a_strangers_commit(check, dataset, git):
    sha = _foreign(git, dataset, "main")
    git(dataset["id"])("update-ref", "refs/heads/main", sha)
    answer = check(dataset["id"], "--fix")
    assert (answer.exit_code, answer.kinds) == (1, ["ahead"])
    assert git(dataset["id"])("rev-parse", "main") == sha


def test_another_history(check, dataset, git):
    sha = _foreign(git, dataset)
    git(dataset["id"])("update-ref", "refs/heads/main", sha)
    assert check(dataset["id"], "--fix").kinds == ["diverged"]
    assert git(dataset["id"])("rev-parse", "main") == sha


@pytest.mark.parametrize("private", [True, False])
def test_strangers_refs(check, hidden, git, private):
    git(hidden["id"])("update-ref", "refs/heads/theirs", "HEAD", private=private)
    git(hidden["id"])("tag", "theirs", private=private)
    assert check(hidden["id"], "--fix").kinds == ["foreign-ref", "foreign-ref"]


@pytest.mark.parametrize("change", [["-d", "v1"], ["-f", "v1", "main"]])
def test_a_tag_is_another(check, act, dataset, git, change):
    act("dataset_tag_create", id=dataset["id"], name="v1")
    second = act("package_patch", id=dataset["id"], title="Second")["revision_id"]
    was = git(dataset["id"])("rev-parse", "v1")
    git(dataset["id"])("tag", *change)
    answer = check(dataset["id"], "--fix")
    assert (answer.exit_code, answer.kinds) == (1, ["tag"])
    assert second
    act("dataset_tag_update", id=dataset["id"], tag="v1", description="")  # the remedy that it tells
    assert check(dataset["id"]).exit_code == 0
    assert git(dataset["id"])("rev-parse", "v1") == was


def _damage(path):
    path.chmod(0o644)
    path.write_bytes(b"nonsense")


def test_damage_at_the_head(check, glance, dataset, git):
    sha = git(dataset["id"])("rev-parse", "main:datapackage.json")
    _damage(git(dataset["id"]).public / "objects" / sha[:2] / sha[2:])
    assert glance(dataset["id"]) == ["corrupt"]
    assert set(check(dataset["id"], "--fix").kinds) == {"corrupt"}


def test_damage_in_the_past_is_found_by_a_thorough_look(check, glance, act, dataset, git):
    sha = git(dataset["id"])("rev-parse", "main:datapackage.json")
    act("package_patch", id=dataset["id"], title="Second")
    _damage(git(dataset["id"]).public / "objects" / sha[:2] / sha[2:])
    assert glance(dataset["id"]) == []
    (finding,) = check(dataset["id"]).found
    assert finding["kind"] == "corrupt"
    assert sha in finding["detail"]


def test_no_repository_at_all(check, dataset, git):
    (git(dataset["id"]).public / "HEAD").write_text("nonsense")
    assert set(check(dataset["id"]).kinds) == {"corrupt"}


@pytest.mark.parametrize("name", ["refs/heads/main.lock", "packed-refs.lock", "HEAD.lock"])
def test_a_lock_of_a_killed_process(check, dataset, git, name):
    lock = git(dataset["id"]).public / name
    lock.touch()
    assert check(dataset["id"]).found == []  # somebody may be at work
    age(lock)
    assert check(dataset["id"]).kinds == ["lock"]
    assert check(dataset["id"], "--fix").found == []
    assert not lock.exists()


def test_a_private_repository_that_borrows_from_nowhere(check, hidden, git):
    alternates = git(hidden["id"]).private / "objects/info/alternates"
    lent = alternates.read_text()
    for change in (alternates.unlink, lambda: alternates.write_text("/elsewhere\n")):
        change()
        assert check(hidden["id"]).kinds == ["not-lent"]
        assert check(hidden["id"], "--fix").found == []
        assert alternates.read_text() == lent
    git(hidden["id"]).fsck()


# -- beside the datasets --------------------------------------------------------------------------------------------


def test_orphans_are_left_alone(glance, dataset, git, repositories):
    stranger = repositories / "zz" / "zz-no-dataset.git"
    shutil.copytree(git(dataset["id"]).public, stranger)
    assert glance(dataset["id"], fix=True) == ["orphan"]
    assert stranger.exists()


def test_folders_of_killed_processes(glance, dataset, repositories):
    shard = repositories / dataset["id"][:2]
    left = [repositories / ".clone-x", shard / ".new-a.git", shard / ".gone-b.git"]
    young = shard / ".new-c.git"
    for path in (*left, young):
        (path / "objects").mkdir(parents=True)
    for path in left:
        age(path)
    assert glance(dataset["id"]) == ["unfinished"] * 3
    assert glance(dataset["id"], fix=True) == []
    assert not any(path.exists() for path in left)
    assert young.exists()
