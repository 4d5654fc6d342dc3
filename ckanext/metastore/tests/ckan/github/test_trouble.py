"""GitHub down, answers lost, the folder gone; portals that come, go and move."""

from __future__ import annotations

import shutil

import pytest
import sqlalchemy
from ckan.model import meta
from ckan.tests import factories

from ckanext.metastore.testing.git import git
from ckanext.metastore.testing.github import Fault, StandIn

from .conftest import head, tags_of

# -- when CKAN has much to do ---------------------------------------------------------------------------------------


def test_who_publishes_needs_one_connection_of_the_pool_at_a_time(act, organization, github, monkeypatch):
    """Else as many publishers as there are places would wait for each other, and all requests for them."""
    one = sqlalchemy.create_engine(meta.engine.url, pool_size=1, max_overflow=0, pool_timeout=1)
    monkeypatch.setattr(meta, "engine", one)
    name = factories.Dataset.stub().name
    act("package_create", name=name, owner_org=organization["id"])
    saved = act("package_patch", id=name, name=f"{name}-new", title="With another name")
    assert head(github, f"city/{name}-new") == saved["revision_id"]
    one.dispose()


# -- when GitHub fails ----------------------------------------------------------------------------------------------


def test_a_save_stands_while_github_is_down(act, dataset, github):
    github.fail(Fault(kind="git", status=503, times=None))
    saved = act("package_patch", id=dataset["id"], notes="While it was down.")
    act("dataset_tag_create", id=dataset["id"], name="v1")
    assert act("package_show", id=dataset["id"], revision_ref="v1")["notes"] == "While it was down."
    told = act("dataset_publish", id=dataset["id"])
    assert (told["waiting"], told["waiting_tags"]) == ([saved["revision_id"]], ["v1"])
    assert told["error"]["message"]
    github.clear_faults()
    assert act("dataset_publish", id=dataset["id"])["published"] == saved["revision_id"]
    assert head(github, f"city/{dataset['name']}") == saved["revision_id"]
    assert tags_of(github, f"city/{dataset['name']}") == ["v1"]


@pytest.mark.parametrize("drop", ["before", "after"])
def test_an_answer_that_is_lost(act, organization, github, drop):
    name = factories.Dataset.stub().name
    github.fail(Fault(method="POST", path="/orgs/city/repos", drop=drop))
    act("package_create", name=name, owner_org=organization["id"])
    github.fail(Fault(method="POST", path="git-receive-pack", drop=drop))
    act("dataset_publish", id=name)
    told = act("dataset_publish", id=name)
    assert (told["waiting"], told["error"]) == ([], None)
    assert head(github, f"city/{name}") == told["published"]


# -- when the folder is gone ----------------------------------------------------------------------------------------


def test_no_local_state_is_needed(act, dataset, github, repositories):
    revisions = [act("package_show", id=dataset["id"])["revision_id"]]

    def again(action, **params):
        shutil.rmtree(repositories, ignore_errors=True)
        return act(action, id=dataset["id"], **params)

    revisions.append(again("package_patch", notes="Two.")["revision_id"])
    again("dataset_tag_create", name="v2")
    revisions.append(again("package_patch", notes="Secret.", private=True)["revision_id"])
    revisions.append(again("package_patch", notes="Four.", private=False)["revision_id"])
    again("dataset_tag_update", tag="v2", name="second")
    assert again("package_show", revision_ref="second")["notes"] == "Two."
    assert again("package_show", revision_ref=revisions[2])["notes"] == "Secret."
    assert [revision["id"] for revision in again("dataset_revision_list")] == revisions[::-1]
    assert again("revision_diff", revision_ref_a=revisions[0])
    again("dataset_revert", to_revision_ref=revisions[0])
    again("dataset_tag_delete", tag="second")
    name = f"city/{dataset['name']}"
    assert head(github, name) == act("package_show", id=dataset["id"])["revision_id"]
    assert git("rev-list", "--count", "main", cwd=github.repository(name).path).strip() == "4"
    assert tags_of(github, name) == []


