"""Input that is odd rather than wrong: no crash, an error that names the parameter, and nothing touched or held."""

from __future__ import annotations

import math

import ckan.plugins as p
import ckantoolkit as tk
import pytest
from ckan import model
from ckan.model import meta
from ckan.tests import factories, helpers
from sqlalchemy import text

from ckanext.metastore.model.tables import dataset_table, revision_table, tag_table

NO_TEXT = [0, 7, 1.5, math.nan, True, False, ["v1"], {"id": "v1"}, [{"id": "v1"}], [{"id": "v1"}, "v1"], [], {}]
UNSTORABLE = ["\0", "v1\0", "\ud800", "v1\udfff"]
"""Text that PostgreSQL does not take."""
NESTED = [[{"id": "x"}], [{"id": "x"}, "x"]]
"""What CKAN 2.11 takes apart before any validator sees it."""

ON_A_DATASET = {
    "dataset_revision_list": {},
    "dataset_revision_show": {"revision_ref": "HEAD"},
    "revision_diff": {"revision_ref_a": "HEAD"},
    "dataset_tag_list": {},
    "dataset_tag_show": {"tag": "v1"},
    "dataset_tag_create": {"name": "v2"},
    "dataset_tag_update": {"tag": "v1", "name": "v2"},
    "dataset_tag_delete": {"tag": "v1"},
    "dataset_revert": {"to_revision_ref": "HEAD"},
    "package_show": {"revision_ref": "HEAD"},
    "resource_show": {"revision_ref": "HEAD"},
}

REFS = [
    ("dataset_revision_show", "revision_ref"),
    ("revision_diff", "revision_ref_a"),
    ("revision_diff", "revision_ref_b"),
    ("dataset_revert", "to_revision_ref"),
    ("dataset_tag_create", "revision_ref"),
    ("package_show", "revision_ref"),
    ("resource_show", "revision_ref"),
]

TAGS = [("dataset_tag_show", "tag"), ("dataset_tag_update", "tag"), ("dataset_tag_delete", "tag")]

OTHERS = [
    ("dataset_revision_list", "limit", [" ", "1.5", "ten", math.inf, math.nan, -1, 0, 101, 10**400, [1], {}]),
    ("dataset_revision_list", "offset", [" ", "1.5", "ten", math.inf, math.nan, -1, 2**63, 10**400, [1], {}]),
    ("revision_diff", "format", ["html", "CHANGES", 7, ["changes"], {}, "\0", "\ud800"]),
    (
        "package_show",
        "as_of",
        [
            "\0",
            "\ud800",
            "now",
            "9999-12-31T23:59:59-14:00",
            "2024-02-30",
            "24:00",
            "10000-01-01",
            "-1",
            7,
            ["2024-01-01"],
            {},
        ],
    ),
    ("dataset_revert", "fields", [7, True, {}, [7], [""], ["title", None], {"title": 1}, [["title"]], "\0", "\ud800"]),
    ("dataset_revert", "resources", [7, True, {}, [7], [""], "no-such", "\0", "\ud800"]),
    ("dataset_revert", "dry_run", [1.5, math.nan, ["true"], [], {}, {"x": True}]),
    ("dataset_revert", "allow_private", [1.5, math.nan, ["true"], [], {}, {"x": True}]),
    ("dataset_revert", "revision_message", [7, ["x"], {}, "x" * 10_001]),
    ("dataset_tag_create", "description", [7, ["x"], {}, "x" * 10_001]),
    ("dataset_tag_update", "description", [7, ["x"], {}, "x" * 10_001]),
    ("dataset_tag_update", "name", [*NO_TEXT[1:], *UNSTORABLE, "a b", "HEAD", "a" * 40, "v1.lock"]),
    ("package_patch", "revision_message", [7, ["x"], {}, "x" * 10_001]),
    ("resource_show", "package_id", NO_TEXT[1:6]),
]


def _cases(pairs, values):
    return [
        pytest.param(action, parameter, value, id=f"{action}-{parameter}-{str(value)[:20]!a}")
        for action, parameter in pairs
        for value in values
    ]


@pytest.fixture(scope="module")
def repositories(tmp_path_factory):
    return tmp_path_factory.mktemp("metastore")


@pytest.fixture(scope="module")
def scene(tables, repositories):
    """A dataset with a tag, for all tests here: none of them changes it."""
    tk.config["ckanext.metastore.path"] = str(repositories)
    if not p.plugin_loaded("metastore"):
        p.load("metastore")
    dataset = factories.Dataset(resources=[{"name": "Trees", "url": "https://example.org/trees.csv"}])
    helpers.call_action("dataset_tag_create", id=dataset["id"], name="v1")
    model.Session.remove()
    return dataset


@pytest.fixture
def dataset(portal, scene):
    return scene


def _everything(dataset):
    """All that is recorded. No lock is waited for: whatever the refused call held would be an error here."""
    with meta.engine.connect() as connection:
        rows = [connection.execute(table.select().with_for_update(nowait=True)).all() for table in _TABLES]
        package = text("SELECT * FROM package WHERE id = :id FOR UPDATE NOWAIT")
        return rows, connection.execute(package, {"id": dataset["id"]}).all()


_TABLES = (dataset_table, revision_table, tag_table)


@pytest.fixture(scope="module")
def sysadmin(scene):
    return {"Authorization": factories.APIToken(user=factories.Sysadmin()["name"])["token"]}


