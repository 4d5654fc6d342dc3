"""No start with a wrong or missing option."""

from __future__ import annotations

import os
from math import inf
from pathlib import Path

from ckan.exceptions import CkanConfigurationException

from ckanext.metastore.config.backends import backend, github_owners
from ckanext.metastore.config.options import PREFIX, dataset_types, lfs_url, option, path, publish_timeout
from ckanext.metastore.core import Invalid, InvalidName, MetastoreError
from ckanext.metastore.core.lfs import check_lfs_url
from ckanext.metastore.core.names import check_branch

AUTHOR_MODES = ("masked", "real", "pseudonym")
PURGES = ("delete", "archive")
PUBLISHES = ("inline", "background")


def check() -> None:
    """Refuse to start on a wrong or missing option, with a sentence that says which and why.

    :raises CkanConfigurationException: an option is wrong
    """
    try:
        check_branch(option("branch"))
        if option("author") not in AUTHOR_MODES:
            raise Invalid(f"{PREFIX}author", f"is {option('author')!r}; it must be one of {', '.join(AUTHOR_MODES)}")
        if not dataset_types():
            raise Invalid(f"{PREFIX}dataset_types", "is empty; name at least one dataset type, such as dataset")
        if lfs_url():
            check_lfs_url(lfs_url())
        _check_folder(path())
        _check_publishing()
        github_owners()
        backend()
    except (Invalid, InvalidName) as error:
        raise CkanConfigurationException(f"{PREFIX}{error.field.removeprefix(PREFIX)}: {error.reason}") from error
    except MetastoreError as error:
        raise CkanConfigurationException(f"{PREFIX}backend: {error}") from error


def _check_publishing() -> None:
    try:
        seconds = publish_timeout()
    except (TypeError, ValueError):
        seconds = 0.0
    if not 0 < seconds < inf:
        raise Invalid("publish_timeout", f"is {option('publish_timeout')!r}; it must be a number of seconds above 0")
    for name, values in (("publish", PUBLISHES), ("purge", PURGES)):
        if option(name) not in values:
            raise Invalid(name, f"is {option(name)!r}; it must be one of {', '.join(values)}")


def _check_folder(folder: str) -> None:
    try:
        Path(folder).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Invalid(f"{PREFIX}path", f"the folder {folder} cannot be made: {error.strerror}") from error
    if not os.access(folder, os.W_OK | os.X_OK):
        raise Invalid(f"{PREFIX}path", f"the folder {folder} cannot be written to by this user")
