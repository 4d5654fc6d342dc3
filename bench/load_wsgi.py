"""CKAN for a WSGI server."""

import os
from logging.config import fileConfig

from ckan.cli import load_config
from ckan.config.middleware import make_app

fileConfig(os.environ["CKAN_INI"])
application = make_app(load_config(os.environ["CKAN_INI"]))
