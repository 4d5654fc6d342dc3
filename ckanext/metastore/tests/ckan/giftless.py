"""A real Giftless, the Git LFS server, which takes the tokens of a portal."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ckanext.metastore.tests.examples import ROOT, blocks

PYTHON = ROOT / "var" / "giftless" / "bin" / "python"
"""Giftless has an environment of its own, which ``make install`` makes."""

DOCUMENT = ROOT / "docs" / "authorization.rst"
"""It runs with the configuration there, and with paths of its own."""

OPERATORS_KEY = "/etc/giftless/tokens.pub.pem"
OPERATORS_STORAGE = "/var/lib/giftless"

_SERVE = """
import os
from giftless.wsgi_entrypoint import app
from werkzeug.serving import make_server

def limited(environ, start_response, wsgi_app=app.wsgi_app, patience=iter(range(1000))):
    if next(patience, None) is None:
        os._exit(1)
    return wsgi_app(environ, start_response)

app.wsgi_app = limited
server = make_server("127.0.0.1", 0, app, threaded=True)
print(server.port, flush=True)
server.serve_forever()
"""
"""Its patience has an end, as ``git lfs`` has none where a link is refused that it was given."""


class Giftless:
    """A running server.

    :param url: its address
    :param storage: the folder of its files
    """

    def __init__(self, url: str, storage: Path) -> None:
        self.url = url
        self.storage = storage

    def files(self, repository: str) -> dict[str, bytes]:
        """What it has of a repository, by SHA-256."""
        folder = self.storage / repository
        return {path.name: path.read_bytes() for path in folder.iterdir()} if folder.exists() else {}


@contextmanager
def giftless(folder: Path, public_key: Path) -> Iterator[Giftless]:
    """Serve on a free port for as long as the block lasts.

    :param folder: where all its files are
    :param public_key: the key that proves the portal's tokens
    :raises AssertionError: it is not installed, or does not start; says why
    """
    assert PYTHON.exists(), f"There is no {PYTHON}: run make install"
    storage, config, log = folder / "storage", folder / "giftless.yaml", folder / "giftless.log"
    [documented] = blocks(DOCUMENT, "yaml")
    own = documented.text.replace(OPERATORS_KEY, str(public_key)).replace(OPERATORS_STORAGE, str(storage))
    config.write_text(own)
    # The kernel stops it, should we be killed.
    command = ["setpriv", "--pdeathsig", "TERM", str(PYTHON), "-c", _SERVE]
    environment = {**os.environ, "GIFTLESS_CONFIG_FILE": str(config)}
    environment.pop("PYTHONPATH", None)
    with (
        log.open("wb") as output,
        subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=output) as process,
    ):
        try:
            port = process.stdout.readline().decode().strip()
            assert port, f"Giftless does not start: {log.read_text()}"
            yield Giftless(f"http://127.0.0.1:{port}", storage)
        finally:
            process.terminate()
