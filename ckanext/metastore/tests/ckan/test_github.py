"""Saves, tags and a dataset's life, written through to a GitHub of our own over real Git."""

from __future__ import annotations

import shutil

import pytest
from ckan.tests import factories

from ckanext.metastore.testing.git import check_integrity, git
from ckanext.metastore.testing.github import Fault, StandIn


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with StandIn(tmp_path_factory.mktemp("github")) as server:
        server.add_user("ada")
        server.add_organization("parks", members=["ada"])
        server.add_organization("city", members=["ada"])
        yield server


@pytest.fixture
def token(server):
    return server.issue_token("ada")


@pytest.fixture(autouse=True)
def github(portal, server, token, ckan_config, monkeypatch):
    """The backend is GitHub's; the counters begin at nothing."""
    options = {
        "backend": "github",
        "github.owner": "city",
        "github.token": token,
        "github.api_url": server.api_url,
        "github.git_url": server.git_url,
    }
    for name, value in options.items():
        monkeypatch.setitem(ckan_config, f"ckanext.metastore.{name}", value)
    server.clear_faults()
    server.forget_requests()
    return server


@pytest.fixture
def asked(github):
    """What a call asks of GitHub: requests to its API, and pushes, and fetches."""

    def count(call):
        github.forget_requests()
        call()
        rest = [f"{request.method} {request.path}" for request in github.requests if request.kind == "rest"]
        return len(rest), github.pushes, github.fetches

    return count


def head(github, name):
    repository = github.repository(name)
    check_integrity(repository.path)
    return git("rev-parse", "main", cwd=repository.path).strip()


def tags_of(github, name):
    return git("tag", "--list", cwd=github.repository(name).path).split()


# -- what it costs --------------------------------------------------------------------------------------------------


def test_a_first_save_is_one_request_and_one_push(act, organization, github, asked):
    name = factories.Dataset.stub().name
    assert asked(lambda: act("package_create", name=name, title="Trees", owner_org=organization["id"])) == (1, 1, 0)
    dataset = act("package_show", id=name)
    assert head(github, f"city/{name}") == dataset["revision_id"]
    repository = github.repository(f"city/{name}")
    assert (repository.private, repository.description) == (False, "Trees")
    assert dataset["id"] in repository.homepage
    shown = act("dataset_revision_show", id=name, revision_ref="HEAD")
    assert shown["url"] == f"{github.git_url}/city/{name}/commit/{dataset['revision_id']}"
    assert shown["published"] is True


def test_a_save_and_a_tag_are_one_push(act, dataset, github, asked):
    name = f"city/{dataset['name']}"

    def saves():
        act("package_patch", id=dataset["id"], notes="Changed.")

    assert asked(saves) == (0, 1, 0)
    assert head(github, name) == act("package_show", id=dataset["id"])["revision_id"]
    assert asked(lambda: act("dataset_tag_create", id=dataset["id"], name="v1", description="First")) == (0, 1, 0)
    assert tags_of(github, name) == ["v1"]
    assert asked(lambda: act("dataset_tag_update", id=dataset["id"], tag="v1", name="v2")) == (0, 1, 0)
    assert tags_of(github, name) == ["v2"]
    assert asked(lambda: act("dataset_tag_delete", id=dataset["id"], tag="v2")) == (0, 1, 0)
    assert tags_of(github, name) == []


def test_reading_asks_nothing(act, dataset, asked):
    first = act("package_show", id=dataset["id"])["revision_id"]
    act("package_patch", id=dataset["id"], notes="Changed.")

    def reads():
        act("package_show", id=dataset["id"], revision_ref=first)
        act("dataset_revision_list", id=dataset["id"])
        act("dataset_revision_show", id=dataset["id"], revision_ref=first)
        act("revision_diff", id=dataset["id"], revision_ref_a=first)
        act("dataset_tag_list", id=dataset["id"])

    assert asked(reads) == (0, 0, 0)


def test_title_and_keywords_are_a_request_each(act, dataset, github, asked):
    assert asked(lambda: act("package_patch", id=dataset["id"], title="All trees")) == (1, 1, 0)
    assert asked(lambda: act("package_patch", id=dataset["id"], tags=[{"name": "Parks. Trees"}])) == (1, 1, 0)
    repository = github.repository(f"city/{dataset['name']}")
    assert (repository.description, tuple(repository.topics)) == ("All trees", ("parks-trees",))


# -- what is private ------------------------------------------------------------------------------------------------


def test_a_dataset_that_is_hidden_and_shown_again(act, dataset, github, asked):
    name = f"city/{dataset['name']}"
    public = act("package_show", id=dataset["id"])["revision_id"]
    assert asked(lambda: act("package_patch", id=dataset["id"], private=True, notes="Secret.")) == (1, 0, 0)
    assert github.repository(name).private
    secret = act("package_show", id=dataset["id"])["revision_id"]
    assert head(github, name) == public
    assert act("package_show", id=dataset["id"], revision_ref=secret)["notes"] == "Secret."
    act("dataset_tag_create", id=dataset["id"], name="hidden")
    assert tags_of(github, name) == []
    act("package_patch", id=dataset["id"], private=False, notes="Open.")
    assert not github.repository(name).private
    reopened = act("package_show", id=dataset["id"])["revision_id"]
    assert head(github, name) == reopened
    assert git("rev-list", "main", cwd=github.repository(name).path).split() == [reopened, public]
    assert "Secret." not in git("log", "--all", "-p", cwd=github.repository(name).path)


