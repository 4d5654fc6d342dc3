"""What is recorded is what the site itself would be shown, whoever saves, and in whatever language."""

from __future__ import annotations

from typing import Any

import ckan.plugins as p
import ckantoolkit as tk
import pytest
from ckan import model
from flask_login import login_user

from ckanext.metastore import impartial


def _who(context: Any) -> str:
    account = tk.current_user.name if tk.current_user.is_authenticated else "nobody"
    return f"{context.get('user')}, {account}, {tk.h.lang()}"


class Partial(p.SingletonPlugin):
    """Shows a dataset's author in another way to each."""

    p.implements(p.IPackageController, inherit=True)

    def after_dataset_show(self, context: Any, pkg_dict: dict[str, Any]) -> None:
        pkg_dict["author"] = _who(context)


class PartialToResources(p.SingletonPlugin):
    """The same for a resource's description."""

    p.implements(p.IResourceController, inherit=True)

    def before_resource_show(self, resource_dict: dict[str, Any]) -> dict[str, Any]:
        resource_dict["description"] = _who({})
        return resource_dict


class Onlooker(p.SingletonPlugin):
    """Has no say in what is shown."""

    p.implements(p.IPackageController, inherit=True)
    p.implements(p.IResourceController, inherit=True)


@pytest.fixture
def in_german(editor, app):
    """A request of the editor's for a page in German."""
    with app.flask_app.test_request_context(environ_overrides={"CKAN_LANG": "de"}):
        login_user(model.User.get(editor["id"]))
        yield


def test_neither_user_nor_language_is_recorded(load, in_german, act, organization):
    load(Partial)
    load(PartialToResources)
    saved = act(
        "package_create", name="impartial", owner_org=organization["id"], resources=[{"url": "http://a.example"}]
    )
    for title in ("One", "Two"):
        act("package_patch", id=saved["id"], title=title)
        recorded = act("package_show", id=saved["id"], revision_ref="HEAD")
        assert recorded["author"] == f"{tk.config['ckan.site_id']}, nobody, None"
        assert recorded["resources"][0]["description"] == "None, nobody, None"
    assert tk.h.lang() == "de"
    assert tk.current_user.is_authenticated


def test_a_dict_is_reused_only_where_nobody_else_has_a_say(load):
    load(Onlooker)
    assert not impartial.others_change_what_is_shown()
    load(PartialToResources)
    assert impartial.others_change_what_is_shown()
