"""The service on gunicorn: processes of threads, and nobody who is slow holds one for long."""

from __future__ import annotations

import json
import os
import shutil
import socket
import struct
import threading
import time
from contextlib import suppress
from typing import Any

from gunicorn.app.base import BaseApplication
from gunicorn.workers.gthread import TConn, ThreadWorker

from ckanext.metastore.service.app import create_app
from ckanext.metastore.service.metrics import MULTIPROCESS
from ckanext.metastore.service.service import create_service
from ckanext.metastore.service.settings import Settings

PUBLISH_PAUSE = 30.0
"""Seconds between two looks for what is recorded and could not be published."""

WATCH_PAUSE = 0.5
"""Seconds between two looks for clients that are too slow."""

HEADER_LIMIT = 16_384
"""Bytes of one header's line: a token has 8 KiB at most."""


class PatientWorker(ThreadWorker):
    """A worker that waits for nobody longer than the settings say.

    gunicorn's own threads wait for as long as a client sends a byte now and then. Here, who has not sent the whole
    request in time is not listened to any more; who does not take the answer is left.
    """

    seconds = 30

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._deadlines: dict[TConn, float] = {}

    def init_process(self) -> None:
        """Begin to watch, then to serve."""
        threading.Thread(target=self._watch, daemon=True).start()
        super().init_process()

    def handle(self, conn: TConn) -> Any:
        """Serve one request of a connection."""
        # Unlike a timeout of Python's, this one stays when the socket is made to block.
        conn.sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", self.seconds, 0))
        self._deadlines[conn] = time.monotonic() + self.seconds
        try:
            return super().handle(conn)
        finally:
            self._deadlines.pop(conn, None)

    def handle_error(self, req: Any, client: Any, addr: Any, exc: BaseException) -> None:
        """Answer what never came to the application, in the application's shape."""
        told: Any = _Told(client)
        super().handle_error(req, told, addr, exc)

    def _watch(self) -> None:
        while True:
            time.sleep(WATCH_PAUSE)
            now = time.monotonic()
            for conn, deadline in list(self._deadlines.items()):
                if deadline < now:
                    with suppress(OSError):
                        conn.sock.shutdown(socket.SHUT_RD)


class _Told:
    """A socket through which gunicorn's own page of an error goes out as a problem document."""

    def __init__(self, client: socket.socket) -> None:
        self._client = client

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def sendall(self, page: bytes) -> None:
        """Send it."""
        line, _, _ = page.partition(b"\r\n")
        _, status, reason = line.decode("latin-1").split(" ", 2)
        said = {"type": "about:blank", "title": reason, "status": int(status), "detail": "the request cannot be read"}
        body = json.dumps(said).encode()
        head = f"Connection: close\r\nContent-Type: application/problem+json\r\nContent-Length: {len(body)}\r\n\r\n"
        self._client.sendall(line + b"\r\n" + head.encode() + body)


class Server(BaseApplication):
    """gunicorn, as the settings say."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        super().__init__()

    def load_config(self) -> None:
        """Set what gunicorn is to know."""
        settings = self._settings
        chosen: dict[str, Any] = {
            "bind": f"{settings.serve_host}:{settings.serve_port}",
            "workers": settings.serve_workers,
            "threads": settings.serve_threads,
            "worker_class": PatientWorker,
            # A worker whose main loop hangs is replaced; its threads may take their time.
            "timeout": max(settings.serve_timeout, 30),
            "graceful_timeout": settings.serve_timeout,
            "keepalive": 5,
            "limit_request_line": 8190,
            "limit_request_field_size": HEADER_LIMIT,
            "accesslog": "-",
            "child_exit": _gone,
            "post_fork": _publish_from_time_to_time,
            "proc_name": "metastore",
        }
        if "control_socket_disable" in self.cfg.settings:  # newer ones make a socket in the user's home
            chosen["control_socket_disable"] = True
        for name, value in chosen.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        """Make the WSGI application, in each worker."""
        return create_app(self._settings)


def serve(settings: Settings) -> None:
    """Serve until a signal says stop.

    :raises Invalid: a setting is wrong, or missing
    :raises Unavailable: the folder cannot be used
    """
    # Once before any worker is there: what is wrong is said, keys and index are made.
    service = create_service(settings)
    service.publisher.publish_all()
    service.database.close()
    numbers = settings.path.absolute() / "metrics"
    shutil.rmtree(numbers, ignore_errors=True)
    numbers.mkdir()
    os.environ[MULTIPROCESS] = str(numbers)
    PatientWorker.seconds = settings.serve_timeout
    Server(settings).run()


def _gone(_: Any, worker: Any) -> None:
    from prometheus_client.multiprocess import mark_process_dead

    mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]


def _publish_from_time_to_time(_: Any, worker: Any) -> None:
    """Publish what could not be published when it was recorded."""

    def publish() -> None:
        while True:
            time.sleep(PUBLISH_PAUSE)
            if app := getattr(worker, "wsgi", None):
                app.extensions["metastore"].publisher.publish_all()

    threading.Thread(target=publish, daemon=True).start()
