"""Two datasets, of which one was private at times. A reader cannot tell them apart, nor can who has the repository."""

from __future__ import annotations

import json
import re
import subprocess
import uuid
from typing import Any

import ckan.plugins as p
import ckantoolkit as tk
import pytest
from ckan.lib.plugins import DefaultPermissionLabels
from ckan.tests import factories

SECRETS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "private": ({"private": True}, {"private": False}),
    "deleted": ({"state": "deleted"}, {"state": "active"}),
    "draft": ({"state": "draft"}, {"state": "active"}),
    "under embargo": ({}, {}),
}
"""How one of them is hidden, and shown again."""

OURS: dict[str, dict[str, Any]] = {
    "dataset_revision_list": {},
    "dataset_revision_show": {"revision_ref": "HEAD"},
    "revision_diff": {"revision_ref_a": "HEAD"},
    "dataset_tag_list": {},
    "dataset_tag_show": {"tag": "v1"},
    "dataset_tag_create": {"name": "v1"},
    "dataset_tag_update": {"tag": "v1", "name": "v2"},
    "dataset_tag_delete": {"tag": "v1"},
    "dataset_revert": {"to_revision_ref": "HEAD"},
}

READS = ["dataset_revision_list", "dataset_revision_show", "revision_diff", "dataset_tag_list", "dataset_tag_show"]

QUESTIONS: list[tuple[str, dict[str, Any]]] = [
    ("dataset_revision_list", {}),
    *(("dataset_revision_list", {"limit": 1, "offset": offset}) for offset in range(5)),
    *(("dataset_revision_show", {"revision_ref": ref}) for ref in ("HEAD", "<first>", "<second>", "v1")),
    *(
        ("dataset_revision_show", {"revision_ref": ref})
        for ref in ("<secret>", "<secret 7>", "<secret 39>", "secret-tag")
    ),
    *(("package_show", {"revision_ref": ref}) for ref in ("HEAD", "<first>", "v1", "<secret>", "secret-tag")),
    *(("package_show", {"as_of": when}) for when in ("2100-01-01", "1999-01-01")),
    ("package_show", {}),
    *(("revision_diff", {"revision_ref_a": a}) for a in ("<first>", "<second>", "<secret>", "secret-tag")),
    *(("revision_diff", {"revision_ref_a": "<first>", "revision_ref_b": b}) for b in ("<second>", "<secret 7>", "v1")),
    *(("revision_diff", {"revision_ref_a": "<first>", "format": form}) for form in ("json_patch", "unified")),
    ("dataset_tag_list", {}),
    *(("dataset_tag_show", {"tag": tag}) for tag in ("v1", "secret-tag")),
    *(("dataset_tag_create", {"name": name}) for name in ("secret-tag", "new")),
    *(("dataset_tag_delete", {"tag": tag}) for tag in ("v1", "secret-tag")),
    ("dataset_revert", {"to_revision_ref": "<secret>"}),
    ("package_patch", {"title": "Mine", "base_revision": "<secret>"}),
    ("resource_show", {"id": "<secret resource>", "revision_ref": "HEAD"}),
    ("resource_show", {"id": "<secret resource>", "revision_ref": "<secret>"}),
    ("resource_show", {"id": "<secret resource>", "revision_ref": "HEAD", "package_id": "<id>"}),
    ("resource_show", {"id": "<resource>", "revision_ref": "<first>"}),
    ("resource_show", {"id": "<resource>", "revision_ref": "<secret>"}),
]


class Embargo(p.SingletonPlugin, DefaultPermissionLabels):
    """What calls itself a secret is for its owners only."""

    p.implements(p.IPermissionLabels)

    def get_dataset_labels(self, dataset_obj):
        secret = (dataset_obj.notes or "").startswith("Secret")
        return [f"member-{dataset_obj.owner_org}"] if secret else super().get_dataset_labels(dataset_obj)


