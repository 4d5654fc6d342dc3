"""Counting what an operation asks of the database and of the disk. We watch from outside; nothing is replaced."""

from __future__ import annotations

import ctypes
import os
import re
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_LOOSE_OBJECT = re.compile(r"[0-9a-f]{38}")
_IN_OPEN, _IN_CLOSE_NOWRITE = 0x20, 0x10
_EVENT = struct.Struct("iIII")


@contextmanager
def queries() -> Iterator[list[str]]:
    """The statements that are sent to the database: ``SAVEPOINT`` is one; ``BEGIN`` and ``COMMIT`` are none."""
    from sqlalchemy import event  # which the core's tests do without
    from sqlalchemy.engine import Engine

    sent: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        sent.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(Engine, "before_cursor_execute", note)


@dataclass
class Objects:
    """How many Git objects an operation wrote, and how often it read one.

    An object is written when its file appears. It is read when its file is opened, which the kernel tells, so that
    reads by libgit2 itself count too. Nothing is packed here, and a look whether an object is there is no read.
    """

    read: int = 0
    written: int = 0


@contextmanager
def objects(folder: Path) -> Iterator[Objects]:
    """Count objects in all repositories below a folder; reads only in those that are there when this begins.

    :see: inotify(7)
    """
    counted = Objects()
    before = _count(folder)
    watch = ctypes.CDLL(None, use_errno=True).inotify_init1(os.O_NONBLOCK)
    try:
        for directory in folder.glob("*/*/objects"):
            _watch(watch, directory)
        yield counted
        counted.read = sum(_opened(watch))
        counted.written = _count(folder) - before
    finally:
        os.close(watch)


def _count(folder: Path) -> int:
    return sum(1 for path in folder.glob("*/*/objects/??/*") if _LOOSE_OBJECT.fullmatch(path.name))


def _watch(watch: int, directory: Path) -> None:
    """Watch every folder that objects can ever be in, making it now, so that none comes unseen."""
    for number in range(256):
        shard = directory / f"{number:02x}"
        shard.mkdir(exist_ok=True)
        # That a file was closed is of no interest, but else two reads in a row would be told as one.
        if ctypes.CDLL(None).inotify_add_watch(watch, os.fsencode(shard), _IN_OPEN | _IN_CLOSE_NOWRITE) < 0:
            raise OSError(f"cannot watch {shard}: see fs.inotify.max_user_watches")


def _opened(watch: int) -> Iterator[bool]:
    while True:
        try:
            told = os.read(watch, 65536)
        except BlockingIOError:
            return
        place = 0
        while place < len(told):
            _, mask, _, length = _EVENT.unpack_from(told, place)
            name = told[place + _EVENT.size : place + _EVENT.size + length].rstrip(b"\0").decode()
            place += _EVENT.size + length
            yield bool(mask & _IN_OPEN and _LOOSE_OBJECT.fullmatch(name))
