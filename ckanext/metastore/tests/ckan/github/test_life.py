"""A repository follows its dataset: its name, its owner, its end."""

from __future__ import annotations

import pytest
from ckan.tests import factories

from ckanext.metastore.cli import metastore
from ckanext.metastore.testing.github import Fault

from .conftest import head

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


def test_names_that_change_hands_while_github_is_down(act, organization, github, cli):
    """In whichever order they are published: a name may be another dataset's still."""
    new = {"owner_org": organization["id"]}
    purged, *others = (act("package_create", name=factories.Dataset.stub().name, **new) for _ in range(5))
    github.fail(Fault(status=503, times=None))
    act("dataset_purge", user=factories.Sysadmin()["name"], id=purged["id"])
    heads = {purged["name"]: act("package_create", name=purged["name"], **new)["revision_id"]}
    for dataset in reversed(others):
        act("package_patch", id=dataset["id"], notes="Has waited for longer than the one whose name it takes.")
    free = factories.Dataset.stub().name
    for dataset in others:
        heads[free] = act("package_patch", id=dataset["id"], name=free)["revision_id"]
        free = dataset["name"]
    github.clear_faults()
    result = cli.invoke(metastore, ["publish", "--all"])
    assert result.exit_code == 0, result.output
    assert {name: head(github, f"city/{name}") for name in heads} == heads


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
