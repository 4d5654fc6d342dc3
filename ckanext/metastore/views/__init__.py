"""The pages. Each module has a blueprint of its own."""

from ckanext.metastore.views import versions

BLUEPRINTS = [versions.blueprint]
