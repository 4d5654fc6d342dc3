"""README.rst's five minutes with the service, played by a shell: every command does what is shown."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from ckanext.metastore.tests.examples import README, SERVICE, StandIns, blocks, commands
from ckanext.metastore.tests.service.server import free_port

END = "--- end ---"


class Shell:
    """One bash for all commands, which keeps its variables, its folder and its background jobs."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self._bash = subprocess.Popen(
            ["bash"],
            cwd=folder,
            env={**os.environ, **environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def run(self, words: str) -> str:
        """What a command prints. It must succeed."""
        assert self._bash.stdin
        assert self._bash.stdout
        self._bash.stdin.write(f"{words}\necho; echo '{END}' $?\n")
        self._bash.stdin.flush()
        lines: list[str] = []
        for line in self._bash.stdout:
            if line.startswith(END):
                printed = "".join(lines).removesuffix("\n")
                assert line.split()[-1] == "0", f"$ {words}\n{printed}"
                return printed
            lines.append(line)
        raise AssertionError(f"$ {words}\nthe shell is gone: {''.join(lines)}")

    def end(self) -> None:
        """End it, and what it has started."""
        os.killpg(self._bash.pid, signal.SIGTERM)
        self._bash.communicate(timeout=30)


@pytest.fixture
def programs(tmp_path):
    """A folder with this checkout's ``metastore``, for the path."""
    folder = tmp_path / "bin"
    folder.mkdir()
    code = "from ckanext.metastore.command import metastore; metastore()"
    (folder / "metastore").write_text(f'#!/bin/sh\nexec {shlex.join([sys.executable, "-c", code])} "$@"\n')
    (folder / "metastore").chmod(0o755)
    return folder


@pytest.fixture
def shell(programs, tmp_path):
    port = free_port()
    environment = {
        "PATH": f"{programs}:{os.environ['PATH']}",
        "METASTORE_SERVE_PORT": str(port),
        "METASTORE_URL": f"http://127.0.0.1:{port}",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_TERMINAL_PROMPT": "0",
    }
    shell = Shell(tmp_path, environment)
    yield shell, StandIns({"127.0.0.1:5080": f"127.0.0.1:{port}", "/srv": str(tmp_path)})
    shell.end()


def test_five_minutes_with_the_service(shell, tmp_path):
    bash, stand_ins = shell
    played = [block for block in blocks(README, "console", "python") if block.section == SERVICE]
    assert played
    for block in played:
        if block.language == "python":
            (tmp_path / "example.py").write_text(stand_ins.real(block.text))
            bash.run(shlex.join([sys.executable, str(tmp_path / "example.py")]))
            continue
        for command in commands(block.text):
            answer = bash.run(stand_ins.real(command.words))
            agreed = not command.shown or stand_ins.agree(command.shown, answer)
            assert agreed, f"$ {command.words}\n\n--- shown:\n{command.shown}\n\n--- answered:\n{answer}"
