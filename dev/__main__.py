"""The command line: ``python3 -m dev COMMAND``."""

import argparse
import os
import sys

from dev import demo, install, peer, run, wheel
from dev.console import Failure
from dev.paths import ROOT, VAR


def main(arguments: list[str]) -> int:
    """Run one command and give its exit status."""
    options = _parser().parse_args(arguments)
    os.environ["LC_ALL"] = "C.UTF-8"  # in LC_ALL=C Java opens no file in a folder named "Städte"
    run.end_on_signals()
    try:
        return options.command(options) or 0
    except Failure as failure:
        print(failure, file=sys.stderr)
        return 1
    except run.Stopped as stopped:
        return 128 + stopped.number


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python3 -m dev", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def add(name: str, text: str) -> argparse.ArgumentParser:
        return commands.add_parser(name, help=text, description=text)

    command = add("install", "install what is missing")
    command.set_defaults(command=lambda _: install.install())

    command = add("run", "run a command with throwaway services")
    _add_durable(command)
    command.add_argument("words", nargs=argparse.REMAINDER, metavar="PROGRAM ...")
    command.set_defaults(command=lambda options: run.with_services(options.words, options.durable))

    command = add("demo", "install, load and serve the demo's portal, until Ctrl-C")
    command.add_argument("--port", type=_port, default=5000, help="CKAN's port (5000)")
    command.add_argument("--backend", default="git", help="where the histories are kept: git, github or service (git)")
    for name in ("PG_PORT", "REDIS_PORT", "SOLR_PORT", "GITHUB_PORT", "SERVICE_PORT"):
        command.add_argument(
            f"--{name.lower().replace('_', '-')}", dest=name, type=_port, help="any free one if left out"
        )
    command.set_defaults(command=_demo)

    command = add("wheel", "build the wheel and try it in fresh environments")
    command.set_defaults(command=lambda _: wheel.test_wheel())

    command = add("peer", "measure against metastore-lib, on the stand-in for GitHub")
    command.set_defaults(command=lambda _: peer.bench())

    command = add("clean", "remove all that was made, the demo's data too")
    command.set_defaults(command=lambda _: demo.clean([VAR, ROOT / "build", ROOT / "dist"]))

    command = add("up", "start throwaway services that stay up")
    _add_durable(command)
    command.set_defaults(command=lambda options: run.up(options.durable))

    command = add("hold", "keep services up until a signal comes (what up runs)")
    _add_durable(command)
    command.set_defaults(command=lambda options: run.hold(options.durable))

    command = add("down", "stop what up started")
    command.set_defaults(command=lambda _: run.down())
    return parser


def _demo(options: argparse.Namespace) -> None:
    ports = {name: value for name, value in vars(options).items() if name.endswith("PORT")}
    demo.demo(options.backend, {"PORT": options.port, **ports})


def _port(text: str) -> int:
    if text.isdecimal() and 0 < int(text) < 65536:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text} is no port: give a number from 1 to 65535")


def _add_durable(command: argparse.ArgumentParser) -> None:
    command.add_argument("--durable", action="store_true", help="data survive a power cut")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
