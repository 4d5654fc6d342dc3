"""Clients of the service: each works on datasets of its own, and notes what it was answered."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import httpx

from ckanext.metastore.tests.service.server import TREES, Server, bearer, token

CONTENDERS = 4
GIT = {
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_TERMINAL_PROMPT": "0",
    **{f"GIT_{role}_{what}": "soak@example.org" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
}


@dataclass(frozen=True)
class Asked:
    """A request and its answer; a status of 0 is a ``git`` that failed, and 1 one that did not."""

    kind: str
    status: int
    expected: bool
    seconds: float
    why: str = ""


class Asker:
    """Asks over HTTP, and notes the answers.

    :ivar histories: the revisions that were answered, in order, by what the dataset is called now
    """

    def __init__(self, server: Server) -> None:
        self.server = server
        self.asked: list[Asked] = []
        self.histories: dict[str, list[str]] = {}
        self._http = httpx.Client(base_url=server.url, timeout=60)

    def ask(self, kind: str, method: str, path: str, *, want: int = 200, **more: Any) -> httpx.Response:
        """Send a request with a fresh token."""
        headers = bearer(token(self.server.settings)) | more.pop("headers", {})
        begin = time.monotonic()
        answer = self._http.request(method, f"/v1/datasets{path}", headers=headers, **more)
        expected = answer.status_code == want
        took = time.monotonic() - begin
        self.asked.append(Asked(kind, answer.status_code, expected, took, "" if expected else answer.text[:200]))
        return answer


class Soaker(Asker):
    """Does one thing after the other with its own datasets."""

    def __init__(self, server: Server, number: int, folder: Path) -> None:
        super().__init__(server)
        self._number, self._folder, self._names = number, folder, count()
        self._random = random.Random(number)
        self.tags: dict[str, set[str]] = {}
        self.gone: list[str] = []
        self._private: set[str] = set()
        self._deletions: set[str] = set()

    def run(self, ended: threading.Event) -> None:
        """Go on until the end."""
        often = {
            self.patch: 8, self.put: 4, self.read: 8, self.list: 2, self.log: 4, self.diff: 4, self.tag: 3,
            self.revert: 3, self.clone: 2, self.push: 2, self.move: 1, self.delete: 1, self.purge: 1, self.create: 2,
        }  # fmt: skip
        self.create(self._title())
        while not ended.is_set():
            name = self._random.choice(list(self.histories))
            (do,) = self._random.choices(list(often), list(often.values()))
            do(name)

    def create(self, _: str) -> None:
        """Begin a dataset, every third one private."""
        name = f"soak-{self._number}-{next(self._names)}"
        if self._random.random() < 1 / 3:
            self._private.add(name)
        query = {"owner": "acme", "name": name, "private": str(name in self._private).lower()}
        made = self.ask("create", "POST", "", params=query, json={**TREES, "title": self._title()}, want=201)
        self.histories[name], self.tags[name] = [_sha(made)], set()

    def put(self, name: str) -> None:
        """Replace it."""
        self._saved(name, "put", "PUT", json={**TREES, "title": self._title()}, headers=self._base(name))

    def patch(self, name: str) -> None:
        """Change something of it."""
        self._saved(name, "patch", "PATCH", json={"title": self._title()}, headers=self._base(name))

    def revert(self, name: str) -> None:
        """Make it be as it was; what was the last thing said makes no revision."""
        known = [sha for sha in self.histories[name] if sha not in self._deletions]
        wanted = {"revision": self._random.choice(known), "allow_private": True}
        answer = self.ask("revert", "POST", f"/acme/{name}/revert", json=wanted)
        if _sha(answer) != self.histories[name][-1]:
            self.histories[name].append(_sha(answer))

    def delete(self, name: str) -> None:
        """Delete it, and bring it back."""
        before = self.histories[name][-1]
        gone = self.ask("delete", "DELETE", f"/acme/{name}")
        back = self.ask("revert", "POST", f"/acme/{name}/revert", json={"revision": before, "allow_private": True})
        self.histories[name] += [_sha(gone), _sha(back)]
        self._deletions.add(_sha(gone))

    def tag(self, name: str) -> None:
        """Name its newest revision."""
        tag = f"v{next(self._names)}"
        self.ask("tag", "POST", f"/acme/{name}/tags", json={"name": tag}, want=201)
        self.tags[name].add(tag)

    def read(self, name: str) -> None:
        """Read it as it is, or as it was."""
        revision = self._random.choice([self.histories[name][0], "HEAD"])
        self.ask("read", "GET", f"/acme/{name}", params={"revision": revision})

    def log(self, name: str) -> None:
        """List its revisions."""
        self.ask("log", "GET", f"/acme/{name}/revisions")

    def diff(self, name: str) -> None:
        """Compare two of them."""
        self.ask("diff", "GET", f"/acme/{name}/diff", params={"a": self.histories[name][0]})

    def list(self, _: str) -> None:
        """List all datasets, page by page, as far as the second."""
        self.ask("list", "GET", "", params={"owner": "acme", "limit": 50})

    def move(self, name: str) -> None:
        """Call it something else."""
        new = f"soak-{self._number}-{next(self._names)}"
        self.ask("move", "POST", f"/acme/{name}/move", json={"name": new})
        self.histories[new], self.tags[new] = self.histories.pop(name), self.tags.pop(name)
        if name in self._private:
            self._private.add(new)

    def purge(self, name: str) -> None:
        """Destroy it, and begin another one."""
        self.ask("purge", "POST", f"/acme/{name}/purge", want=204)
        del self.histories[name], self.tags[name]
        self.gone.append(name)
        self.create(name)

    def clone(self, name: str) -> None:
        """Clone it; a clone has what was answered."""
        self._cloned(name)

    def push(self, name: str) -> None:
        """Clone it, and push a commit."""
        folder = self._cloned(name)
        if folder is None:
            return
        (folder / "datapackage.json").write_text(json.dumps({**TREES, "title": self._title()}))
        for words in (["commit", "-qam", "Pushed"], ["push", "-q", "origin", "main"]):
            self._git(words[0], *words, folder=folder)
        self.histories[name].append(self._git("rev-parse", "rev-parse", "HEAD", folder=folder))

    def _cloned(self, name: str) -> Path | None:
        if name in self._private:
            return None
        folder = self._folder / f"clone-{self._number}"
        shutil.rmtree(folder, ignore_errors=True)
        host = self.server.url.replace("://", f"://git:{token(self.server.settings)}@")
        self._git("clone", "clone", "-q", f"{host}/acme/{name}.git", str(folder), folder=self._folder)
        head = self._git("rev-parse", "rev-parse", "HEAD", folder=folder)
        expected = head == self.histories[name][-1]
        self.asked.append(Asked("clone's head", int(expected), expected, 0.0, f"{name} is at {head}"))
        return folder

    def _git(self, kind: str, *words: str, folder: Path) -> str:
        begin = time.monotonic()
        done = subprocess.run(
            ["git", *words],
            cwd=folder,
            env={**os.environ, **GIT},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        ended = done.returncode == 0
        if kind in ("clone", "push") or not ended:
            self.asked.append(Asked(f"git {kind}", int(ended), ended, time.monotonic() - begin, done.stderr[:200]))
        return done.stdout.strip()

    def _saved(self, name: str, kind: str, method: str, **more: Any) -> None:
        self.histories[name].append(_sha(self.ask(kind, method, f"/acme/{name}", **more)))

    def _base(self, name: str) -> dict[str, str]:
        return {"If-Match": f'"{self.histories[name][-1]}"'}

    def _title(self) -> str:
        return f"Said by {self._number}, {self._random.random()}"


class Contest(Asker):
    """Several who save the same dataset at the same moment, each on the revision that all of them saw."""

    def __init__(self, server: Server) -> None:
        super().__init__(server)
        self.tags: dict[str, set[str]] = {"contested": set()}
        self.gone: list[str] = []
        self.rounds = 0
        self.faults: list[str] = []

    def run(self, ended: threading.Event) -> None:
        """Round after round until the end: each has one winner."""
        query = {"owner": "acme", "name": "contested"}
        self.histories["contested"] = [_sha(self.ask("create", "POST", "", params=query, json=TREES, want=201))]
        contenders = [Asker(self.server) for _ in range(CONTENDERS)]
        with ThreadPoolExecutor(CONTENDERS) as pool:
            while not ended.is_set():
                self.rounds += 1
                answers = list(pool.map(self._save, contenders))
                won = [_sha(answer) for answer in answers if answer.status_code == 200]
                if len(won) != 1:
                    self.faults.append(f"round {self.rounds} had {len(won)} winners")
                self.histories["contested"] += won

    def _save(self, contender: Asker) -> httpx.Response:
        base = self.histories["contested"][-1]
        answer = contender.ask(
            "contest", "PATCH", "/acme/contested", json={"title": f"Contender {id(contender)} in round {self.rounds}"},
            headers={"If-Match": f'"{base}"'},
        )  # fmt: skip
        expected = answer.status_code in (200, 412)
        self.asked.append(
            Asked("contest", answer.status_code, expected, contender.asked[-1].seconds, answer.text[:200])
        )
        return answer


def _sha(answer: httpx.Response) -> str:
    return answer.headers.get("ETag", "").strip('"')
