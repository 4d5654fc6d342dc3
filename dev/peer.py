"""Runs the measurement against the peer, which is installed into a virtual environment of its own."""

import os
import shutil
import sys

from dev.console import Job, finish
from dev.paths import LOGS, PEER, ROOT, venv_program
from dev.run import child

REQUIREMENT = "metastore-lib==0.2.0"


def bench() -> int:
    """Install the peer, where it is missing, and measure."""
    _install()
    command = [venv_program("python"), str(ROOT / "bench" / "peer.py"), str(PEER / "bin" / "python")]
    return child(command, os.environ)


def _install() -> None:
    made_from, wanted = PEER / ".made-from", f"{REQUIREMENT} {sys.version}"
    if made_from.exists() and made_from.read_text() == wanted:
        return
    shutil.rmtree(PEER, ignore_errors=True)
    finish(Job("the peer's environment", [sys.executable, "-m", "venv", str(PEER)], LOGS / "peer.log"))
    pip = [str(PEER / "bin" / "python"), "-m", "pip", "install", "--disable-pip-version-check", REQUIREMENT]
    finish(Job("the peer", pip, LOGS / "peer.log"))
    made_from.write_text(wanted)
