"""Bad input gets an error that names the parameter and what would be right, and leaves nothing half done."""

from __future__ import annotations

from typing import Any

import ckantoolkit as tk
import pytest
from ckan import model
from ckan.tests import factories

from ckanext.metastore.model.tables import revision_table

READS = {
    "dataset_revision_list": {},
    "dataset_revision_show": {"revision_ref": "HEAD"},
    "revision_diff": {"revision_ref_a": "HEAD"},
    "dataset_tag_list": {},
    "dataset_tag_show": {"tag": "v1"},
    "dataset_revert": {"to_revision_ref": "HEAD"},
    "dataset_tag_create": {"name": "v1"},
    "dataset_tag_update": {"tag": "v1", "name": "v2"},
    "dataset_tag_delete": {"tag": "v1"},
}

BAD_TAGS = [
    "",
    " ",
    "two words",
    "a..b",
    "a~b",
    "a^b",
    "a:b",
    "a?b",
    "a*b",
    "a[b",
    "a\\b",
    "a/b",
    "a.lock",
    "-a",
    ".a",
    "a.",
    "a@{b",
    "HEAD",
    "@",
    "deadbee",
    "a" * 40,
    "x" * 201,
    "é" * 101,
    "a\0b",
    "a\nb",
    "a\x7fb",
    "\ud800",
    7,
    ["v1"],
    {"name": "v1"},
]


_made: dict[str, Any] = {}
"""Most tests here change nothing: they share an editor, an organization, a dataset and the folder of its repository."""


@pytest.fixture(scope="module")
def repositories(tmp_path_factory):
    return tmp_path_factory.mktemp("input") / "metastore"


@pytest.fixture
def editor(portal):
    return _made.get("editor") or _made.setdefault("editor", factories.User(fullname="Edda Ito"))


@pytest.fixture
def organization(editor):
    users = [{"name": editor["name"], "capacity": "editor"}]
    return _made.get("organization") or _made.setdefault("organization", factories.Organization(users=users))


@pytest.fixture
def still(request, organization):
    """A dataset that is not changed."""
    return _made.get("still") or _made.setdefault("still", request.getfixturevalue("dataset"))


def _refused(act, parameter, action, **params):
    with pytest.raises(tk.ValidationError) as error:
        act(action, **params)
    assert list(error.value.error_dict) == [parameter]
    (message, *_rest) = error.value.error_dict[parameter]
    assert isinstance(message, str)
    assert message
    return message


@pytest.mark.parametrize("action", READS)
@pytest.mark.parametrize("bad", [7, 1.5, True, ["x"], {"id": "x"}, None, ""])
def test_an_id_that_is_no_text(still, act, action, bad):
    _refused(act, "id", action, id=bad, **READS[action])


@pytest.mark.parametrize("action", READS)
@pytest.mark.parametrize("unknown", ["no-such-dataset", "a\0b", "../../etc/passwd", "x" * 5000])
def test_an_id_that_nothing_has(still, act, action, unknown):
    with pytest.raises(tk.ObjectNotFound):
        act(action, id=unknown, **READS[action])


@pytest.mark.parametrize("name", BAD_TAGS)
def test_tag_names_that_git_or_github_refuse(still, act, name):
    _refused(act, "name", "dataset_tag_create", id=still["id"], name=name)
    assert act("dataset_tag_list", id=still["id"]) == []


def test_a_tag_that_exists(dataset, act):
    made = act("dataset_tag_create", id=dataset["id"], name="v1", description="First")
    _refused(act, "name", "dataset_tag_create", id=dataset["id"], name="v1", description="Again")
    act("dataset_tag_create", id=dataset["id"], name="v2")
    _refused(act, "name", "dataset_tag_update", id=dataset["id"], tag="v2", name="v1")
    assert act("dataset_tag_show", id=dataset["id"], tag="v1") == made


@pytest.mark.parametrize(
    "description",
    ["Ελληνικά", "العربية", "日本語のデータ", "Кириллица", "עברית", "👩‍🌾🌳", "line\r\nbreak", "nul\0", "\x1b[31m"],
)
def test_a_description_in_any_script(dataset, act, git, description):
    made = act("dataset_tag_create", id=dataset["id"], name="v1", description=description)
    assert act("dataset_tag_show", id=dataset["id"], tag="v1")["description"] == made["description"]
    assert git(dataset["id"])("tag", "-n9", "--list", "v1", "--format=%(contents)") == made["description"]
    git(dataset["id"]).fsck()


@pytest.mark.parametrize(
    ("action", "parameter", "params"),
    [
        ("package_patch", "revision_message", {}),
        ("dataset_revert", "revision_message", {"to_revision_ref": "HEAD"}),
        ("dataset_tag_create", "description", {"name": "v1"}),
    ],
)
def test_a_message_of_more_than_10000_characters(still, act, action, parameter, params):
    assert "10,000" in _refused(act, parameter, action, id=still["id"], **{parameter: "x" * 10_001}, **params)


def test_a_message_of_10000_characters(dataset, act):
    saved = act("package_patch", id=dataset["id"], title="Long", revision_message="é" * 10_000)
    shown = act("dataset_revision_show", id=dataset["id"], revision_ref=saved["revision_id"])
    assert shown["message"] == "é" * 10_000


@pytest.mark.parametrize("limit", [0, -1, 101, 10**20, "many", 1.5, [5], {}])
def test_a_limit_out_of_range(still, act, limit):
    _refused(act, "limit", "dataset_revision_list", id=still["id"], limit=limit)


