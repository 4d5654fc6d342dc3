"""What a save, a tag and a read ask of GitHub, and what is private never gets there."""

from __future__ import annotations

from ckan.tests import factories

from ckanext.metastore.testing.git import git
from ckanext.metastore.testing.github import Fault

from .conftest import head, tags_of

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
