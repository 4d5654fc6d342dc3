"""What each operation costs, in numbers that no machine changes: statements, and Git objects read and written.

Where a number is lower now: well done, write it down. Where it is higher, somebody pays for it at each call.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any, NamedTuple

import ckan.plugins as p
import ckantoolkit as tk
import pytest
from ckan import model
from ckan.tests import factories
from flask_login import login_user, logout_user

from ckanext.metastore.tests.ckan.lengthening import append
from ckanext.metastore.tests.counting import objects, queries

pytestmark = pytest.mark.skipif(
    not tk.check_ckan_version(min_version="2.12.0a0"), reason="these are the numbers for the CKAN that most will have"
)


class Cost(NamedTuple):
    """Statements sent, objects read, objects written."""

    queries: int
    read: int = 0
    written: int = 0


@pytest.fixture(autouse=True)
def logged_in(editor, app) -> Iterator[None]:
    """The editor is logged in at the site, or sends a token to its API."""
    with app.flask_app.test_request_context():
        login_user(model.User.get(editor["id"]))
        yield


@pytest.fixture
def act(editor) -> Callable[..., Any]:
    """Call an action as the site and its API do: CKAN knows who is logged in, and need not ask."""

    return lambda action, **params: tk.get_action(action)(_context(editor), params)


def _context(editor: Any) -> dict[str, Any]:
    account = {"auth_user_obj": tk.current_user} if tk.current_user.is_authenticated else {}
    return {"user": editor["name"], **account}


@pytest.fixture
def cost(repositories) -> Callable[[Callable[[], Any]], Cost]:
    """What a call costs."""

    def count(call: Callable[[], Any]) -> Cost:
        with objects(repositories) as counted, queries() as sent:
            call()
        return Cost(len(sent), counted.read, counted.written)

    return count


@pytest.fixture
def added(cost, act) -> Callable[[Callable[[], Any]], Cost]:
    """What a call costs more than in a CKAN without the plugin."""

    def compare(call: Callable[[], Any]) -> Cost:
        with_us = cost(call)
        with unloaded():
            act("status_show")  # CKAN's new engine sets up its first connection
            without = cost(call)
        return with_us._replace(queries=with_us.queries - without.queries)

    return compare


@pytest.fixture
def beyond_access(cost, editor) -> Callable[..., Cost]:
    """What a call costs more than to find a dataset, and to ask CKAN who may read and who may update it."""

    def compare(dataset: Any, call: Callable[[], Any]) -> Cost:
        def ask() -> None:
            package = model.Package.get(dataset["id"])
            for action in ("package_show", "package_update"):
                tk.check_access(action, {**_context(editor), "package": package}, {"id": package.id})

        access, all_ = cost(ask), cost(call)
        return all_._replace(queries=all_.queries - access.queries)

    return compare


@contextmanager
def unloaded() -> Iterator[None]:
    p.unload("metastore")
    try:
        yield
    finally:
        p.load("metastore")


@pytest.fixture
def create(act, organization) -> Callable[..., Any]:
    """Create a dataset with so many resources; give it as ``package_show`` does."""

    def call(resources: int = 1) -> Any:
        created = act(
            "package_create",
            name=factories.Dataset.stub().name,
            owner_org=organization["id"],
            resources=[{"url": f"https://example.org/{number}.csv"} for number in range(resources)],
        )
        created.pop("revision_id", None)
        return created

    return call


@pytest.fixture
def change(act) -> Callable[[Any], Any]:
    """Update a dataset with a title that it never had."""
    titles = (f"Street trees {number}" for number in count())
    return lambda dataset: act("package_update", **{**dataset, "title": next(titles)})


# -- saves -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("resources", [1, 10])
def test_save(added, create, change, resources):
    """Lock, reload, append; take and mark what waits. Two blobs, a tree, a commit; Git looks whether it is one."""
    dataset = create(resources)
    assert added(lambda: change(dataset)) == Cost(queries=6, read=1, written=4)


@pytest.mark.parametrize("action", ["package_patch", "package_revise", "resource_create", "resource_patch"])
def test_save_of_a_part(added, create, act, action):
    """As much: the head that is in the result is known."""
    dataset, numbers = create(), count()

    def save() -> Any:
        text = f"Street trees {next(numbers)}"
        return {
            "package_patch": lambda: act(action, id=dataset["id"], title=text),
            "package_revise": lambda: act(action, match__id=dataset["id"], update__title=text),
            "resource_create": lambda: act(action, package_id=dataset["id"], url="https://example.org/b", name=text),
            "resource_patch": lambda: act(action, id=dataset["resources"][0]["id"], name=text),
        }[action]()

    assert added(save) == Cost(queries=6, read=1, written=4)


def test_save_by_who_is_not_logged_in(added, create, change):
    """By a program on the server: the account is one query more."""
    dataset = create()
    logout_user()
    assert added(lambda: change(dataset)) == Cost(queries=7, read=1, written=4)


def test_first_save(added, create):
    assert added(create) == Cost(queries=8, written=4)


def test_save_that_changes_nothing(added, create, act):
    dataset = create()
    assert added(lambda: act("package_update", **dataset)) == Cost(queries=1)


def test_save_in_a_long_history(cost, create, change, editor):
    dataset = create()
    short = cost(lambda: change(dataset))
    append(dataset, map(str, range(500)), user=editor["name"])
    change(dataset)
    assert cost(lambda: change(dataset)) == short


# -- reads -------------------------------------------------------------------------------------------------------------


def test_show(added, create, act):
    dataset = create()
    assert added(lambda: act("package_show", id=dataset["id"])) == Cost(queries=1)


@pytest.mark.parametrize("resources", [1, 10])
def test_show_at_a_revision(beyond_access, create, change, act, resources):
    """Is it a tag? Is it a revision? The organization as it is now. A commit, a tree, a blob."""
    dataset = create(resources)
    sha = change(dataset)["revision_id"]
    shown = beyond_access(dataset, lambda: act("package_show", id=dataset["id"], revision_ref=sha))
    assert shown == Cost(queries=3, read=3)


@pytest.mark.parametrize("offset", [0, 499])
def test_revision_list(beyond_access, create, act, editor, offset):
    """The page, its tags; as much for page 500 as for page 1."""
    dataset = create()
    append(dataset, map(str, range(499)), user=editor["name"])
    listed = beyond_access(dataset, lambda: act("dataset_revision_list", id=dataset["id"], limit=1, offset=offset))
    assert listed == Cost(queries=2)


def test_revision_list_with_details(beyond_access, create, change, act):
    """The same, whose they are, and for each revision a commit, a tree, a blob: one more than are listed."""
    dataset = create()
    for _ in range(3):
        change(dataset)
    listed = beyond_access(dataset, lambda: act("dataset_revision_list", id=dataset["id"], limit=2, details=True))
    assert listed == Cost(queries=3, read=9)


def test_history_show(beyond_access, create, act):
    """What each page of a dataset asks, for the tab."""
    dataset = create()
    assert beyond_access(dataset, lambda: act("dataset_history_show", id=dataset["id"])) == Cost(queries=1)


@pytest.mark.parametrize("tags", [1, 5])
def test_tag_list(beyond_access, create, act, tags):
    dataset = create()
    for number in range(tags):
        act("dataset_tag_create", id=dataset["id"], name=f"v{number}")
    assert beyond_access(dataset, lambda: act("dataset_tag_list", id=dataset["id"])) == Cost(queries=1)


def test_diff(beyond_access, create, change, act):
    """For each end: is it a tag? Is it a revision? A commit, a tree, a blob."""
    dataset = create()
    a, b = (change(dataset)["revision_id"] for _ in range(2))
    diff = beyond_access(dataset, lambda: act("revision_diff", id=dataset["id"], revision_ref_a=a, revision_ref_b=b))
    assert diff == Cost(queries=4, read=6)
