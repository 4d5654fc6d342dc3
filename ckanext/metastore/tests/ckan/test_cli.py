"""``ckan metastore``."""

from __future__ import annotations

import json

from ckanext.metastore.cli import metastore
from ckanext.metastore.tests.ckan.outage import outage


def test_gc_packs_every_repository(act, dataset, git, cli):
    act("package_patch", id=dataset["id"], private=True)
    repository = git(dataset["id"])
    assert repository("count-objects") != "0 objects, 0 kilobytes"
    result = cli.invoke(metastore, ["gc", "--json"])
    assert (result.exit_code, json.loads(result.stdout)) == (0, {"packed": 2, "failed": {}})
    assert repository("count-objects") == "0 objects, 0 kilobytes"
    assert repository("count-objects", private=True) == "0 objects, 0 kilobytes"
    saved = act("package_patch", id=dataset["id"], private=False, title="After")
    assert repository("rev-parse", "main") == saved["revision_id"]
    repository.fsck()


def test_publish_after_an_outage(act, dataset, git, cli, repositories):
    with outage(repositories):
        saved = act("package_patch", id=dataset["id"], title="Meanwhile")
        result = cli.invoke(metastore, ["publish", dataset["name"], "--json"])
        assert result.exit_code == 1
        assert list(json.loads(result.stdout)["failed"]) == [dataset["id"]]
    result = cli.invoke(metastore, ["publish", "--all", "--json"])
    assert (result.exit_code, json.loads(result.stdout)["failed"]) == (0, {})
    assert git(dataset["id"])("rev-parse", "main") == saved["revision_id"]


def test_publish_what(dataset, cli):
    for arguments in ([], [dataset["id"], "--all"], ["nothing-of-this-name"]):
        assert cli.invoke(metastore, ["publish", *arguments]).exit_code == 2


def test_gc_says_what_it_could_not_pack(act, dataset, git, cli):
    (git(dataset["id"]).public / "HEAD").write_text("nonsense")
    result = cli.invoke(metastore, ["gc"])
    assert result.exit_code == 1
    assert dataset["id"] in result.output
