"""The portal on which README.rst plays: a server on loopback, its people, and a shell to call it from."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path
from threading import Thread
from types import MappingProxyType
from typing import Any
from unittest.mock import patch

import ckan.plugins as p
from ckan import model
from ckan.cli import CKANConfigLoader
from ckan.common import config_declaration
from ckan.exceptions import CkanConfigurationException
from ckan.lib import api_token
from ckan.tests import factories, helpers
from ckanapi import RemoteCKAN
from ckanapi.cli import main as ckanapi
from ckanapi.cli.action import action
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from docopt import docopt
from werkzeug.serving import make_server

from ckanext.metastore import config
from ckanext.metastore.authz import generate_private_key
from ckanext.metastore.service import Settings, create_app
from ckanext.metastore.testing.github import StandIn
from ckanext.metastore.tests.examples import Block, Command, StandIns, commands
from ckanext.metastore.tests.service.server import free_port

URL = "https://data.example.org"
INI = "/etc/ckan/default/ckan.ini"
APP_KEY = "/etc/ckan/github-app.pem"
TOKEN_KEYS = "/etc/ckan/tokens"
AUTHZ = "metastore_authz"
FOLDERS = ("/var/lib/ckan", "/srv")
METADATA = "https://metadata.example.org"


@contextmanager
def served(flask_app: Any, port: int = 0) -> Iterator[str]:
    """A server for as long as the block lasts; gives its address."""
    server = make_server("127.0.0.1", port, flask_app, threaded=True)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.port}"
    finally:
        server.shutdown()
        thread.join()


class Metadata:
    """The metastore service of the manual, which takes the portal's tokens.

    It has their key by a file: the portal of the manual gets the plugin that serves it only after it was started. That
    the key is fetched is tested in ``test_service_host.py``.
    """

    def __init__(self, folder: Path, running: ExitStack) -> None:
        self._folder, self._running, self._port = folder, running, free_port()
        self.url = f"http://127.0.0.1:{self._port}"
        key = folder / "keys" / "tokens.pem"
        key.parent.mkdir(parents=True)
        key.write_text(generate_private_key())
        self._started = False

    def start(self, public_key: str) -> None:
        """Start it, if it does not run."""
        if not self._started:
            settings = Settings(
                path=self._folder,
                url=self.url,
                tokens_issuer=URL,
                tokens_public_key_file=public_key,
                tokens_lifetime=900,
            )
            app = create_app(settings)
            self._running.enter_context(served(app, self._port))
            self._started = True


class Portal:
    """The portal of README.rst.

    :param address: where it is served
    :param folder: in which all its files are
    :param github: what stands for github.com, and for an Enterprise Server
    :param metadata: the metastore service, which is started when an option names it
    :param options: CKAN's configuration; what is set there is taken back by the caller
    :param clock: stands still, but for a week between two blocks
    """

    def __init__(
        self, address: str, folder: Path, github: StandIn, metadata: Metadata, options: Any, clock: Any
    ) -> None:
        self._folder, self._metadata, self._options, self._clock = folder, metadata, options, clock
        self._tokens = {"EDDA": _token("edda"), "RAVI": _token("ravi"), "ADMIN": _token("admin")}
        self._environment = {**os.environ, **self._tokens, "GIT_ASKPASS": str(_who_asks(folder))}
        self._stand_ins = StandIns(
            {
                URL: address,
                INI: shlex.quote(os.environ["CKAN_INI"]),
                APP_KEY: f"{folder}/github-app.pem",
                TOKEN_KEYS: f"{folder}/tokens",
                "https://api.github.com": github.api_url,
                "https://github.com": github.git_url,
                "https://github.example.org": github.git_url,
                METADATA: metadata.url,
                **{at: f"{folder}{at}" for at in FOLDERS},
            }
        )
        _at_github(github, Path(self._stand_ins.real(APP_KEY)))
        self._complaint = ""
        self._words: set[str] = set()
        self.options: set[str] = set()
        self._start("")

    def play(self, block: Block) -> None:
        """Do what a block says, and look whether it comes out as shown."""
        self._clock.tick(timedelta(weeks=1))
        assert block.language == "text" or not self._complaint, f"CKAN says: {self._complaint}"
        if block.language == "ini":
            self._start(block.text)
        elif block.language == "bash":
            self._start("", dict(re.findall(r"^export (\w+)=(.+)$", block.text, re.MULTILINE)))
        elif block.language == "text":
            assert self._stand_ins.agree(block.text, self._complaint), f"CKAN says: {self._complaint}"
            self._start("")
        elif block.language == "python":
            self._words |= set(re.findall(r"\w+", block.text))
            exec(compile(self._stand_ins.real(block.text), "README.rst", "exec"), {})
        else:
            for command in commands(block.text):
                self._run(command)

    def used(self, names: Iterable[str]) -> set[str]:
        """Those of the names that the commands have used."""
        return self._words.intersection(names)

    def _run(self, command: Command) -> None:
        self._words |= set(re.findall(r"\w+", command.words))
        answer = self._answer(command.words)
        agreed = not command.shown or self._stand_ins.agree(command.shown, answer)
        assert agreed, f"$ {command.words}\n\n--- shown:\n{command.shown}\n\n--- answered:\n{answer}"

    def _answer(self, words: str) -> str:
        """What a command prints. It must succeed."""
        words = self._stand_ins.real(words)
        program, *arguments = shlex.split(words.replace("\\\n", ""))
        if program == "ckanapi":
            return self._ckanapi(arguments)
        model.Session.remove()
        told = {"CKAN_SITE_URL": URL, **self._told()} if program == "ckan" else {}
        environment = {**self._environment, **told}
        done = subprocess.run(
            ["bash", "-c", words], env=environment, cwd=self._folder, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"$ {words}\n{done.stdout}{done.stderr}"
        return done.stdout

    def _told(self) -> dict[str, str]:
        """Our options as they are now, for a CKAN of its own."""
        options = {str(key): self._options.get(str(key)) for key in config_declaration.iter_options()}
        return {
            key.upper().replace(".", "__"): " ".join(value) if isinstance(value, list) else str(value)
            for key, value in options.items()
            if key.startswith(config.PREFIX) and value not in (None, "")
        } | {"CKANEXT__METASTORE__PATH": config.path()}

    def _ckanapi(self, arguments: list[str]) -> str:
        """Do as the program does, which takes seconds to start; as Edda, where nobody else is named."""
        if "-a" not in arguments:
            arguments += ["-r", self._stand_ins.real(URL), "-a", "$EDDA"]
        parsed = docopt(ckanapi.__doc__, arguments)
        token = self._tokens[parsed["--apikey"].strip("$")]
        remote = RemoteCKAN(parsed["--remote"], apikey=token, get_only=parsed["--get-request"])
        return b"".join(action(remote, parsed)).decode()

    def _start(self, ini: str, environment: Mapping[str, str] = MappingProxyType({})) -> None:
        """Start CKAN anew, as far as this extension goes, with these options of it and no others."""
        file = self._folder / "ckan.ini"
        file.write_text(self._stand_ins.real(f"[app:main]\n{ini}\n"))
        given = CKANConfigLoader(str(file)).get_config()
        with patch.dict(os.environ, {name: self._stand_ins.real(value) for name, value in environment.items()}):
            config.read_environment(given)
        issues_tokens = AUTHZ in given.get("ckan.plugins", "").split()
        if p.plugin_loaded(AUTHZ) and not issues_tokens:
            p.unload(AUTHZ)
        for key in config_declaration.iter_options():
            if str(key).startswith(config.PREFIX):
                option = config_declaration[key]
                default = option.default
                usual = self._stand_ins.real(default) if isinstance(default, str) else default
                self._options[str(key)] = option.normalize(given.get(str(key), usual))
        self.options |= {key for key in given if key.startswith(config.PREFIX)}
        self._options.update({key: given[key] for key in given if key.startswith(config.AUTHZ_PREFIX)})
        if issues_tokens and not p.plugin_loaded(AUTHZ):
            p.load(AUTHZ)
        self._complaint = ""
        try:
            config.check()
        except CkanConfigurationException as error:
            self._complaint = str(error)
        if METADATA in ini:
            self._metadata.start(f"{self._stand_ins.real(TOKEN_KEYS)}.pub.pem")


def _who_asks(folder: Path) -> Path:
    """A program that tells git a token, as the reader's own would."""
    program = folder / "who-asks"
    program.write_text("#!/bin/sh\necho ghp_yours\n")
    program.chmod(0o700)
    return program


