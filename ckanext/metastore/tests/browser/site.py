"""The portal that the browser visits: served on loopback, with its people."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

from ckan import model
from ckan.common import config
from ckan.tests import factories, helpers
from werkzeug.datastructures import FileStorage

PASSWORD = "correct horse battery"
ACCOUNT = {"password": PASSWORD, "image_url": ""}
Dataset = dict[str, Any]


class Site:
    """A served portal. What a test needs it makes itself, by actions, in somebody's name.

    :param url: its address
    :param flask_app: what serves it
    :param options: how it is configured
    """

    def __init__(self, url: str, flask_app: Any, options: dict[str, Any]) -> None:
        self.url, self.options = url, options
        self._flask_app = flask_app
        with self._request():
            self.editor = factories.User(name="edda", fullname="Edda Ito", **ACCOUNT)
            self.colleague = factories.User(name="ravi", fullname="Ravi Lund", **ACCOUNT)
            self.reader = factories.User(name="rosa", fullname="Rosa Reader", **ACCOUNT)
            self.sysadmin = factories.Sysadmin(name="ada", fullname="Ada Admin", **ACCOUNT)
            edits = [{"name": user["name"], "capacity": "editor"} for user in (self.editor, self.colleague)]
            self.parks = factories.Organization(name="parks", title="Parks and Gardens", image_url="", users=edits)

    def call(self, action: str, user: str = "edda", **params: Any) -> Any:
        """Call an action, as the editor or another user, with all of CKAN's access checks."""
        with self._request():
            return helpers.call_action(action, {"user": user, "ignore_auth": False}, **params)

    def dataset(self, **fields: Any) -> Dataset:
        """Make a dataset of the editor's with one resource and one revision."""
        resource = {"name": "Street trees 2024", "url": "https://example.org/trees.csv", "format": "CSV"}
        return self.call(
            "package_create",
            **{
                "name": factories.Dataset.stub().name,
                "title": "Street trees",
                "notes": "Every tree that the city waters.",
                "owner_org": self.parks["id"],
                "resources": [resource],
                "revision_message": "First survey",
                **fields,
            },
        )

    def change(self, dataset: Dataset, message: str = "", user: str = "edda", **fields: Any) -> Dataset:
        """Save a dataset again, with other values of some fields."""
        return self.call("package_patch", user, id=dataset["id"], revision_message=message, **fields)

    def upload(self, dataset: Dataset, name: str, content: bytes) -> Dataset:
        """Add an uploaded file to a dataset; gives the resource."""
        file = FileStorage(BytesIO(content), filename=name)
        return self.call("resource_create", package_id=dataset["id"], name=name, upload=file)

    def configure(self) -> None:
        """Be what it is: after each test, CKAN's plugin for pytest takes back what was configured."""
        config.update(self.options)

    @contextmanager
    def configured(self, options: dict[str, Any]) -> Iterator[None]:
        """Be configured otherwise as long as the block lasts."""
        usual = {name: self.options.get(name, config.get(name)) for name in options}
        self.options.update(options)
        self.configure()
        try:
            yield
        finally:
            self.options.update(usual)
            self.configure()

    @property
    def folder(self) -> Path:
        """Where the repositories are."""
        return Path(self.options["ckan.storage_path"], "metastore")

    def _request(self) -> Any:
        self.configure()
        model.Session.remove()
        return self._flask_app.test_request_context()
