"""``ckan metastore pull``, ``publish`` and ``check``, where others have committed at GitHub."""

from __future__ import annotations

import json

import pytest
from ckan import model
from ckan.tests import helpers
from sqlalchemy import delete

from ckanext.metastore.cli import metastore
from ckanext.metastore.model.tables import pull_table

pytestmark = pytest.mark.usefixtures("pulls")


@pytest.fixture(autouse=True)
def nothing_known(github):
    model.Session.execute(delete(pull_table))
    model.Session.commit()


@pytest.fixture
def command(cli):
    """Run it; gives the exit status and what it tells."""

    def run(*arguments):
        result = cli.invoke(metastore, [*arguments, "--json"])
        assert result.exit_code in (0, 1), result.output
        return result.exit_code, json.loads(result.stdout)

    return run


@pytest.fixture
def clash(act, dataset, stranger):
    """Both sides have changed the title; gives their commit."""
    sha = stranger.edit(lambda document: document.update(title="Theirs"))
    act("package_patch", id=dataset["id"], title="Ours")
    return sha


def test_one_dataset(act, dataset, stranger, command):
    sha = stranger.edit(lambda document: document.update(title="Theirs"))
    assert command("pull", dataset["name"]) == (0, {"pulled": 1, "failed": {}})
    assert act("package_show", id=dataset["id"])["revision_id"] == sha


def test_publishing_pulls_first(act, dataset, stranger, command):
    stranger.edit(lambda document: document.update(title="Theirs"))
    act("package_patch", id=dataset["id"], notes="Ours.")
    assert command("publish", dataset["name"]) == (0, {"published": 1, "failed": {}})
    shown = act("package_show", id=dataset["id"])
    assert (shown["title"], shown["notes"]) == ("Theirs", "Ours.")


def test_a_clash_is_told_until_it_is_decided(act, dataset, clash, command, check):
    status, told = command("pull", dataset["name"])
    assert (status, told["pulled"], "title" in told["failed"][dataset["id"]]) == (1, 0, True)
    assert set(check(dataset["id"]).kinds) == {"refused", "waiting", "ahead", "host-ahead"}
    assert command("pull", dataset["name"], "--strategy", "ours")[0] == 0
    assert act("package_show", id=dataset["id"])["title"] == "Ours"
    assert check(dataset["id"]).kinds == []


def test_all_that_is_known(act, dataset, clash, command):
    """The refused push has told of it; once it is decided, nothing is left."""
    assert command("pull", "--all")[0] == 1
    act("package_patch", id=dataset["id"], title="Theirs")
    assert command("pull", "--all") == (0, {"pulled": 1, "failed": {}})
    assert command("pull", "--all") == (0, {"pulled": 0, "failed": {}})


@pytest.mark.parametrize("words", [[], ["x", "--all"], ["--all", "--strategy", "ours"], ["no-such-dataset"]])
def test_what_makes_no_sense(cli, words):
    assert cli.invoke(metastore, ["pull", *words]).exit_code == 2


def test_an_editor_decides_on_the_page(act, app, dataset, clash, command, editor):
    command("pull", dataset["name"])
    headers = {"Authorization": helpers.call_action("api_token_create", user=editor["name"], name="x")["token"]}
    page = app.get(f"/dataset/{dataset['name']}/versions/settle", headers=headers).body
    assert all(f'<p class="metastore-text">{title}</p>' in page for title in ("Ours", "Theirs"))
    app.post(f"/dataset/{dataset['name']}/versions/settle", data={"strategy": "theirs"}, headers=headers)
    assert act("package_show", id=dataset["id"])["title"] == "Theirs"
    assert act("dataset_publish", id=dataset["id"])["diverged"] is None
