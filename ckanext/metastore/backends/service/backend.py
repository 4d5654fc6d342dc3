"""The ``service`` backend: its options, and what they make."""

from __future__ import annotations

import os

from ckanext.metastore.backends.hosted import HostedBackend
from ckanext.metastore.backends.hosted.backend import checked_url
from ckanext.metastore.backends.service.host import ServiceHost
from ckanext.metastore.backends.service.signing import Signing
from ckanext.metastore.core.backend import Registry
from ckanext.metastore.core.errors import Invalid
from ckanext.metastore.core.types import Site

OWNER = "no.organization"
"""No organization of CKAN's can be called so, and none of its editors' tokens be about it."""
AUDIENCE = "metastore"


class ServiceBackend(HostedBackend):
    """Histories at a stand-alone metastore service, as its mirrors.

    :param path: the folder of the copies; all of it may be lost at any time
    :param url: the service's address
    :param owner: who owns the mirrors there, where a profile names none
    :param private_key: the key that signs our tokens, as PEM; wins over the file
    :param issuer: who issues them, as the service knows us; its own address, where it accepts its own tokens only
    :param audience: whom they are for: the service's ``tokens_audience``
    :param timeout: seconds that one call may take for all that it asks of the service
    :param purge: ``"delete"`` or ``"archive"``: what becomes of the mirror of a purged package
    :param registry: where is kept which mirror is which package's. Without one, a package's mirror is the one that has
        the package's id in its name
    :raises Invalid: an option is wrong, or missing
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        url: str,
        owner: str = OWNER,
        private_key: str = "",
        private_key_file: str = "",
        issuer: str = "",
        audience: str = AUDIENCE,
        timeout: float = 10.0,
        purge: str = "delete",
        registry: Registry | None = None,
        site: Site | None = None,
        branch: str = "main",
    ) -> None:
        if not url:
            raise Invalid("service.url", "is missing: give the service's address")
        url = checked_url("service.url", url)
        signing = Signing(private_key, private_key_file, issuer or url, audience)
        signing.check()
        super().__init__(
            path,
            host=ServiceHost(url, signing, timeout),
            credentials=signing,
            owner=owner,
            timeout=timeout,
            purge=purge,
            registry=registry,
            site=site,
            branch=branch,
        )