@pytest.mark.parametrize("offset", [-1, "far", 10**30, [5]])
def test_an_offset_out_of_range(still, act, offset):
    _refused(act, "offset", "dataset_revision_list", id=still["id"], offset=offset)


def test_an_offset_beyond_the_end(still, act):
    assert act("dataset_revision_list", id=still["id"], offset=1) == []


@pytest.mark.parametrize(
    "ref", ["no-such-tag", "f" * 40, "abcdef", "abcdef1", "HEAD~1", "main", "refs/heads/main", "a" * 3000]
)
def test_an_unknown_ref(still, act, ref):
    for action, parameter in (
        ("dataset_revision_show", "revision_ref"),
        ("package_show", "revision_ref"),
        ("revision_diff", "revision_ref_a"),
        ("dataset_revert", "to_revision_ref"),
    ):
        with pytest.raises(tk.ObjectNotFound):
            act(action, id=still["id"], **{parameter: ref})


@pytest.mark.parametrize("ref", [7, None, "", " ", ["HEAD"], "a\0b"])
def test_a_ref_that_is_none(still, act, ref):
    _refused(act, "revision_ref", "dataset_revision_show", id=still["id"], revision_ref=ref)


def test_a_ref_of_another_dataset(dataset, act, organization):
    other = act("package_create", name=f"{dataset['name']}-2", owner_org=organization["id"])
    act("dataset_tag_create", id=other["id"], name="theirs")
    for ref in (other["revision_id"], other["revision_id"][:10], "theirs"):
        with pytest.raises(tk.ObjectNotFound):
            act("package_show", id=dataset["id"], revision_ref=ref)


def test_a_dangling_commit(dataset, act, git):
    tree = git(dataset["id"])("rev-parse", "main^{tree}")
    identity = ("-c", "user.name=x", "-c", "user.email=x@example.org")
    dangling = git(dataset["id"])(*identity, "commit-tree", tree, "-m", "dangling")
    with pytest.raises(tk.ObjectNotFound):
        act("package_show", id=dataset["id"], revision_ref=dangling)


def test_an_ambiguous_abbreviation(dataset, act):
    twin = dataset["revision_id"][:12] + "0" * 28
    (row,) = model.Session.execute(
        revision_table.select().where(revision_table.c.dataset_id == dataset["id"])
    ).mappings()
    model.Session.execute(revision_table.insert().values(**{**row, "seq": 2, "public_seq": 2, "sha": twin}))
    model.Session.commit()
    message = _refused(act, "revision_ref", "dataset_revision_show", id=dataset["id"], revision_ref=twin[:12])
    assert "more than one" in message
    shown = act("dataset_revision_show", id=dataset["id"], revision_ref=dataset["revision_id"][:20])
    assert shown["id"] == dataset["revision_id"]


@pytest.mark.parametrize("when", ["yesterday", 7, "2024-13-01", "9" * 30])
def test_a_time_that_is_none(still, act, when):
    _refused(act, "as_of", "package_show", id=still["id"], as_of=when)


def test_a_time_before_the_history(still, act):
    with pytest.raises(tk.ObjectNotFound):
        act("package_show", id=still["id"], as_of="1999-12-31T23:59:59Z")


def test_a_time_and_a_ref(still, act):
    _refused(act, "as_of", "package_show", id=still["id"], as_of="2024-05-03", revision_ref="HEAD")


def test_a_format_that_is_none(still, act):
    _refused(act, "format", "revision_diff", id=still["id"], revision_ref_a="HEAD", format="html")


@pytest.mark.parametrize("base", ["HEAD", 7, "f" * 39, "F" * 40 + "\n", ["f" * 40]])
def test_a_base_revision_that_is_none(still, act, base):
    _refused(act, "base_revision", "package_patch", id=still["id"], title="Changed", base_revision=base)


def test_a_deleted_dataset(dataset, act, reader):
    act("package_delete", id=dataset["id"])
    assert len(act("dataset_revision_list", id=dataset["id"])) == 2
    assert act("package_show", id=dataset["id"], revision_ref=dataset["revision_id"])["state"] == "active"
    with pytest.raises(tk.ObjectNotFound):
        act("dataset_revision_list", user=reader["name"], id=dataset["id"])


def test_a_document_of_5_mb(dataset, act, git):
    notes = "Ein Baum. " * 500_000
    saved = act("package_patch", id=dataset["id"], notes=notes)
    assert act("package_show", id=dataset["id"], revision_ref=saved["revision_id"])["notes"] == notes
    (change,) = act("revision_diff", id=dataset["id"], revision_ref_a=dataset["revision_id"])
    assert change["new"] == notes
    git(dataset["id"]).fsck()


def test_the_session_is_usable_after_an_error(dataset, act):
    act("dataset_tag_create", id=dataset["id"], name="v1")
    with pytest.raises(tk.ValidationError):
        act("dataset_tag_create", id=dataset["id"], name="v1")
    assert act("package_patch", id=dataset["id"], title="Still works")["title"] == "Still works"


@pytest.mark.parametrize(
    ("path", "status", "parameter"),
    [
        ("dataset_revision_list?id={id}&limit=1000", 409, "limit"),
        ("dataset_revision_show?id={id}", 409, "revision_ref"),
        ("dataset_revision_show?id={id}&revision_ref=nothing", 404, "message"),
        ("package_show?id={id}&revision_ref=nothing", 404, "message"),
        ("package_show?id={id}&as_of=never", 409, "as_of"),
        ("dataset_revision_list?id=nothing", 404, "message"),
    ],
)
def test_over_http(still, app, path, status, parameter):
    answer = app.get(f"/api/3/action/{path.format(id=still['id'])}", status=status)
    assert parameter in answer.json["error"]
