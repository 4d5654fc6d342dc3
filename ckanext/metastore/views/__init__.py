"""The pages. Each module of theirs adds to a blueprint when it is imported."""

from ckanext.metastore.views import feeds, memento, past, versions, webhook
from ckanext.metastore.views.base import blueprint

__all__ = ["BLUEPRINTS", "feeds", "memento", "past", "versions"]

BLUEPRINTS = [blueprint, webhook.blueprint]
