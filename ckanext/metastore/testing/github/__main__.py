"""Runs the server by itself: ``python -m ckanext.metastore.testing.github --root DIR --port N``."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from ckanext.metastore.testing.github import StandIn


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve until a signal says to stop."""
    options = _parser().parse_args(arguments)
    # Before there is any other thread, so that the signal waits for us.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    with StandIn(options.root, options.port, options.latency, options.host) as github:
        for login in options.user:
            github.add_user(login)
        for organization in options.organization:
            login, _, members = organization.partition(":")
            github.add_organization(login, filter(None, members.split(",")))
        if options.token_file:
            _share_token(github, options.user[0], options.token_file)
        sys.stdout.write(f"GitHub's stand-in: API {github.api_url}, Git {github.git_url}\n")
        sys.stdout.flush()
        signal.sigwait({signal.SIGINT, signal.SIGTERM})


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m ckanext.metastore.testing.github", description=__doc__)
    parser.add_argument("--root", type=Path, required=True, help="the folder that holds everything")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0: any that is free")
    parser.add_argument("--latency", type=float, default=0.0, help="seconds before each answer")
    parser.add_argument("--user", action="append", default=[], help="a login; may be repeated")
    parser.add_argument("--organization", action="append", default=[], help="LOGIN:MEMBER,...; may be repeated")
    parser.add_argument("--token-file", type=Path, help="the first user's token: read from there, or written there")
    return parser


def _share_token(github: StandIn, login: str, path: Path) -> None:
    """Let the token in a file be the user's; where there is no file, make both."""
    if path.exists():
        github.issue_token(login, secret=path.read_text("utf-8").strip())
        return
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(github.issue_token(login) + "\n")


if __name__ == "__main__":
    main()
