"""The metastore as a REST service that needs no CKAN; ``metastore serve`` runs it."""

from ckanext.metastore.service.app import create_app
from ckanext.metastore.service.settings import Settings

__all__ = ["Settings", "create_app"]
