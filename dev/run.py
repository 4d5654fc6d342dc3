"""Runs a command, or keeps the peace, while throwaway services are up."""

import os
import shlex
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from dev.console import Failure, say
from dev.paths import LOGS, ROOT, VAR, VENV
from dev.services import throwaway

PATIENCE = 15
UP = VAR / "services.env"
PID = VAR / "services.pid"


class Stopped(BaseException):
    """A signal that asks us to end."""

    def __init__(self, number: int) -> None:
        self.number = number


def end_on_signals() -> None:
    """From here on, Ctrl-C and its like unwind the program, once; what it started is stopped on the way."""
    signals = [signal.SIGINT, signal.SIGTERM]
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # as nohup sets it
        signals.append(signal.SIGHUP)

    def stop(number: int, _frame: object) -> None:
        for each in signals:
            signal.signal(each, signal.SIG_IGN)
        raise Stopped(number)

    for each in signals:
        signal.signal(each, stop)
    threading.Thread(target=_listen_to_make, args=(os.getppid(),), daemon=True).start()


def _listen_to_make(parent: int) -> None:
    """End when a signal reaches make but not us, as from ``kill -INT``: make then waits for us, and would forever."""
    with suppress(OSError):  # it has ended, and so shall we: setpriv sees to that
        if Path(f"/proc/{parent}/comm").read_text().strip() not in ("make", "gmake"):
            return
        while not _handles_signal(parent):
            time.sleep(0.5)
        os.kill(os.getpid(), signal.SIGTERM)


def _handles_signal(pid: int) -> bool:
    """Whether a process is inside its handler for SIGINT or SIGHUP: meanwhile that signal is blocked, no other is.

    (On a SIGTERM make tells us itself.)
    """
    status = Path(f"/proc/{pid}/status").read_text()
    blocked = next(int(line.split()[1], 16) for line in status.splitlines() if line.startswith("SigBlk:"))
    numbers = {number for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM) if blocked >> number - 1 & 1}
    return bool(numbers) and signal.SIGTERM not in numbers


def with_services(command: Sequence[str], durable: bool) -> int:
    """Start services, run the command with their addresses in its environment, stop the services."""
    with throwaway(durable) as plan:
        return child(command, environment(plan.environment))


def environment(services: Mapping[str, str]) -> dict[str, str]:
    """The environment for a command that uses CKAN."""
    path = f"{VENV / 'bin'}:{os.environ.get('PATH', '')}"
    return {**os.environ, "CKAN_INI": str(ROOT / "test.ini"), "PATH": path, **services}


def child(command: Sequence[str], variables: Mapping[str, str]) -> int:
    """Run a command to its end and give its exit status; a signal to us ends it, too."""
    try:
        process = subprocess.Popen(command, env=variables)
    except FileNotFoundError as error:
        raise Failure(f"There is no program {command[0]}.") from error
    try:
        return process.wait()
    except Stopped as stopped:
        # Ctrl-C has reached the child as well; any other signal has not.
        wait_or_end(process, at_once=stopped.number != signal.SIGINT)
        raise


def wait_or_end(process: "subprocess.Popen[bytes]", at_once: bool) -> None:
    """Give a process time to end by itself, then less and less choice."""
    for number in (signal.SIGTERM if at_once else 0, signal.SIGTERM, signal.SIGKILL):
        process.send_signal(number)
        try:
            process.wait(PATIENCE)
            return
        except subprocess.TimeoutExpired:
            continue


def up(durable: bool) -> None:
    """Start services that stay until ``down``."""
    if _holder():
        say("The services are up already.")
    else:
        UP.unlink(missing_ok=True)
        command = [sys.executable, "-m", "dev", "hold", *(["--durable"] if durable else [])]
        LOGS.mkdir(parents=True, exist_ok=True)
        log = LOGS / "services.log"
        with log.open("wb") as output:
            process = subprocess.Popen(command, cwd=ROOT, stdout=output, stderr=output, start_new_session=True)
        while not UP.exists():
            if process.poll() is not None:
                raise Failure(f"The services did not start: {log.read_text().strip()}")
            time.sleep(0.1)
    say(f"Now:  . {UP.relative_to(ROOT)}")


def hold(durable: bool) -> None:
    """Keep services up until a signal comes."""
    PID.write_text(str(os.getpid()))
    try:
        with throwaway(durable) as plan:
            write_private(UP, _exports({**plan.environment, "CKAN_INI": str(ROOT / "test.ini")}))
            signal.pause()
    finally:
        UP.unlink(missing_ok=True)
        PID.unlink(missing_ok=True)


def down() -> None:
    """Stop what ``up`` started."""
    holder = _holder()
    if not holder:
        say("No services are up.")
        return
    os.kill(holder, signal.SIGTERM)
    while _holder():
        time.sleep(0.1)
    say("The services are down.")


def _holder() -> int | None:
    """The process that holds the services up."""
    try:
        pid = int(PID.read_text())
        command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except (OSError, ValueError):
        return None
    return pid if b"hold" in command else None


def _exports(variables: Mapping[str, str]) -> str:
    lines = [f"export {name}={shlex.quote(value)}" for name, value in variables.items()]
    return "\n".join([*lines, f"export PATH={shlex.quote(str(VENV / 'bin'))}:$PATH", ""])


def write_private(path: Path, text: str) -> None:
    """Write a file that only we can read, all of it or nothing."""
    new = path.with_suffix(".new")
    new.touch(mode=0o600)
    new.write_text(text)
    new.replace(path)
