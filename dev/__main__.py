"""The command line: ``python3 -m dev COMMAND``."""

import argparse
import sys

from dev import install, run
from dev.console import Failure


def main(arguments: list[str]) -> int:
    """Run one command and give its exit status."""
    options = _parser().parse_args(arguments)
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

    command = add("up", "start throwaway services that stay up")
    _add_durable(command)
    command.set_defaults(command=lambda options: run.up(options.durable))

    command = add("hold", "keep services up until a signal comes (what up runs)")
    _add_durable(command)
    command.set_defaults(command=lambda options: run.hold(options.durable))

    command = add("down", "stop what up started")
    command.set_defaults(command=lambda _: run.down())
    return parser


def _add_durable(command: argparse.ArgumentParser) -> None:
    command.add_argument("--durable", action="store_true", help="data survive a power cut")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
