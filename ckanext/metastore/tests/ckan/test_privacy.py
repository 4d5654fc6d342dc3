"""What is private stays private: for a reader, a dataset that was private once looks as if it never had been."""

from __future__ import annotations

import subprocess

import ckan.plugins as p
import ckantoolkit as tk
import pytest
from ckan.lib.plugins import DefaultPermissionLabels
from ckan.tests import factories


@pytest.fixture
def member(editor):
    """An account that may read the organization's private datasets, and edit none."""
    return factories.User()


@pytest.fixture
def organization(editor, member):
    """The editor's organization, with a member beside."""
    users = [{"name": editor["name"], "capacity": "editor"}, {"name": member["name"], "capacity": "member"}]
    return factories.Organization(users=users)


@pytest.fixture
def history(dataset, act):
    """Public, private twice, public again, private, public: the revision ids in that order."""

    def save(**fields):
        return act("package_patch", id=dataset["id"], **fields)["revision_id"]

    return [
        dataset["revision_id"],
        save(private=True, notes="Secret one"),
        save(title="Secret two"),
        save(private=False, title="Public again", notes="Open"),
        save(private=True, notes="Secret three"),
        save(private=False, notes="Open for good"),
    ]


PUBLIC, PRIVATE = (0, 3, 5), (1, 2, 4)


def test_readers_see_the_public_revisions_only(dataset, history, act, reader, member):
    for user in (reader["name"], member["name"], ""):
        listed = act("dataset_revision_list", user=user, id=dataset["id"])
        assert [item["id"] for item in listed] == [history[5], history[3], history[0]]
        assert [item["parents"] for item in listed] == [[history[3]], [history[0]], []]
        second = act("dataset_revision_list", user=user, id=dataset["id"], limit=1, offset=1)
        assert [item["id"] for item in second] == [history[3]]


def test_editors_see_all(dataset, history, act):
    listed = act("dataset_revision_list", id=dataset["id"])
    assert [item["id"] for item in listed] == history[::-1]
    parents = {item["id"]: item["parents"] for item in listed}
    assert parents[history[1]] == [history[0]]
    assert parents[history[2]] == [history[1]]
    assert parents[history[4]] == [history[3]]


@pytest.mark.parametrize("secret", PRIVATE)
def test_a_private_revision_is_as_unknown_as_any_other(dataset, history, act, reader, secret):
    def error(action, **params):
        with pytest.raises(tk.ObjectNotFound) as raised:
            act(action, user=reader["name"], id=dataset["id"], **params)
        return str(raised.value)

    never = "0123456789" * 4
    for known, unknown in ((history[secret], never), (history[secret][:9], never[:9])):
        for action, parameter in (
            ("dataset_revision_show", "revision_ref"),
            ("package_show", "revision_ref"),
            ("revision_diff", "revision_ref_a"),
        ):
            told = error(action, **{parameter: known})
            assert told == error(action, **{parameter: unknown}).replace(unknown, known)
        told = error("revision_diff", revision_ref_a="HEAD", revision_ref_b=known)
        assert told == error("revision_diff", revision_ref_a="HEAD", revision_ref_b=unknown).replace(unknown, known)


def test_a_tag_of_a_private_revision_is_unknown_too(dataset, history, act, reader):
    act("dataset_tag_create", id=dataset["id"], name="draft", revision_ref=history[1])
    act("dataset_tag_create", id=dataset["id"], name="v1", revision_ref=history[3])
    assert [tag["name"] for tag in act("dataset_tag_list", user=reader["name"], id=dataset["id"])] == ["v1"]
    assert {tag["name"] for tag in act("dataset_tag_list", id=dataset["id"])} == {"draft", "v1"}
    for action, parameter in (("dataset_tag_show", "tag"), ("package_show", "revision_ref")):
        with pytest.raises(tk.ObjectNotFound):
            act(action, user=reader["name"], id=dataset["id"], **{parameter: "draft"})


def test_tag_names_are_unique_across_both(dataset, history, act):
    act("dataset_tag_create", id=dataset["id"], name="v1", revision_ref=history[1])
    with pytest.raises(tk.ValidationError):
        act("dataset_tag_create", id=dataset["id"], name="v1", revision_ref=history[3])


def test_as_of_and_head_pass_over_private_revisions(dataset, history, act, reader):
    act("package_patch", id=dataset["id"], private=True, title="Secret four")
    act("package_patch", id=dataset["id"], private=False, title="Open", notes="Open")
    for params in ({"revision_ref": "HEAD"}, {"as_of": "2100-01-01"}):
        shown = act("package_show", user=reader["name"], id=dataset["id"], **params)
        assert shown["title"] == "Open"


