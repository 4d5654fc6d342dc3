"""A Git LFS server that has files to give, as small as the protocol lets it be.

:see: https://github.com/git-lfs/git-lfs/blob/main/docs/api/batch.md
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread


class LfsServer(ThreadingHTTPServer):
    """Serves files under one prefix, on a free port.

    :param prefix: the path that stands before ``/objects/batch``
    """

    daemon_threads = True

    def __init__(self, prefix: str, *contents: bytes) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.prefix = prefix
        self.files = {hashlib.sha256(content).hexdigest(): content for content in contents}

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


@contextmanager
def lfs_server(prefix: str, *contents: bytes) -> Iterator[LfsServer]:
    with LfsServer(prefix, *contents) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


class _Handler(BaseHTTPRequestHandler):
    server: LfsServer

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path != f"/{self.server.prefix}/objects/batch":
            return self._answer(404, b"{}")
        objects = [{**item, "actions": {"download": {"href": self._href(item["oid"])}}} for item in asked["objects"]]
        return self._answer(200, json.dumps({"transfer": "basic", "objects": objects}).encode())

    def do_GET(self) -> None:
        content = self.server.files.get(self.path.rpartition("/")[2])
        self._answer(404, b"") if content is None else self._answer(200, content)

    def log_message(self, *args: object) -> None:
        """Keep silent."""

    def _href(self, oid: str) -> str:
        return f"{self.server.address}/files/{oid}"

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/vnd.git-lfs+json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
