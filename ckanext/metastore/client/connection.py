"""Requests to one service: what httpx raises ends here."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit
from uuid import uuid4

import httpx

from ckanext.metastore.client import answers
from ckanext.metastore.core.errors import Invalid, Unavailable

ATTEMPTS = 2
"""How often a request is sent whose answer gets lost, where that does no harm."""

Query = Mapping[str, Any]

_TOKEN = re.compile(r"[\w.~+/=-]+", re.ASCII)


class Connection:
    """The way to a service.

    :param url: its address
    :param token: a token, or what gives one that is still good
    :param timeout: seconds that may pass without a sign of life
    :raises Invalid: the address is none
    """

    def __init__(self, url: str, *, token: str | Callable[[], str], timeout: float) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise Invalid("url", f"{url!r} is no address of a service; write one like https://metadata.example.org")
        self._token = token
        # It follows no redirect: the token is for this address.
        self._http = httpx.Client(base_url=f"{url.rstrip('/')}/v1/", timeout=timeout)

    def close(self) -> None:
        """Let go of the sockets."""
        self._http.close()

    def send(
        self,
        method: str,
        *path: str,
        query: Query | None = None,
        json: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        """Send a request. A POST has a key, so that it may be sent again where its answer gets lost.

        :param path: the parts of the path, below the version
        :param query: parameters; those that are None are left out
        :raises MetastoreError: what the service says, or that it does not
        """
        again = method in ("GET", "POST")
        request = self._http.build_request(
            method,
            "/".join(quote(part, safe="") for part in path),
            params=_query(query or {}),
            json=json,
            headers={**self._headers(method), **(headers or {})},
        )
        response = self._sent(request, ATTEMPTS if again else 1)
        if not response.is_success:
            raise answers.error(response)
        return response

    def pages(self, *path: str, query: Query | None = None) -> Iterator[Any]:
        """Give the entries of a list, page by page, as far as they are asked for."""
        asked = dict(query or {})
        while True:
            response = self.send("GET", *path, query=asked)
            yield from answers.read(response, list)
            following = response.links.get("next", {}).get("url", "")
            cursor = parse_qs(urlsplit(following).query).get("cursor")
            if not cursor:
                return
            asked["cursor"] = cursor[0]

    def _headers(self, method: str) -> dict[str, str]:
        token = (self._token if isinstance(self._token, str) else self._token()).strip()
        if token and not _TOKEN.fullmatch(token):
            raise Invalid(
                "token", "it holds what no token does; a token is one word of letters, digits, '-', '_' and '.'"
            )
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return {**headers, "Idempotency-Key": str(uuid4())} if method == "POST" else headers

    def _sent(self, request: httpx.Request, attempts: int) -> httpx.Response:
        for attempt in range(1, attempts + 1):
            try:
                answer = self._http.send(request)
                # Where a dataset was moved to: to the same service, or nowhere.
                moved = answer.status_code == 308 and answer.headers.get("Location", "").startswith("/v1/")
                return self._http.send(answer.next_request) if moved and answer.next_request else answer
            except httpx.TimeoutException as error:
                raise Unavailable(f"{request.url.host} does not answer in time") from error
            except httpx.TransportError as error:
                if attempt == attempts:
                    raise Unavailable(f"{request.url.host} does not answer: {error}") from error
        raise AssertionError("unreachable")


def _query(query: Query) -> dict[str, str]:
    written = {True: "true", False: "false"}
    return {
        name: written[value] if isinstance(value, bool) else str(value)
        for name, value in query.items()
        if value is not None
    }
