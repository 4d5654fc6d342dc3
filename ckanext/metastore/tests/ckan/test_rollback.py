"""What is rolled back is not recorded, and what is kept is, whatever happened to savepoints within it."""

from __future__ import annotations

import threading

import ckan.plugins as p
import pytest
from ckan import model
from ckan.tests import factories, helpers
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from ckanext.metastore.history import History


def _title(dataset_id):
    history = History(dataset_id, private=True)
    return history.document(history.head())["title"]


class Failing(p.SingletonPlugin):
    """A later plugin whose hook fails."""

    p.implements(p.IPackageController, inherit=True)

    def after_dataset_update(self, context, pkg_dict):
        if pkg_dict.get("title") == "fail":
            raise RuntimeError("a plugin's hook failed")


@pytest.fixture
def failing(portal):
    plugin = Failing(name="failing")
    p.core._PLUGINS_SERVICE["failing"] = plugin
    p.core.plugins_update()
    yield
    del p.core._PLUGINS_SERVICE["failing"]


def test_a_rollback_leaves_no_row(dataset, rows, git):
    package = model.Package.get(dataset["id"])
    package.title = "Never committed"
    model.Session.flush()
    model.Session.rollback()
    model.Session.commit()
    assert len(rows(dataset["id"])) == 1
    assert git(dataset["id"])("rev-parse", "main") == dataset["revision_id"]


def test_a_caller_that_defers_and_rolls_back(dataset, act, rows):
    context = {"ignore_auth": True, "defer_commit": True, "return_id_only": True, "user": ""}
    helpers.call_action("package_patch", context, id=dataset["id"], title="Deferred")
    model.Session.rollback()
    assert len(rows(dataset["id"])) == 1


def test_a_caller_that_defers_and_commits(dataset, rows):
    context = {"ignore_auth": True, "defer_commit": True, "return_id_only": True, "user": ""}
    helpers.call_action("package_update", context, **{**dataset, "title": "Deferred"})
    assert len(rows(dataset["id"])) == 1
    model.Session.commit()
    assert len(rows(dataset["id"])) == 2
    assert _title(dataset["id"]) == "Deferred"


def test_a_failed_commit(dataset, rows):
    """The database refuses the transaction at COMMIT: a deferred constraint fails after everything is recorded."""
    model.Session.execute(text("CREATE TEMPORARY TABLE once (n int UNIQUE DEFERRABLE INITIALLY DEFERRED)"))
    model.Session.execute(text("INSERT INTO once VALUES (1), (1)"))
    model.Package.get(dataset["id"]).title = "Half way"
    with pytest.raises(IntegrityError):
        model.Session.commit()
    model.Session.rollback()
    assert len(rows(dataset["id"])) == 1


def test_an_outer_change_survives_an_inner_savepoint(dataset, rows):
    package = model.Package.get(dataset["id"])
    package.title = "Outer"
    model.Session.flush()
    inner = model.Session.begin_nested()
    package.notes = "Inner"
    model.Session.flush()
    inner.rollback()
    model.Session.commit()
    assert _title(dataset["id"]) == "Outer"
    history = History(dataset["id"], private=True)
    assert history.document(history.head())["description"] == dataset["notes"]


def test_a_change_only_within_a_lost_savepoint(dataset, rows):
    inner = model.Session.begin_nested()
    model.Package.get(dataset["id"]).title = "Lost"
    model.Session.flush()
    inner.rollback()
    model.Session.commit()
    assert len(rows(dataset["id"])) == 1


def test_a_stale_object_is_never_recorded(dataset, rows):
    """This session loaded the dataset before another one changed it, and then adds it to a group."""
    group = factories.Group()
    stale = model.Package.get(dataset["id"])
    assert stale.title == "Street trees"
    model.Session.commit()  # CKAN's sessions do not expire on commit

    def patch():
        helpers.call_action("package_patch", id=dataset["id"], title="Fresh")
        model.Session.remove()

    thread = threading.Thread(target=patch)
    thread.start()
    thread.join()
    model.Session.add(model.Member(table_name="package", table_id=dataset["id"], group=model.Group.get(group["id"])))
    model.Session.commit()
    assert _title(dataset["id"]) == "Fresh"
    assert [row.seq for row in rows(dataset["id"])] == [1, 2, 3]


def test_a_hook_that_fails(dataset, failing, rows):
    with pytest.raises(RuntimeError):
        helpers.call_action("package_patch", id=dataset["id"], title="fail")
    model.Session.rollback()
    assert len(rows(dataset["id"])) == 1
