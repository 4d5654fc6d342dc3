"""Nothing shows a token or a key: no process, file, log, error or representation."""

from __future__ import annotations

import logging
import os
import re
import threading
import time
import traceback
from base64 import b64encode
from dataclasses import replace
from functools import partial
from itertools import product
from pathlib import Path

import pytest

from ckanext.metastore.backends.github import credentials
from ckanext.metastore.core.errors import MetastoreError, Unavailable
from ckanext.metastore.core.types import Profile
from ckanext.metastore.testing.contract.base import ADA, DOCUMENT, PACKAGE, titled
from ckanext.metastore.testing.github import Fault

from .conftest import PRIVATE, chain

PROFILE = Profile("city", "trees", "Trees", f"https://data.example/{PACKAGE}")


FAULTS = [
    Fault.bad_credentials,
    Fault.server_error,
    Fault.lost_answer,
    lambda **where: Fault(drop="before", **where),
    lambda **where: Fault(truncate=True, **where),
    lambda **where: Fault.refusal(403, "No", **where),
]


def spellings(token):
    """A secret as it stands in a header, too."""
    basic = b64encode(f"x-access-token:{token}".encode()).decode()
    return [token, basic, b64encode(token.encode()).decode()]


ANY_SECRET = re.compile(rb"gh[ps]_[A-Za-z0-9]{20}|eyJ[A-Za-z0-9_-]+\.eyJ|" + b64encode(b"x-access-token:")[:-1])
"""Whatever begins like a token, an App's signed word or Git's header."""


def assert_clean(text, *tokens):
    text = text if isinstance(text, bytes) else text.encode()
    assert not ANY_SECRET.search(text)
    for token in tokens:
        for spelling in spellings(token):
            assert spelling.encode() not in text


def failing(*calls):
    """All that an error shows: its tracebacks, and what it is chained to, with all their attributes."""
    shown = []
    for call in calls:
        with pytest.raises(MetastoreError) as failure:
            call()
        shown.append("".join(traceback.format_exception(failure.value)))
        for error in chain(failure.value):
            shown.append(f"{error!r} {error} {vars(error)}")
            assert isinstance(error, (MetastoreError, OSError)), error
    return "\n".join(shown)


@pytest.mark.parametrize("kind", ["token", "app"])
def test_errors_logs_and_files(github, node, app, registry, token, tmp_path, caplog, kind):
    for name in ("", "github", "urllib3"):
        caplog.set_level(logging.DEBUG, logger=name)
    backend = node(registry=registry) if kind == "token" else app(registry=registry)
    first = backend.record(PACKAGE, document=DOCUMENT, author=ADA)
    backend.publish(PACKAGE, revisions=[first], public=True, profile=PROFILE)
    second = backend.record(PACKAGE, document=titled("Two"), author=ADA, head=first.head)

    def change(title):
        backend.publish(PACKAGE, revisions=[second], public=True, profile=replace(PROFILE, description=title))

    shown = []
    for number, (fault, where) in enumerate(product(FAULTS, ("rest", "git"))):
        github.fail(fault(kind=where, times=None))
        shown.append(failing(partial(change, f"Trees {number}")))
        github.clear_faults()
    tokens = [token, PRIVATE.splitlines()[1], *(value for value, _ in credentials._app_tokens.values())]
    assert_clean("".join(shown), *tokens)
    assert "PATCH http" in caplog.text  # PyGithub's own words
    assert_clean(caplog.text, *tokens)
    assert_clean(repr(backend) + repr(backend._credentials) + str(vars(backend)), *tokens)
    files = [
        path.read_bytes() for path in (tmp_path / ("node" if kind == "token" else "app")).rglob("*") if path.is_file()
    ]
    assert any(b"[core]" in content for content in files)
    for content in files:
        assert_clean(content, *tokens)


@pytest.mark.parametrize("kind", ["token", "app"])
def test_the_process_list(github, node, app, token, kind):
    backend = node() if kind == "token" else app("node")
    backend.create(PACKAGE, document=DOCUMENT, author=ADA)
    fault = github.fail(Fault(kind="git", path="git-receive-pack$", method="POST", hang=True))
    thread = threading.Thread(target=_update, args=(backend,))
    thread.start()
    while not fault.hits:
        time.sleep(0.01)
    tokens = [token, *(value for value, _ in credentials._app_tokens.values())]
    commands = [_read(folder / "cmdline") for folder in Path("/proc").glob("[0-9]*")]
    ours = [command for command in commands if github.git_url.encode() in command]
    assert len(ours) >= 2  # git, and what it started
    assert_clean(b"".join(commands), *tokens)
    # The program gets it by its environment, which nobody else may read.
    environments = [folder / "environ" for folder in Path("/proc").glob("[0-9]*") if _is_ours(folder, github)]
    assert environments
    for environment in environments:
        assert environment.stat().st_uid == os.getuid()
        assert environment.stat().st_mode & 0o077 == 0
    github.clear_faults()
    thread.join()


def _is_ours(folder, github):
    return github.git_url.encode() in _read(folder / "cmdline")


def _read(path):
    try:
        return path.read_bytes()
    except OSError:
        return b""


def _update(backend):
    with pytest.raises(Unavailable):
        backend.update(PACKAGE, document=titled("Two"), author=ADA)


def test_another_host_never_hears_it(github, node, tmp_path):
    """Who answers for the repository leads the program elsewhere."""
    from ckanext.metastore.testing.github import StandIn

    backend = node(registry=None)
    backend.create(PACKAGE, document=DOCUMENT, author=ADA)
    with StandIn(tmp_path / "elsewhere", host="localhost") as elsewhere:
        elsewhere.add_organization("city")
        heard = []
        application = elsewhere._server.app

        def listen(environ, start_response):
            heard.append(environ)
            return application(environ, start_response)

        elsewhere._server.app = listen
        target = {"Location": f"http://localhost:{elsewhere.port}/city/x.git/info/refs?service=git-receive-pack"}
        github.fail(Fault(status=301, body="", headers=target, kind="git", method="GET", times=None))
        followed = backend._remote(PACKAGE)
        object.__setattr__(followed, "follows", True)
        with pytest.raises(MetastoreError):
            followed.fetch(backend.repository_path(PACKAGE), ["+refs/heads/*:refs/x/*"])
    assert heard == []