def test_a_private_dataset_does_not_exist_for_a_reader(dataset, act, reader, member):
    act("package_patch", id=dataset["id"], private=True, title="Secret")
    for action, params in (
        ("dataset_revision_list", {}),
        ("dataset_revision_show", {"revision_ref": "HEAD"}),
        ("revision_diff", {"revision_ref_a": "HEAD"}),
        ("dataset_tag_list", {}),
        ("dataset_tag_create", {"name": "v1"}),
        ("dataset_revert", {"to_revision_ref": "HEAD"}),
    ):
        with pytest.raises(tk.ObjectNotFound) as private:
            act(action, user=reader["name"], id=dataset["name"], **params)
        with pytest.raises(tk.ObjectNotFound) as missing:
            act(action, user=reader["name"], id="missing", **params)
        assert str(private.value) == str(missing.value).replace("missing", dataset["name"])
    listed = act("dataset_revision_list", user=member["name"], id=dataset["id"])
    assert [item["id"] for item in listed] == [dataset["revision_id"]]
    shown = act("package_show", user=member["name"], id=dataset["id"])
    assert shown["revision_id"] == dataset["revision_id"]


def test_what_is_on_the_disk(dataset, history, act, git, tmp_path):
    act("dataset_tag_create", id=dataset["id"], name="draft", revision_ref=history[1], description="Not yet")
    act("dataset_tag_create", id=dataset["id"], name="v1", revision_ref=history[3])
    repository = git(dataset["id"])
    clone = tmp_path / "clone"
    command = ["git", "-c", "safe.directory=*", "clone", "-q", "--mirror", str(repository.public), str(clone)]
    subprocess.run(command, check=True)
    objects = repository("cat-file", "--batch-all-objects", "--batch-check=%(objectname)").split()
    for place in PRIVATE:
        assert history[place] not in objects
    assert [history[place] in objects for place in PUBLIC] == [True] * 3
    text = b"".join(
        subprocess.run(
            ["git", "-c", "safe.directory=*", "-C", str(repository.public), "cat-file", "-p", name],
            check=True,
            capture_output=True,
        ).stdout
        for name in objects
    )
    assert b"Secret" not in text
    assert b"Not yet" not in text
    assert all(history[place].encode() not in text for place in PRIVATE)
    assert repository("tag", "--list") == "v1"
    assert repository("tag", "--list", private=True) == "draft"
    assert history[2] in repository("log", "--all", "--format=%H", private=True)
    assert (repository.private / "objects/info/alternates").exists()
    assert not (repository.public / "objects/info/alternates").exists()
    repository.fsck()


def test_a_dataset_that_never_was_public_has_no_public_repository(act, organization, git):
    made = act("package_create", name=factories.Dataset.stub().name, owner_org=organization["id"], private=True)
    assert not git(made["id"]).public.exists()
    assert git(made["id"])("log", "--all", "--format=%H", private=True) == made["revision_id"]
    opened = act("package_patch", id=made["id"], private=False)
    assert git(made["id"])("log", "--format=%H") == opened["revision_id"]
    git(made["id"]).fsck()


def test_a_deletion_is_private(dataset, act, git):
    act("package_delete", id=dataset["id"])
    assert git(dataset["id"])("log", "--format=%H") == dataset["revision_id"]


def test_reverting_to_a_private_revision_needs_allow_private(dataset, history, act):
    with pytest.raises(tk.ValidationError) as error:
        act("dataset_revert", id=dataset["id"], to_revision_ref=history[1])
    assert list(error.value.error_dict) == ["allow_private"]
    reverted = act("dataset_revert", id=dataset["id"], to_revision_ref=history[1], allow_private=True)
    assert (reverted["notes"], reverted["private"]) == ("Secret one", False)


class Embargo(p.SingletonPlugin, DefaultPermissionLabels):
    """An embargo: what says so in its version is for its owners only."""

    p.implements(p.IPermissionLabels)

    def get_dataset_labels(self, dataset_obj):
        labels = super().get_dataset_labels(dataset_obj)
        return [f"member-{dataset_obj.owner_org}"] if dataset_obj.version == "embargo" else labels


@pytest.fixture
def embargo(portal):
    """The plugin, on for the length of a test."""
    plugin = Embargo(name="embargo")
    p.core._PLUGINS_SERVICE["embargo"] = plugin
    p.core.plugins_update()
    yield
    del p.core._PLUGINS_SERVICE["embargo"]


def test_an_embargo_counts(dataset, embargo, act, reader, rows):
    act("package_patch", id=dataset["id"], version="embargo", notes="Under embargo")
    assert [row.public for row in rows(dataset["id"])] == [True, False]
    act("package_patch", id=dataset["id"], version="1", notes="Out")
    listed = act("dataset_revision_list", user=reader["name"], id=dataset["id"])
    assert [item["id"] for item in listed][1:] == [dataset["revision_id"]]


def test_a_change_of_visibility_alone_is_a_revision(dataset, act, rows):
    hidden = act("package_patch", id=dataset["id"], private=True)
    back = act("package_patch", id=dataset["id"], private=False)
    assert len({dataset["revision_id"], hidden["revision_id"], back["revision_id"]}) == 3
    shown = act("package_show", id=dataset["id"], revision_ref=back["revision_id"])
    assert shown["private"] is False
