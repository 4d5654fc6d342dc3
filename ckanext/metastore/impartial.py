"""What is recorded must not depend on who saves, nor in which language: no plugin may see either when it is shown."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import ckan.plugins as p
from flask import current_app, has_request_context

_HARMLESS = ("ckanext.metastore.plugin", "ckanext.tracking.plugin")
"""Ours only looks on; what CKAN's own adds is not recorded."""


def others_change_what_is_shown() -> bool:
    """Whether another plugin than ours has a hook in ``package_show``."""
    shows: list[tuple[Any, str]] = [
        (p.IPackageController, "after_dataset_show"),
        (p.IResourceController, "before_resource_show"),
    ]
    return any(
        _overrides(plugin, interface, hook)
        for interface, hook in shows
        for plugin in p.PluginImplementations(interface)
    )


def _overrides(plugin: Any, interface: Any, hook: str) -> bool:
    method = getattr(type(plugin), hook, None)
    return method is not getattr(interface, hook) and type(plugin).__module__ not in _HARMLESS


@contextmanager
def nobody_asks() -> Iterator[None]:
    """Hide the request that is being answered: within, nobody is logged in, and the language is the site's."""
    if not has_request_context():
        yield
        return
    app: Any = current_app
    with app.app_context(), app.test_request_context():
        yield
