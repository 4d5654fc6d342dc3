"""The server as a whole: it remembers, many may come at once, and it is held against GitHub's description."""

import json
import signal
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
from github import UnknownObjectException

from ckanext.metastore.testing.git import check_integrity, git
from ckanext.metastore.testing.github import Exchange, Request, StandIn
from ckanext.metastore.testing.github.openapi import Checker

from .conftest import DESCRIPTION, address, connect, head


def test_all_survives_a_restart(tmp_path, work):
    with StandIn(tmp_path / "github") as github:
        github.add_user("ada")
        github.add_organization("city", members=["ada"])
        token, revoked = github.issue_token("ada"), github.issue_token("ada")
        github.revoke_token(revoked)
        city = connect(github, token).get_organization("city")
        gone = city.create_repo("gone")
        gone.delete()
        made = city.create_repo("trees", private=True, description="All")
        made.replace_topics(["a"])
        made.create_hook("web", {"url": "http://127.0.0.1:9/"})
        git("push", address(github, "city/trees", token), "main", cwd=work)
        made.edit(name="oaks")
        github.protect("city/oaks", "main")
        before = github.repository("city/oaks")

    with StandIn(tmp_path / "github") as github:
        assert github.repository("city/trees") == before
        client = connect(github, token)
        assert client.get_repo("city/trees").id == made.id
        assert git("ls-remote", address(github, "city/oaks", token), "main").startswith(head(work))
        assert client.get_organization("city").create_repo("new").id > made.id
        with pytest.raises(UnknownObjectException):
            client.get_repo("city/gone")
        github.add_user("ada")
        assert client.get_user().login == "ada"


def test_no_token_lies_in_the_folder(github, token, tmp_path):
    files = [path for path in (tmp_path / "github").rglob("*") if path.is_file()]
    assert files
    assert not [path for path in files if token.encode() in path.read_bytes()]
    assert stat.S_IMODE((tmp_path / "github" / "state.sqlite").stat().st_mode) == 0o600


def test_eight_at_once(github, token, work):
    def live(number):
        city = connect(github, token).get_organization("city")
        made = city.create_repo(f"trees-{number}")
        git("push", address(github, made.full_name, token), "main", f"main:branch-{number}", cwd=work)
        return made.id

    with ThreadPoolExecutor(8) as pool:
        numbers = list(pool.map(live, range(16)))

    assert len(set(numbers)) == 16
    assert github.pushes == 16
    for number in range(16):
        held = github.repository(f"city/trees-{number}")
        assert sorted(held.git.branches()) == sorted([f"branch-{number}", "main"])
        check_integrity(held.path)


def test_one_name_for_eight(github, token):
    def create(_):
        try:
            return connect(github, token).get_organization("city").create_repo("trees").id
        except Exception as error:
            return error

    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(create, range(8)))
    assert [result for result in results if isinstance(result, int)] == [github.repository("city/trees").id]
    assert all("already exists" in str(result) for result in results if not isinstance(result, int))


def test_as_a_program(tmp_path):
    token_file = tmp_path / "token"
    command = [sys.executable, "-m", "ckanext.metastore.testing.github", "--root", str(tmp_path / "github")]
    command += ["--user", "ada", "--organization", "city:ada", "--token-file", str(token_file)]
    tokens = []
    for _ in range(2):
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
            assert server.stdout
            url = server.stdout.readline().split()[3].rstrip(",")
            tokens.append(token_file.read_text().strip())
            client = connect(_At(url), tokens[-1])
            assert client.get_user().login == "ada"
            server.send_signal(signal.SIGTERM)
            assert server.wait(30) == 0
    assert tokens[0] == tokens[1]
    assert stat.S_IMODE(token_file.stat().st_mode) == 0o600


class _At:
    def __init__(self, api_url):
        self.api_url = api_url


@pytest.mark.parametrize(
    ("method", "path", "status", "sent", "received"),
    [
        ("GET", "/user", 200, b"", b'{"login": "ada"}'),
        ("GET", "/user", 200, b"", b"[]"),
        ("GET", "/no/such/address", 200, b"", b"{}"),
        ("GET", "/rate_limit?per_page=3", 404, b"", b"{}"),
        ("PATCH", "/repos/a/b", 404, b'{"descripton": "a slip"}', b"{}"),
        ("PATCH", "/repos/a/b", 404, b'{"private": "yes"}', b"{}"),
        ("GET", "/repositories/7/commits?per_page=many", 404, b"", b"{}"),
        ("GET", "/meta", 418, b"", b"{}"),
        ("DELETE", "/repos/a/b", 204, b"", b"{}"),
    ],
)
def test_what_github_would_not_say_is_found(method, path, status, sent, received):
    checker = Checker(DESCRIPTION)
    checker.see(Exchange(Request("rest", method, path, status), sent, received))
    assert checker.problems


def test_null_is_let_through_where_it_may_stand():
    checker = Checker(DESCRIPTION)
    hook = b'{"code": null, "status": null, "message": null}'
    complaints = checker._description.complaints("/components/schemas/hook-response", json.loads(hook))
    assert list(complaints) == []
