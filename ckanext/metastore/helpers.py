"""What templates may ask. Each helper's name begins with ``metastore_``."""

from __future__ import annotations

from typing import Any

__all__ = ["metastore_version_count"]


def metastore_version_count(dataset: dict[str, Any]) -> int:
    """How many versions of a dataset whoever looks may see; 0 where it has no history."""
    return 0
