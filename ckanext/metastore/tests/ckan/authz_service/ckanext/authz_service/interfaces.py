"""The interface by which other extensions tell of their entities."""

from __future__ import annotations

from typing import Any

from ckan.plugins.interfaces import Interface


class IAuthorizationBindings(Interface):
    """Knows what may be done with some entities."""

    def register_authz_bindings(self, authorizer: Any) -> None:
        """Register functions that tell it."""
