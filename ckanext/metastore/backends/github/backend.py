"""The ``github`` backend: its options, and what they make."""

from __future__ import annotations

import os

from ckanext.metastore.backends.github.credentials import credentials
from ckanext.metastore.backends.github.repositories import Repositories
from ckanext.metastore.backends.hosted import HostedBackend
from ckanext.metastore.backends.hosted.backend import checked_url
from ckanext.metastore.core.backend import Registry
from ckanext.metastore.core.types import Site

API_URL = "https://api.github.com"
GIT_URL = "https://github.com"


class GitHubBackend(HostedBackend):
    """Histories at GitHub.

    :param path: the folder of the copies; all of it may be lost at any time
    :param owner: the user or organization that owns the repositories, where a profile names none
    :param token: a personal access token; or ``app_id``, ``app_private_key_file`` and ``app_installation_id``
    :param api_url: where GitHub's API is; an Enterprise Server has it at ``https://<host>/api/v3``
    :param git_url: what stands before ``/<owner>/<name>.git``
    :param timeout: seconds that one call may take for all that it asks of GitHub
    :param purge: ``"delete"`` or ``"archive"``: what becomes of the repository of a purged package
    :param registry: where is kept which repository is which package's. Without one, a package's repository is the one
        that has the package's id for its name
    :raises Invalid: an option is wrong, or missing
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        owner: str,
        token: str = "",
        app_id: str = "",
        app_private_key_file: str = "",
        app_installation_id: str = "",
        api_url: str = API_URL,
        git_url: str = GIT_URL,
        timeout: float = 10.0,
        purge: str = "delete",
        registry: Registry | None = None,
        site: Site | None = None,
        branch: str = "main",
    ) -> None:
        api_url = checked_url("github.api_url", api_url)
        git_url = checked_url("github.git_url", git_url)
        proof = credentials(token, app_id, app_private_key_file, app_installation_id, api_url, timeout)
        super().__init__(
            path,
            host=Repositories(api_url, git_url, proof, timeout),
            credentials=proof,
            owner=owner,
            timeout=timeout,
            purge=purge,
            registry=registry,
            site=site,
            branch=branch,
        )
