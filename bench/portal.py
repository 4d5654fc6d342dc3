"""A CKAN in this process, which can take the plugin in and out, and somebody who is logged in."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from contextvars import Context
from pathlib import Path
from typing import Any

import ckan.plugins as p
import ckan.plugins.toolkit as tk
from ckan import model
from ckan.cli import load_config
from ckan.config.middleware import make_app
from ckan.tests import factories
from flask_login import login_user

Dataset = dict[str, Any]

PLUGIN = "metastore"


class Portal:
    """CKAN on the services that the environment names. The database may be empty, and is not emptied."""

    def __init__(self) -> None:
        ini = os.environ["CKAN_INI"]
        ckan = [Path(sys.executable).with_name("ckan"), "-c", ini]
        for command in (["db", "init"], ["db", "upgrade", "-p", PLUGIN]):
            subprocess.run([*ckan, *command], check=True, capture_output=True)
        app: Any = make_app(load_config(ini))
        self._client = app._wsgi_app.test_client(use_cookies=False)
        self._request = app._wsgi_app.test_request_context()
        self._request.push()
        self._folder = tempfile.TemporaryDirectory(prefix="metastore-bench-")
        self.folder = tk.config["ckanext.metastore.path"] = self._folder.name
        self.switch(on=True)
        self.editor = factories.Sysadmin(fullname="Edda Ito")["name"]
        login_user(model.User.get(self.editor))
        self.organization = factories.Organization()["id"]

    def __enter__(self) -> Portal:
        return self

    def __exit__(self, *_error: object) -> None:
        self._folder.cleanup()

    def switch(self, plugin: str = PLUGIN, *, on: bool) -> None:
        """Have the plugin loaded or not. CKAN opens new connections to its database, so the next call is slow."""
        if on != p.plugin_loaded(plugin):
            (p.load if on else p.unload)(plugin)

    def get(self, action: str, headers: dict[str, str], **params: str) -> Any:
        """Call an action by a request."""
        # In a context of its own: in ours, somebody is logged in.
        path = f"/api/action/{action}"
        answer = Context().run(lambda: self._client.get(path, query_string=params, headers=headers))
        assert answer.status_code == 200, answer.text
        return answer.json["result"]

    def act(self, action: str, *, cached: bool = True, **params: Any) -> Any:
        """Call an action as the action API does for the editor.

        :param cached: whether ``package_show`` may answer from the search index
        """
        context = {"user": self.editor, "auth_user_obj": tk.current_user, "use_cache": cached}
        return tk.get_action(action)(context, params)

    def dataset(self, resources: int = 1) -> Dataset:
        """A new dataset with a number of resources."""
        return self.act(
            "package_create",
            name=factories.Dataset.stub().name,
            title="Street trees",
            notes="Every tree that the city waters, with its species, its girth and the year in which it was planted.",
            owner_org=self.organization,
            resources=[_resource(number) for number in range(resources)],
            extras=[{"key": "district", "value": "Old town"}],
            tags=[{"name": "trees"}],
        )

    def shown(self, dataset_id: str) -> Dataset:
        """The dataset as CKAN reads it from its database."""
        shown = self.act("package_show", cached=False, id=dataset_id)
        return {key: value for key, value in shown.items() if key != "revision_id"}


def _resource(number: int) -> Dataset:
    return {
        "name": f"Survey of {1970 + number}",
        "url": f"https://example.org/trees/{1970 + number}.csv",
        "format": "CSV",
        "description": "One line for each tree, with its place in WGS 84.",
        "size": 48_000 + number,
        "mimetype": "text/csv",
    }