@pytest.fixture
def refused(dataset):
    """Call an action, which must refuse it; gives the error."""

    def call(action, parameter, value, kind):
        params = {"id": dataset["id"], **ON_A_DATASET.get(action, {}), parameter: value}
        if action == "resource_show" and parameter != "id":
            params["id"] = dataset["resources"][0]["id"]
        before = _everything(dataset)
        with pytest.raises(kind) as raised:
            helpers.call_action(action, **params)
        model.Session.execute(text("SELECT 1"))  # an aborted transaction would refuse that
        model.Session.commit()
        assert _everything(dataset) == before
        return raised.value

    return call


def _assert_names(error, parameter):
    assert list(error.error_dict) == [parameter]
    (sentence,) = error.error_dict[parameter]
    assert len(sentence) > 10


@pytest.mark.parametrize(
    ("action", "parameter", "value"),
    _cases([(action, "id") for action in ON_A_DATASET if "resource" not in action], NO_TEXT),
)
def test_an_id_that_is_no_text(refused, action, parameter, value):
    _assert_names(refused(action, parameter, value, tk.ValidationError), parameter)


@pytest.mark.parametrize(
    ("action", "parameter", "value"),
    _cases(
        [*((action, "id") for action in ON_A_DATASET), ("resource_show", "package_id")], [*UNSTORABLE, "%", "_" * 36]
    ),
)
def test_an_id_that_nothing_can_have(refused, action, parameter, value):
    refused(action, parameter, value, tk.ObjectNotFound)


@pytest.mark.parametrize(("action", "parameter", "value"), _cases(REFS, [*NO_TEXT[1:6], *UNSTORABLE, "\n"]))
def test_a_ref_that_is_no_text(refused, action, parameter, value):
    _assert_names(refused(action, parameter, value, tk.ValidationError), parameter)


@pytest.mark.parametrize(
    ("action", "parameter", "value"),
    _cases(
        REFS,
        ["%" * 7, "_" * 40, "@", "HEAD^", "v1^{}", "-1", "0" * 7, "0" * 40, "refs/tags/v1", "x" * 100_000, "v1\n\nv2"],
    ),
)
def test_an_unknown_ref(refused, action, parameter, value):
    error = refused(action, parameter, value, tk.ObjectNotFound)
    assert value in str(error)


@pytest.mark.parametrize(("action", "parameter", "value"), _cases(TAGS, [*NO_TEXT, ""]))
def test_a_tag_that_is_no_text(refused, action, parameter, value):
    _assert_names(refused(action, parameter, value, tk.ValidationError), parameter)


@pytest.mark.parametrize(
    ("action", "parameter", "value"),
    _cases(TAGS, [*UNSTORABLE, " ", "v2", "%", "V1", "v1 ", "refs/tags/v1", "x" * 9999]),
)
def test_an_unknown_tag(refused, action, parameter, value):
    refused(action, parameter, value, tk.ObjectNotFound)


@pytest.mark.parametrize(
    ("action", "parameter", "value"),
    [case for action, parameter, values in OTHERS for case in _cases([(action, parameter)], values + NESTED)],
)
def test_any_other_parameter(refused, action, parameter, value):
    _assert_names(refused(action, parameter, value, tk.ValidationError), parameter)


@pytest.mark.parametrize("name", ["\u0065\u0301t\u00e9", "\u1112\u1161\u11ab"])
def test_a_tag_is_found_however_its_letters_are_composed(dataset, name):
    """Some keyboards and file systems give an accent as a character of its own."""
    made = helpers.call_action("dataset_tag_create", id=dataset["id"], name=name)
    assert made["name"] != name
    assert helpers.call_action("dataset_tag_show", id=dataset["id"], tag=name) == made
    assert (
        helpers.call_action("package_show", id=dataset["id"], revision_ref=name)["revision_id"] == made["revision_id"]
    )
    helpers.call_action("dataset_tag_delete", id=dataset["id"], tag=name)
    assert [tag["name"] for tag in helpers.call_action("dataset_tag_list", id=dataset["id"])] == ["v1"]


@pytest.mark.parametrize(
    "body",
    [
        {"id": "\ud800"},
        {"id": ["x"]},
        {"id": "{id}", "limit": "1e3"},
        {"id": "{id}", "revision_ref": "v1\0"},
        {"id": "{id}", "revision_ref": {"$ne": ""}},
        {"id": "{id}", "revision_ref_a": "HEAD", "revision_ref_b": 7, "format": []},
        [],
        "HEAD",
        None,
    ],
)
def test_over_http_nothing_is_a_server_error(dataset, app, sysadmin, body):
    if isinstance(body, dict) and body["id"] == "{id}":
        body = {**body, "id": dataset["id"]}
    for action in ON_A_DATASET.keys() - {"package_show", "resource_show"}:  # CKAN's own crash on some ids
        answer = app.post(f"/api/3/action/{action}", json=body, headers=sysadmin)
        assert answer.status_code < 500


def test_over_http_a_document_of_5_mb(dataset, app, sysadmin):
    made = {"name": f"{dataset['name']}-large", "notes": "Ein Baum. " * 500_000}
    created = app.post("/api/3/action/package_create", json=made, headers=sysadmin).json["result"]
    at = f"id={created['id']}&revision_ref={created['revision_id']}"
    assert app.get(f"/api/3/action/package_show?{at}").json["result"]["notes"] == made["notes"]
