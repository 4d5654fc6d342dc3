"""The pages. Each module of theirs adds to a blueprint when it is imported."""

from ckanext.metastore.views import (
    admin,
    feeds,
    memento,
    merging,
    naming,
    past,
    restoring,
    settling,
    versions,
    webhook,
)
from ckanext.metastore.views.base import blueprint

__all__ = [
    "BLUEPRINTS",
    "admin",
    "feeds",
    "memento",
    "merging",
    "naming",
    "past",
    "restoring",
    "settling",
    "versions",
]

BLUEPRINTS = [blueprint, admin.blueprint, webhook.blueprint]
