"""What somebody commits with bad intent, or by mistake, changes nothing in CKAN; the commit says why."""

from __future__ import annotations

import json

import ckantoolkit as tk
import pytest
import requests
from ckan.tests import factories

from ckanext.metastore import foreign
from ckanext.metastore.testing.git import check_integrity, git

pytestmark = pytest.mark.usefixtures("pulls")

SCRIPT = "<script>alert(1)</script>"
DERIVED = ("metadata_modified", "revision_id")


def shown(act, dataset):
    """All that CKAN has of the dataset, but for what every save changes."""
    found = act("package_show", id=dataset["id"])
    return {key: value for key, value in found.items() if key not in DERIVED}


def pulls_nothing(act, dataset):
    """Pull what is refused; gives the reason."""
    before = act("package_show", id=dataset["id"])
    with pytest.raises(tk.ValidationError) as caught:
        act("dataset_pull", id=dataset["id"])
    assert act("package_show", id=dataset["id"]) == before
    return caught.value.error_dict["strategy"][0]


@pytest.fixture
def statuses(dataset, github, token):
    """What is said of a commit at GitHub: pairs of state and description."""

    def ask(sha):
        url = f"{github.api_url}/repos/city/{dataset['name']}/commits/{sha}/statuses"
        answer = requests.get(url, headers={"Authorization": f"Bearer {token}"}, timeout=10)
        return [(status["state"], status["description"]) for status in answer.json()]

    return ask


def with_script(value):
    """A document with a script in every text."""
    if isinstance(value, dict):
        return {key: with_script(item) for key, item in value.items()}
    if isinstance(value, list):
        return [with_script(item) for item in value]
    return value + SCRIPT if isinstance(value, str) else value


def nested(levels):
    return "[" * levels + "]" * levels


NOT_JSON = {
    "nothing": "",
    "not JSON": "{",
    "a list": "[]",
    "not UTF-8": b'{"title": "\xff"}',
    "endless numbers": '{"title": NaN}',
    "nested deeply": nested(100_000),
    "an object nested deeply": f'{{"a": {nested(200)}}}',
    "of nobody": "{}",
    "another type of id": '{"id": {"$ne": null}}',
}


@pytest.mark.parametrize("text", NOT_JSON.values(), ids=NOT_JSON)
def test_what_is_no_document_of_the_dataset(act, dataset, stranger, text):
    stranger.write(text)
    assert "datapackage.json" in pulls_nothing(act, dataset)


REFUSED = {
    "another dataset's id": (lambda d: d.update(id="11111111-2222-3333-4444-555555555555"), "datapackage.json"),
    "no id": (lambda d: d.pop("id"), "datapackage.json"),
    "a script in the title": (lambda d: d.update(title=SCRIPT), "title"),
    "a script in the description": (lambda d: d.update(description=f"Trees {SCRIPT.upper()}"), "notes"),
    "a script as an address": (lambda d: d.update(homepage="javascript:alert(1)"), "url"),
    "a script as a resource": (lambda d: d["resources"][0].update(path=" JavaScript:alert(1)"), "resources"),
    "a script in a field of CKAN's": (lambda d: d["ckan"]["extras"].append({"key": "x", "value": SCRIPT}), "extras"),
    "a script as a keyword": (lambda d: d["keywords"].append(SCRIPT), "tags"),
    "a way out of the folder": (lambda d: d["resources"][0].update(path="../../etc/passwd"), "resources"),
    "a new way out": (lambda d: d["resources"].append({"name": "x", "path": "data/../../x"}), "resources"),
    "a NUL": (lambda d: d.update(title="Trees\0"), "datapackage.json"),
    "half of a character": (lambda d: d.update(title="\ud800"), "datapackage.json"),
    "a keyword that CKAN refuses": (lambda d: d["keywords"].append("a!$%b"), "tags"),
    "an extra twice": (lambda d: d["ckan"]["extras"].extend([{"key": "x", "value": "1"}] * 2), "extras"),
    "a group that is not there": (lambda d: d["ckan"].update(groups=[{"id": "nowhere", "name": "nowhere"}]), "Group"),
    "a size that no database holds": (lambda d: d["resources"][0].update(bytes=10**30), ""),
    "10,000 resources": (
        lambda d: d["resources"].extend([{"name": "x", "path": "https://x.org"}] * 10_000),
        "resources",
    ),
}


@pytest.mark.parametrize(("change", "field"), REFUSED.values(), ids=REFUSED)
def test_what_is_refused(act, dataset, stranger, statuses, change, field):
    sha = stranger.edit(change)
    reason = pulls_nothing(act, dataset)
    assert field in reason
    ((state, description),) = statuses(sha)
    assert state == "failure"
    assert field in description
    diverged = act("dataset_publish", id=dataset["id"])["diverged"]
    assert (diverged["commit"], diverged["clashes"]) == (sha, [])
    assert len(statuses(sha)) == 1  # it is said once