@pytest.fixture
def users(editor):
    """All kinds of reader: name -> account; the anonymous one has none."""
    return {"anonymous": "", "reader": factories.User()["name"], "member": factories.User()["name"]}


@pytest.fixture
def organization(editor, users):
    members = [{"name": editor["name"], "capacity": "editor"}, {"name": users["member"], "capacity": "member"}]
    return factories.Organization(users=members)


class Twin:
    """A dataset, and what names its parts.

    :param made: what each of its saves gave
    :param public: which of them were public
    """

    def __init__(self, made, public, secret_revision, secret_resource):
        self.id, self.name = made[0]["id"], made[0]["name"]
        self.shas = [save["revision_id"] for save in made]
        self.public = [self.shas[place] for place in public]
        self.words = {
            "<id>": self.id,
            "<name>": self.name,
            **dict(zip(("<first>", "<second>", "<third>"), self.public, strict=True)),
            "<secret>": secret_revision,
            "<secret 39>": secret_revision[:39],
            "<secret 7>": secret_revision[:7],
            "<secret resource>": secret_resource,
            "<resource>": made[0]["resources"][0]["id"],
        }

    def ask(self, call, action, params):
        """The answer, or the error, with what is this twin's own taken out."""
        params = {"id": self.id, **params}
        answer = call(action, {key: self.words.get(value, value) for key, value in params.items()})
        for word, value in self.words.items():
            answer = answer.replace(value, word).replace(value[:12] if value in self.public else value, word)
        return re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?", "<time>", answer)


@pytest.fixture
def make(act, organization):
    """Make a dataset, save by save; gives what each save gave."""

    def saves(*steps):
        resource = {"name": "Trees", "url": "https://example.org/trees.csv"}
        name = factories.Dataset.stub().name
        made = [act("package_create", name=name, owner_org=organization["id"], resources=[resource])]
        for fields in steps:
            resources = [*made[0]["resources"], *fields.pop("more", [])]
            made.append(act("package_patch", id=made[0]["id"], resources=resources, **fields))
        return made

    return saves


@pytest.fixture(params=SECRETS)
def hidden(request, make, act, load):
    """It was hidden twice, and has a tag and a resource that only its editors know."""
    load(Embargo)
    hide, show = SECRETS[request.param]
    secret = {"id": str(uuid.uuid4()), "name": "Secret", "url": "https://example.org/secret.csv"}
    made = make(
        {"notes": "Secret one", **hide},
        {"notes": "Secret two", "more": [secret]},
        {"notes": "Secret three"},
        {"title": "Two", "notes": "Open", **show},
        {"notes": "Secret four", **hide},
        {"title": "Three", "notes": "Open, too", **show},
    )
    act("dataset_tag_create", id=made[0]["id"], name="v1", revision_ref=made[4]["revision_id"], description="Second")
    act(
        "dataset_tag_create",
        id=made[0]["id"],
        name="secret-tag",
        revision_ref=made[2]["revision_id"],
        description="Secret",
    )
    return Twin(made, (0, 4, 6), made[2]["revision_id"], secret["id"])


@pytest.fixture
def open_always(make, act, hidden):
    """It never was hidden."""
    made = make({"title": "Two", "notes": "Open"}, {"title": "Three", "notes": "Open, too"})
    act("dataset_tag_create", id=made[0]["id"], name="v1", revision_ref=made[1]["revision_id"], description="Second")
    return Twin(made, (0, 1, 2), "5ec2e7" + uuid.uuid4().hex + "00", str(uuid.uuid4()))


def _as(act, user):
    def call(action, params):
        try:
            return json.dumps(act(action, user=user, **params), indent=1)
        except (tk.ObjectNotFound, tk.NotAuthorized, tk.ValidationError) as error:
            return f"{type(error).__name__} {error} {getattr(error, 'error_dict', None)}"

    return call


def _over_http(app):
    def call(action, params):
        answer = app.get(f"/api/3/action/{action}", query_string=params)
        return f"{answer.status_code} {answer.body}"

    return call


