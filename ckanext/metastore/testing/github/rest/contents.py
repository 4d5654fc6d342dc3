from __future__ import annotations

from ckanext.metastore.testing.github.rest.routes import Routes


def register(routes: Routes) -> None:
    """."""
