"""The hooks that refuse a push as GitHub does. Run as a script: standard library only, nothing of ours."""

from __future__ import annotations

import configparser
import os
import subprocess
import sys
from collections.abc import Iterator
from typing import NamedTuple

OWN_SCRIPT = "STANDIN_OWN_SCRIPT"
PROTECTED = "STANDIN_PROTECTED"

_NOTHING = "0" * 40
_POINTER = b"version https://git-lfs.github.com/spec/v1\n"
_POINTER_SIZE = 1024


class Command(NamedTuple):
    """One ref that is to change."""

    old: str
    new: str
    ref: str


def git(*arguments: str, stdin: bytes = b"") -> bytes:
    """Run ``git`` in the repository that is pushed to."""
    return subprocess.run(["git", *arguments], input=stdin, stdout=subprocess.PIPE, check=True).stdout


def say(line: str) -> None:
    """Tell who pushes."""
    sys.stderr.write(f"{line}\n")


def pre_receive() -> int:
    """Look at the whole push before any of it is taken."""
    text = sys.stdin.read()
    commands = [Command(*line.split(" ", 2)) for line in text.splitlines()]
    own = os.environ.get(OWN_SCRIPT)
    if own and subprocess.run([own], input=text.encode(), check=False).returncode != 0:
        return 1
    tips = [command.new for command in commands if command.new != _NOTHING]
    if tips and (unknown := unknown_lfs_objects(tips)):
        count = len(unknown)
        say(f"error: GH008: Your push referenced at least {count} unknown Git LFS object(s):")
        for oid in unknown[:5]:
            say(f"    {oid}")
        say("Try to push them with 'git lfs push --all'.")
        return 1
    return 0


def unknown_lfs_objects(tips: list[str]) -> list[str]:
    """List the objects that new pointers speak of. There is no LFS store here, so each of them is unknown."""
    if any(names_other_server(tip) for tip in tips):
        return []
    listed = git("rev-list", "--objects", *tips, "--not", "--all")
    ids = b"".join(line.split(b" ", 1)[0] + b"\n" for line in listed.splitlines())
    kinds = git("cat-file", "--batch-check=%(objectname) %(objecttype) %(objectsize)", stdin=ids).splitlines()
    small = [line.split()[0] for line in kinds if line.split()[1] == b"blob" and int(line.split()[2]) < _POINTER_SIZE]
    contents = git("cat-file", "--batch", stdin=b"".join(oid + b"\n" for oid in small))
    lines = contents.split(_POINTER)[1:]
    return [line.split(b"sha256:", 1)[1][:64].decode() for line in lines if b"sha256:" in line]


def names_other_server(tip: str) -> bool:
    """Tell whether the root's ``.lfsconfig`` sends LFS elsewhere."""
    result = subprocess.run(["git", "cat-file", "blob", f"{tip}:.lfsconfig"], capture_output=True, check=False)
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    try:
        parser.read_string("\n".join(line.strip() for line in result.stdout.decode().splitlines()))
    except (configparser.Error, UnicodeDecodeError):
        return False
    return parser.has_option("lfs", "url")


def proc_receive() -> int:
    """Answer for the protected branches, so that the refusal has GitHub's words: a plain hook cannot choose them."""
    list(packets())
    send(b"version=1\0\n")
    send(None)
    commands = [Command(*line.decode().strip().split(" ", 2)) for line in packets()]
    for command in commands:
        reason = objection(command)
        if reason is None:
            send(f"ok {command.ref}\n".encode())
            send(b"option fall-through\n")
            continue
        say(f"error: GH006: Protected branch update failed for {command.ref}.")
        say(f"error: {reason}")
        send(f"ng {command.ref} protected branch hook declined\n".encode())
    send(None)
    return 0


def objection(command: Command) -> str | None:
    """Say why the branch must stay as it is."""
    entries = [entry.partition(":") for entry in os.environ.get(PROTECTED, "").split()]
    kind = {branch: kind for kind, _, branch in entries}.get(command.ref.removeprefix("refs/heads/"))
    if kind == "all":
        return "Changes must be made through a pull request."
    if kind is None or command.old == _NOTHING:
        return None
    if command.new == _NOTHING:
        return "Cannot delete this branch"
    ancestry = ["git", "merge-base", "--is-ancestor", command.old, command.new]
    return "Cannot force-push to this branch" if subprocess.run(ancestry, check=False).returncode else None


def packets() -> Iterator[bytes]:
    """Read pkt-lines until a flush."""
    while size := int(sys.stdin.buffer.read(4) or b"0", 16):
        yield sys.stdin.buffer.read(size - 4)


def send(line: bytes | None) -> None:
    """Write a pkt-line, or a flush."""
    sys.stdout.buffer.write(b"0000" if line is None else f"{len(line) + 4:04x}".encode() + line)
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    sys.exit({"pre-receive": pre_receive, "proc-receive": proc_receive}[sys.argv[1]]())
