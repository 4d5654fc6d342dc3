"""Server programs that run as our children: they end when we do, however we end."""

import os
import pwd
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from dev.console import Failure, tail

STOP_SECONDS = 20


@dataclass
class Server:
    """A server program: how it is started, how one sees that it is up, how it is stopped."""

    title: str
    command: Sequence[str]
    log: Path
    ready: Callable[[], bool]
    user: str | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    environment: Mapping[str, str] = field(default_factory=dict)
    _process: "subprocess.Popen[bytes] | None" = field(default=None, init=False)

    def start(self) -> None:
        """Start it and return at once. A session of its own keeps the terminal's Ctrl-C away from it."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                as_user(self.user, self.command, dies_with_us=self.stop_signal),
                cwd="/",
                env={**os.environ, **self.environment},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def wait_until_ready(self, seconds: float = 90) -> None:
        """Wait until it answers."""
        deadline = time.monotonic() + seconds
        while not self.ready():
            if self.ended():
                raise Failure(f"{self.title} ended while starting. {tail(self.log)}")
            if time.monotonic() > deadline:
                raise Failure(f"{self.title} did not start within {seconds:g} s. {tail(self.log)}")
            time.sleep(0.05)

    def ended(self) -> bool:
        """Whether it no longer runs."""
        return self._process is None or self._process.poll() is not None

    @property
    def pid(self) -> int:
        """The number of its process; wants a server that was started."""
        assert self._process is not None
        return self._process.pid

    def stop(self) -> None:
        """Stop it in good order, or by force where it takes too long."""
        if self._process is None or self.ended():
            return
        self._process.send_signal(self.stop_signal)
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def as_user(user: str | None, command: Sequence[str], dies_with_us: signal.Signals | None = None) -> list[str]:
    """The command, run as another system user, and signalled by the kernel should we be killed."""
    options = []
    if user:
        group = str(pwd.getpwnam(user).pw_gid)
        options += ["--reuid", user, "--regid", group, "--init-groups"]
    if dies_with_us:
        options += ["--pdeathsig", dies_with_us.name.removeprefix("SIG")]
    return ["setpriv", *options, *command] if options else list(command)
