"""The server itself, and what tests ask of it."""

from __future__ import annotations

import json
import logging
import threading
from base64 import b64encode
from collections.abc import Callable, Iterable
from http import HTTPStatus
from http.client import HTTPConnection
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import quote

from werkzeug.serving import WSGIRequestHandler, make_server

from ckanext.metastore.testing.github.accounts import PERMISSIONS, App, Token, in_seconds, now
from ckanext.metastore.testing.github.deliveries import Delivery
from ckanext.metastore.testing.github.faults import Fault, Faults
from ckanext.metastore.testing.github.front import Front
from ckanext.metastore.testing.github.log import Exchange, Log, Request
from ckanext.metastore.testing.github.repositories import Repository
from ckanext.metastore.testing.github.rest import create_app
from ckanext.metastore.testing.github.rest.routes import PREFIX
from ckanext.metastore.testing.github.smart_http import SmartHttp
from ckanext.metastore.testing.github.world import HOUR, World

_DELIVERY_PATIENCE = 15.0


class _QuietHandler(WSGIRequestHandler):
    """Says nothing on the terminal: there is a log of our own."""

    def log(self, _type: str, message: str, *args: object) -> None:
        """Keep it to the developers."""
        logging.getLogger(__name__).debug(message, *args)


class StandIn:
    """A small GitHub of one's own: REST below ``api_url``, Git below ``git_url``.

    ::

        with StandIn(tmp_path) as github:
            github.add_user("ada")
            token = github.issue_token("ada")

    :ivar host: where it listens
    :ivar port: at which port
    """

    def __init__(self, root: Path, port: int = 0, latency: float = 0.0, host: str = "127.0.0.1") -> None:
        """Open what is in the folder, and take the port.

        :param root: the folder that holds everything; may be one of a server that has ended
        :param port: 0: any that is free
        :param latency: seconds before each answer
        """
        self._world = World(root)
        self._log = Log()
        self._faults = Faults()
        git = SmartHttp(self._world)
        self._front = Front(create_app(self._world), git, self._log, self._faults, latency)
        self._stop_children = git.stop
        self._server = make_server(host, port, self._front, threaded=True, request_handler=_QuietHandler)
        self.host, self.port = host, int(self._server.port)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    def __enter__(self) -> StandIn:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def stop(self) -> None:
        """End; who still waits for an answer gets none."""
        self._front.stopping.set()
        self._stop_children()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        self._world.close()

    @property
    def git_url(self) -> str:
        """Where ``/owner/name.git`` lies."""
        return f"http://{self.host}:{self.port}"

    @property
    def api_url(self) -> str:
        """PyGithub's ``base_url``."""
        return self.git_url + PREFIX

    def add_user(self, login: str) -> None:
        """Let there be a person."""
        self._world.accounts.add(login, "User")

    def add_organization(self, login: str, members: Iterable[str] = ()) -> None:
        """Let there be an organization. Its members may do everything in it; added again, it has these members."""
        self._world.accounts.add(login, "Organization", members)

    def issue_token(
        self,
        login: str,
        scopes: Iterable[str] = PERMISSIONS,
        *,
        seconds: float | None = None,
        secret: str | None = None,
    ) -> str:
        """Give somebody a personal access token.

        :param scopes: of ``administration``, ``contents``, ``repository_hooks``, ``statuses``; all of them if not given
        :param seconds: how long it lives, or ``None``: until it is revoked
        :param secret: the token, where it is chosen already
        """
        expires_at = None if seconds is None else in_seconds(seconds)
        token = Token(self._world.accounts.get(login).login, frozenset(scopes) | {"metadata"}, expires_at=expires_at)
        if secret is None:
            return self._world.accounts.issue("ghp_", token)
        self._world.accounts.add_token(secret, token)
        return secret

    def revoke_token(self, token: str) -> None:
        """Make a token worthless."""
        self._world.accounts.revoke(token)

    def add_app(self, app_id: int, public_key_pem: str, installation_id: int, account: str) -> None:
        """Let there be a GitHub App that is installed for all of an account's repositories."""
        app = App(app_id, f"app-{app_id}", public_key_pem, installation_id, account, now())
        self._world.accounts.add_app(app)

    def set_installation_token_lifetime(self, seconds: float = HOUR) -> None:
        """Let the tokens that Apps are given from now on live for so long."""
        self._world.installation_seconds = seconds

    def repository(self, name: str | int) -> Repository:
        """Give what the server holds under ``owner/name``, or a name from before, or a number.

        :raises Problem: 404: nothing
        """
        if isinstance(name, int):
            return self._world.repositories.get(name)
        return self._world.repositories.find(name)[0]

    def set_hook(self, name: str, script: str | None) -> None:
        """Let a program judge each push, as ``pre-receive`` does; its standard error reaches who pushes.

        :param script: with a ``#!`` line; ``None``: no more
        """
        path = self._world.custom_hook(self.repository(name))
        path.unlink(missing_ok=True)
        if script is not None:
            path.parent.mkdir(exist_ok=True)
            path.write_text(script, "utf-8")
            path.chmod(0o755)

    def protect(self, name: str, branch: str, *, only_force: bool = False) -> None:
        """Let nobody push to a branch.

        :param only_force: plain pushes are welcome; forced ones and deletion are not
        """
        repository = self.repository(name)
        protected = {**repository.protected, branch: only_force}
        self._world.repositories.change(repository.id, protected=protected)

    def unprotect(self, name: str, branch: str) -> None:
        """Let everybody push to it again who may push."""
        repository = self.repository(name)
        rest = {other: kind for other, kind in repository.protected.items() if other != branch}
        self._world.repositories.change(repository.id, protected=rest)

    @property
    def requests(self) -> list[Request]:
        """What was asked, oldest first."""
        return self._log.all()

    def forget_requests(self) -> None:
        """Begin to count anew."""
        self._log.forget()

    @property
    def pushes(self) -> int:
        """How many packs came in."""
        return sum(request.is_push for request in self.requests)

    @property
    def fetches(self) -> int:
        """How many fetches, clones and listings of refs there were."""
        return sum(request.is_fetch for request in self.requests)

    @property
    def latency(self) -> float:
        """Seconds before each answer."""
        return self._front.latency

    @latency.setter
    def latency(self, seconds: float) -> None:
        self._front.latency = seconds

    def fail(self, fault: Fault) -> Fault:
        """Let something go wrong; the fault then knows which requests it met."""
        self._faults.add(fault)
        return fault

    def clear_faults(self) -> None:
        """Let all go well, and let go of those who hang."""
        self._faults.clear()

    @property
    def deliveries(self) -> list[Delivery]:
        """What webhooks were sent, and what they have answered; waits for those that are on their way."""
        self._world.deliveries.wait(_DELIVERY_PATIENCE)
        return self._world.deliveries.all()

    def redeliver(self, delivery: Delivery) -> None:
        """Send again what was sent, as somebody can who clicks on *Redeliver*."""
        self._world.deliveries.send(delivery)

    def add_organization_hook(self, login: str, url: str, *, secret: str = "", content_type: str = "json") -> None:
        """Let an organization have a webhook for pushes to any of its repositories."""
        number = self._world.store.next_number()
        config = {"url": url, "secret": secret, "content_type": content_type}
        hook = {"login": login, "active": True, "events": ["push"], "config": config}
        self._world.store.put("organization-hook", str(number), hook)

    def put_file(self, name: str, path: str, content: bytes, *, token: str, message: str = "Edit") -> str:
        """Write a file to the default branch, as somebody does in GitHub's pages.

        :param name: ``owner/name``
        :returns: the commit's sha
        """
        address = f"/repos/{name}/contents/{quote(path)}"
        there = self._ask("GET", address, token)
        known = {"sha": there["sha"]} if there else {}
        sent = {"message": message, "content": b64encode(content).decode(), **known}
        sha: str = (self._ask("PUT", address, token, sent) or {})["commit"]["sha"]
        return sha

    def _ask(self, method: str, path: str, token: str, body: object = None) -> dict[str, Any] | None:
        """Ask the REST API; ``None`` where there is nothing."""
        connection = HTTPConnection(self.host, self.port)
        try:
            sent = None if body is None else json.dumps(body)
            connection.request(method, f"{PREFIX}{path}", sent, {"Authorization": f"Bearer {token}"})
            response = connection.getresponse()
            value: dict[str, Any] = json.loads(response.read())
        finally:
            connection.close()
        if response.status == HTTPStatus.NOT_FOUND and body is None:
            return None
        assert response.status < HTTPStatus.BAD_REQUEST, value
        return value

    def observe(self, observer: Callable[[Exchange], None]) -> None:
        """Show somebody each REST request with its answer, on the thread that answers and before it does."""
        self._log.observers.append(observer)