def test_no_answer_tells_them_apart(hidden, open_always, act, users):
    for kind, user in users.items():
        for action, params in QUESTIONS:
            call = _as(act, user)
            assert hidden.ask(call, action, params) == open_always.ask(call, action, params), (kind, action, params)


def test_no_answer_over_http_tells_them_apart(app, hidden, open_always):
    call = _over_http(app)
    for action, params in QUESTIONS:
        assert hidden.ask(call, action, params) == open_always.ask(call, action, params), (action, params)


def test_an_editor_sees_all_of_it(hidden, act, rows):
    call = _as(act, None)
    assert "secret-tag" in call("dataset_revision_show", {"id": hidden.id, "revision_ref": hidden.words["<secret>"]})
    assert len(act("dataset_revision_list", id=hidden.id)) == 7
    last = public = ""
    for row in rows(hidden.id):
        assert row.parents == (public if row.public else last)
        last, public = row.sha, row.sha if row.public else public


def test_nothing_in_the_public_repository_is_private(hidden, open_always, git, tmp_path):
    inside = []
    for twin in (hidden, open_always):
        repository, clone = git(twin.id), tmp_path / twin.id
        repository("clone", "-q", "--mirror", str(repository.public), str(clone))
        for folder in (repository.public, clone):
            told = _git(folder, "cat-file", "--batch-all-objects", "--batch")
            told += b"".join(
                file.read_bytes() for file in folder.rglob("*") if file.is_file() and "objects" not in file.parts
            )
            assert b"ecret" not in told
            assert not any(sha.encode() in told for sha in set(twin.shas) - set(twin.public))
            inside.append(
                sorted(_git(folder, "cat-file", "--batch-all-objects", "--batch-check=%(objecttype)").split())
            )
        repository.fsck()
    assert inside[0] == inside[1] == inside[2] == inside[3]


def _git(folder, *arguments):
    return subprocess.run(["git", "-C", str(folder), *arguments], check=True, capture_output=True).stdout


@pytest.mark.parametrize("how", SECRETS)
def test_what_one_may_not_read_does_not_exist(app, make, act, load, users, how):
    load(Embargo)
    made = make({"notes": "Secret", **SECRETS[how][0]})
    act("dataset_tag_create", id=made[0]["id"], name="v1")
    for user in (users["anonymous"], users["reader"]):
        call = _as(act, user)
        for action, params in OURS.items():
            for known in (made[0]["id"], made[0]["name"]):
                answer = call(action, {"id": known, **params})
                assert answer.startswith("NotFound")
                assert answer == call(action, {"id": "no-such", **params}).replace("no-such", known)
    for action, params in OURS.items():
        read = app.get(f"/api/3/action/{action}", query_string={"id": made[0]["id"], **params})
        assert read.status_code == (404 if action in READS else 400)


@pytest.mark.parametrize("how", SECRETS)
def test_ckans_own_show_stays_as_it_is(make, act, load, users, how):
    load(Embargo)
    made = make({"notes": "Secret", **SECRETS[how][0]})
    for user in (users["anonymous"], users["reader"]):
        for past in ({}, {"revision_ref": made[0]["revision_id"]}, {"revision_ref": "HEAD"}, {"as_of": "2100-01-01"}):
            with pytest.raises(tk.NotAuthorized):
                act("package_show", user=user, id=made[0]["id"], **past)
            with pytest.raises(tk.NotAuthorized):
                act("resource_show", user=user, id=made[0]["resources"][0]["id"], **past)


@pytest.mark.parametrize("action", ["package_update", "package_patch", "package_delete", "package_owner_org_update"])
def test_a_conflict_tells_nothing_to_who_may_not_update(make, act, users, action):
    made = make({"notes": "Secret", "private": True})
    for user in users.values():
        with pytest.raises(tk.NotAuthorized) as error:
            act(action, user=user, id=made[0]["id"], title="Mine", base_revision="0" * 40)
        assert made[1]["revision_id"] not in str(error.value)