def people() -> None:
    """The accounts and organizations that are there before README.rst begins."""
    factories.User(name="edda", fullname="Edda Ito", email="edda@parks.example.org")
    factories.User(name="ravi", fullname="Ravi Mehta", email="ravi@parks.example.org")
    factories.Sysadmin(name="admin", fullname="Ada Okafor", email="ada@example.org")
    editors = [{"name": name, "capacity": "editor"} for name in ("edda", "ravi")]
    factories.Organization(name="parks", title="Parks and Trees", users=editors)
    factories.Organization(name="transport", title="Transport", users=editors)


def _at_github(github: StandIn, app_key: Path) -> None:
    """Let there be the accounts, tokens and the App that README.rst speaks of."""
    github.add_user("portal")
    for owner in ("my-city", "my-city-parks"):
        github.add_organization(owner, members=["portal"])
    for token in ("github_pat_yours", "ghp_yours"):
        github.issue_token("portal", secret=token)
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    app_key.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()))
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    github.add_app(123456, public.decode(), 7890123, "my-city")


def before_the_plugin(clock: Any) -> None:
    """A dataset that is there before the plugin is: Edda has made it, and Ravi has changed it a week later."""
    resource = {"name": "Bus stops", "url": "https://example.org/stops.csv", "format": "CSV"}
    dataset = {"name": "bus-stops", "title": "Bus stops", "owner_org": "transport", "resources": [resource]}
    p.load("activity")
    helpers.call_action("package_create", {"user": "edda"}, **dataset)
    clock.tick(timedelta(weeks=1))
    helpers.call_action("package_patch", {"user": "ravi"}, id="bus-stops", notes="Every stop.")
    p.unload("activity")


def _token(user: str) -> str:
    """An API token that does not say when it was made: by the clock on the wall, that would be in the future."""
    row = model.ApiToken(user_id=model.User.get(user).id, name="README.rst")
    model.Session.add(row)
    model.Session.commit()
    return str(api_token.encode({"jti": row.id}))
