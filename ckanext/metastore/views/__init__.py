"""The pages. Each module has a blueprint of its own."""

from ckanext.metastore.views import feeds, memento, versions

BLUEPRINTS = [feeds.blueprint, memento.blueprint, versions.blueprint]
