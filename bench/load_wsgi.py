"""CKAN for a WSGI server."""

import os
from logging.config import fileConfig

from ckan import authz
from ckan.cli import load_config
from ckan.config.middleware import make_app

fileConfig(os.environ["CKAN_INI"])
application = make_app(load_config(os.environ["CKAN_INI"]))
# CKAN gathers its authorization functions when the first one is asked for; who asks meanwhile, in another thread, is
# told that there is no such function.
authz.auth_functions_list()