def test_a_name_that_was_given_to_a_private_revision_is_gone_at_github(act, dataset, github):
    act("dataset_tag_create", id=dataset["id"], name="v1")
    act("package_patch", id=dataset["id"], private=True)
    github.fail(Fault(kind="git", status=503, times=None))
    act("dataset_tag_delete", id=dataset["id"], tag="v1")
    act("dataset_tag_create", id=dataset["id"], name="v1")
    github.clear_faults()
    assert tags_of(github, f"city/{dataset['name']}") == ["v1"]
    told = act("dataset_publish", id=dataset["id"])
    assert (told["waiting_tags"], told["error"]) == ([], None)
    assert tags_of(github, f"city/{dataset['name']}") == []


def test_what_was_always_private_has_no_repository(act, organization, github, asked):
    name = factories.Dataset.stub().name
    params = {"name": name, "owner_org": organization["id"], "private": True}
    assert asked(lambda: act("package_create", **params)) == (0, 0, 0)
    assert act("dataset_publish", id=name)["waiting"] == []
    act("package_patch", id=name, private=False)
    assert head(github, f"city/{name}") == act("package_show", id=name)["revision_id"]


def test_where_it_cannot_be_hidden_nothing_is_pushed(act, dataset, github):
    name = f"city/{dataset['name']}"
    public = head(github, name)
    github.fail(Fault.refusal(403, "Resource not accessible by personal access token", method="PATCH", times=None))
    act("package_patch", id=dataset["id"], private=True)
    act("package_patch", id=dataset["id"], notes="More.")
    told = act("dataset_publish", id=dataset["id"])
    assert "not accessible" in told["error"]["message"]
    assert len(told["waiting"]) == 2
    assert head(github, name) == public
    github.clear_faults()
    told = act("dataset_publish", id=dataset["id"])
    assert (told["waiting"], told["error"]) == ([], None)
    assert github.repository(name).private


# -- a repository's life --------------------------------------------------------------------------------------------


def test_a_rename_takes_the_repository_along(act, dataset, github, asked):
    number = github.repository(f"city/{dataset['name']}").id
    new_name = factories.Dataset.stub().name
    assert asked(lambda: act("package_patch", id=dataset["id"], name=new_name)) == (1, 1, 0)
    assert github.repository(f"city/{new_name}").id == number
    assert github.repository(f"city/{dataset['name']}").id == number  # the old name leads there
    # Another dataset takes the old name.
    act("package_create", name=dataset["name"], owner_org=dataset["owner_org"])
    assert github.repository(f"city/{dataset['name']}").id != number


def test_another_organization_may_have_another_owner(act, dataset, editor, github, ckan_config, monkeypatch):
    parks = factories.Organization(users=[{"name": editor["name"], "capacity": "editor"}])
    monkeypatch.setitem(ckan_config, "ckanext.metastore.github.owners", f"{parks['name']}=parks")
    number = github.repository(f"city/{dataset['name']}").id
    act("package_patch", id=dataset["id"], owner_org=parks["id"])
    assert github.repository(f"parks/{dataset['name']}").id == number
    assert head(github, f"parks/{dataset['name']}") == act("package_show", id=dataset["id"])["revision_id"]


def test_a_purge_deletes_the_repository(act, dataset, github, asked):
    sysadmin = factories.Sysadmin()["name"]
    act("package_delete", id=dataset["id"])
    assert asked(lambda: act("dataset_purge", user=sysadmin, id=dataset["id"])) == (1, 0, 0)
    with pytest.raises(Exception, match="404"):
        github.repository(f"city/{dataset['name']}")


def test_or_archives_it(act, dataset, github, ckan_config, monkeypatch):
    monkeypatch.setitem(ckan_config, "ckanext.metastore.purge", "archive")
    act("dataset_purge", user=factories.Sysadmin()["name"], id=dataset["id"])
    assert github.repository(f"city/{dataset['name']}").archived


def test_a_name_that_is_taken_is_left_alone(act, organization, github, server, token, tmp_path):
    name = factories.Dataset.stub().name
    stranger = _stranger(server, token, name)
    act("package_create", name=name, owner_org=organization["id"])
    told = act("dataset_publish", id=name)
    assert f"city has a repository {name} already" in told["error"]["message"]
    assert len(told["waiting"]) == 1
    assert github.repository(f"city/{name}") == stranger


def _stranger(server, token, name):
    from github import Auth, Github

    client = Github(auth=Auth.Token(token), base_url=server.api_url)
    client.get_organization("city").create_repo(name, description="Mine", homepage="https://example.org")
    return server.repository(f"city/{name}")


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


# -- what nobody may see --------------------------------------------------------------------------------------------


def test_the_token_is_nowhere(act, dataset, github, token, repositories, caplog):
    caplog.set_level("DEBUG")
    act("package_patch", id=dataset["id"], title="Two")
    for fault in (Fault.bad_credentials(), Fault(kind="git", status=401, times=2), Fault(kind="git", status=500)):
        github.fail(fault)
        act("package_patch", id=dataset["id"], title=str(fault.status))
        assert token not in str(act("dataset_publish", id=dataset["id"]))
        github.clear_faults()
    assert token not in caplog.text
    assert caplog.text
    stored = [path.read_bytes() for path in repositories.rglob("*") if path.is_file()]
    assert stored
    assert not any(token.encode() in content for content in stored)