def test_a_portal_that_moves_to_github(act, dataset, organization, github, ckan_config, monkeypatch, asked):
    monkeypatch.setitem(ckan_config, "ckanext.metastore.backend", "git")
    name = factories.Dataset.stub().name
    revisions = [act("package_create", name=name, owner_org=organization["id"], title="0")["revision_id"]]
    act("dataset_tag_create", id=name, name="v1")
    revisions.append(act("package_patch", id=name, title="1")["revision_id"])
    monkeypatch.setitem(ckan_config, "ckanext.metastore.backend", "github")
    revisions.append(act("package_patch", id=name, title="2")["revision_id"])
    assert act("dataset_publish", id=name)["waiting"] == []
    assert git("rev-list", "main", cwd=github.repository(f"city/{name}").path).split() == revisions[::-1]
    assert tags_of(github, f"city/{name}") == ["v1"]
    assert asked(lambda: act("package_patch", id=name, notes="3")) == (0, 1, 0)


def test_a_portal_that_leaves_github_with_private_revisions(act, dataset, ckan_config, monkeypatch):
    secret = act("package_patch", id=dataset["id"], private=True, notes="Secret.")["revision_id"]
    monkeypatch.setitem(ckan_config, "ckanext.metastore.backend", "git")
    more = act("package_patch", id=dataset["id"], notes="More.")["revision_id"]
    told = act("dataset_publish", id=dataset["id"])
    assert (told["published"], told["waiting"], told["error"]) == (more, [], None)
    for revision, notes in ((secret, "Secret."), (more, "More.")):
        assert act("package_show", id=dataset["id"], revision_ref=revision)["notes"] == notes


def test_a_host_that_has_another_address_now(act, dataset, github, asked, ckan_config, monkeypatch):
    number = github.repository(f"city/{dataset['name']}").id
    for option, url in (("api_url", github.api_url), ("git_url", github.git_url)):
        monkeypatch.setitem(ckan_config, f"ckanext.metastore.github.{option}", url.replace("127.0.0.1", "localhost"))
    assert asked(lambda: act("dataset_tag_create", id=dataset["id"], name="v1")) == (1, 1, 0)
    assert tags_of(github, f"city/{dataset['name']}") == ["v1"]
    saved = act("package_patch", id=dataset["id"], title="Under another address")
    assert head(github, f"city/{dataset['name']}") == saved["revision_id"]
    assert github.repository(f"city/{dataset['name']}").id == number


def test_a_portal_that_moves_to_another_host(act, dataset, github, tmp_path, ckan_config, monkeypatch):
    number, head_before = github.repository(f"city/{dataset['name']}").id, head(github, f"city/{dataset['name']}")
    with StandIn(tmp_path / "other") as other:
        other.add_user("ada")
        other.add_organization("city", members=["ada"])
        monkeypatch.setitem(ckan_config, "ckanext.metastore.github.token", other.issue_token("ada"))
        monkeypatch.setitem(ckan_config, "ckanext.metastore.github.api_url", other.api_url)
        monkeypatch.setitem(ckan_config, "ckanext.metastore.github.git_url", other.git_url)
        saved = act("package_patch", id=dataset["id"], title="Elsewhere")
        assert act("dataset_publish", id=dataset["id"])["error"] is None
        assert head(other, f"city/{dataset['name']}") == saved["revision_id"]
    assert github.repository(number).description == dataset["title"]
    assert head(github, f"city/{dataset['name']}") == head_before


def test_a_portal_that_moves_to_github_shows_what_was_hidden(
    act, dataset, organization, github, ckan_config, monkeypatch
):
    """The revision that shows it again has the document of the one before: there is still a repository to be made."""
    monkeypatch.setitem(ckan_config, "ckanext.metastore.backend", "git")
    name = factories.Dataset.stub().name
    first = act("package_create", name=name, owner_org=organization["id"], title="Trees")["revision_id"]
    act("package_patch", id=name, private=True)
    monkeypatch.setitem(ckan_config, "ckanext.metastore.backend", "github")
    shown = act("package_patch", id=name, private=False)["revision_id"]
    assert act("dataset_publish", id=name)["error"] is None
    assert git("rev-list", "main", cwd=github.repository(f"city/{name}").path).split() == [shown, first]
    assert github.repository(f"city/{name}").description == "Trees"