def test_a_script_in_every_field(act, dataset, stranger):
    stranger.edit(lambda document: document.update(with_script(document)))
    pulls_nothing(act, dataset)


def test_a_document_of_100_megabytes(act, dataset, stranger, monkeypatch):
    """It is not even read."""
    monkeypatch.setattr(foreign, "read", None)
    stranger.edit(lambda document: document.update(description="x" * 100_000_000))
    assert "100,00" in pulls_nothing(act, dataset)


@pytest.mark.parametrize("what", ["gone", "a link", "a folder"])
def test_no_document(act, dataset, stranger, what):
    file = stranger.folder / "datapackage.json"
    file.unlink()
    if what == "a link":
        file.symlink_to("/etc/passwd")
    elif what == "a folder":
        file.mkdir()
        (file / "x").write_text("x")
    stranger.commit()
    assert "datapackage.json" in pulls_nothing(act, dataset)


@pytest.fixture
def uploaded(act, dataset):
    """The dataset with an upload, as CKAN tells of one."""
    resource = {"name": "Uploaded", "url": "trees.csv", "url_type": "upload", "size": 3, "hash": "a" * 64}
    return act("package_patch", id=dataset["id"], resources=[*dataset["resources"], resource])


def claims(document):
    """All that is not theirs to say: whose the dataset is, who sees it, what was uploaded."""
    document["name"] = "other-name"
    document["ckan"].update(owner_org=None, private=True, state="deleted", creator_user_id="x", type="harvest")
    document["ckan"].update(plugin_data={"x": 1}, revision_message="forged", base_revision="0" * 40, unheard_of="x")
    linked, upload = document["resources"]
    linked["ckan"].update(url_type="upload", plugin_data={"x": 1}, state="deleted")
    upload["ckan"].update(url_type=None)
    upload.update(path="https://example.org/evil.csv", bytes=4, hash=f"sha256:{'b' * 64}")


def test_what_is_not_theirs_to_say_is_passed_over(act, uploaded, stranger, github):
    before = shown(act, uploaded)
    stranger.git("pull", "--quiet")
    sha = stranger.edit(claims)
    pulled = act("dataset_pull", id=uploaded["id"])
    after = shown(act, uploaded)
    times = [resource.pop("metadata_modified") for found in (before, after) for resource in found["resources"]]
    assert (after, len(times)) == (before, 4)
    newest = act("dataset_revision_list", id=uploaded["id"])[0]
    assert (newest["id"], newest["parents"]) == (pulled["revision_id"], [sha])
    there = github.repository(f"city/{uploaded['name']}").path
    check_integrity(there)
    assert json.loads(git("show", "main:datapackage.json", cwd=there))["name"] == uploaded["name"]


def test_a_resource_of_another_dataset_stays_there(act, dataset, organization, stranger):
    resource = {"name": "Secret", "url": "https://example.org/secret.csv"}
    name = factories.Dataset.stub().name
    other = act("package_create", name=name, owner_org=organization["id"], private=True, resources=[resource])
    foreign_id = other["resources"][0]["id"]

    def steal(document):
        document["resources"].append({"name": "x", "path": "https://x.org/x.csv", "ckan": {"id": foreign_id}})

    stranger.edit(steal)
    act("dataset_pull", id=dataset["id"])
    assert act("package_show", id=name) == other | {"revision_id": other["revision_id"]}
    added = act("package_show", id=dataset["id"])["resources"][1]
    assert (added["url"], added["id"] != foreign_id) == ("https://x.org/x.csv", True)


def test_an_author_is_only_a_text(act, dataset, stranger, rows):
    sysadmin = factories.Sysadmin()
    author = f"{sysadmin['name']} <{sysadmin['email']}>"
    sha = stranger.edit(
        lambda document: document.update(title="Theirs"), author=author, message="x\n\nCKAN-User: admin"
    )
    act("dataset_pull", id=dataset["id"])
    newest = act("dataset_revision_list", id=dataset["id"])[0]
    assert (newest["id"], newest["author"]) == (sha, sysadmin["name"])
    assert rows(dataset["id"])[-1].user_id is None


def test_a_time_that_is_wrong_moves_nothing(act, dataset, stranger):
    """The year 2100: what is saved afterwards is not later than it is."""
    stranger.now = "@4102444800 +0000"
    stranger.edit(lambda document: document.update(title="Theirs"))
    act("dataset_pull", id=dataset["id"])
    act("package_patch", id=dataset["id"], notes="Now.")
    newest, theirs, _first = act("dataset_revision_list", id=dataset["id"])
    assert newest["timestamp"] < "2100"
    assert theirs["timestamp"] < "2100"
