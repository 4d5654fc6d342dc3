"""Who one may be: by a token, classic or fine-grained, or as an App; and where GitHub is."""

from __future__ import annotations

import pickle
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from ckanext.metastore.backends.github import credentials
from ckanext.metastore.core.errors import Invalid, NotFound, Unauthorized, Unavailable
from ckanext.metastore.core.types import Profile
from ckanext.metastore.testing.contract.base import ADA, DOCUMENT, PACKAGE, titled
from ckanext.metastore.testing.github import Fault

from .conftest import PRIVATE, PUBLIC, chain, history

PROFILE = Profile("city", "trees", "Trees", f"https://data.example/{PACKAGE}")


def asked_for_tokens(github):
    return sum(request.path.endswith("/access_tokens") for request in github.requests)


# -- who one may be -------------------------------------------------------------------------------------------------


def test_an_app_creates_pushes_and_purges(github, app, registry):
    backend = app(registry=registry)
    revision = backend.record(PACKAGE, document=DOCUMENT, author=ADA)
    backend.publish(PACKAGE, revisions=[revision], public=False, profile=PROFILE)
    assert history(github, "city/trees") == [revision.sha]
    assert {request.user for request in github.requests if request.is_push} == {"app/7"}
    assert app("other", registry=registry).fetch(PACKAGE).revision.id == revision.sha
    backend.purge(PACKAGE)
    assert asked_for_tokens(github) == 1


def test_a_token_is_renewed_before_it_ends(github, app):
    github.set_installation_token_lifetime(credentials._EARLY - 10)
    backend = app()
    for number in range(3):
        backend.create(f"package-{number}", document=DOCUMENT, author=ADA)
    before = asked_for_tokens(github)
    assert before >= 3
    github.set_installation_token_lifetime()
    for number in range(3):
        backend.update(f"package-{number}", document=titled("Two"), author=ADA)
    assert asked_for_tokens(github) == before + 1


def test_a_token_that_was_revoked_is_not_used_again(github, app):
    backend = app()
    backend.create(PACKAGE, document=DOCUMENT, author=ADA)
    ((token, _),) = credentials._app_tokens.values()
    github.revoke_token(token)
    with pytest.raises(Unauthorized):
        backend.update(PACKAGE, document=titled("Two"), author=ADA)
    backend.update(PACKAGE, document=titled("Two"), author=ADA)
    assert len(history(github, f"city/{PACKAGE}")) == 2


def test_eight_threads_ask_once(github, app):
    github.latency = 0.05
    backend = app()
    barrier = threading.Barrier(8)

    def ask(_):
        barrier.wait()
        return backend._credentials.token()

    with ThreadPoolExecutor(8) as executor:
        tokens = set(executor.map(ask, range(8)))
    assert (len(tokens), asked_for_tokens(github)) == (1, 1)


def test_eight_threads_are_told_that_nobody_answers(github, app):
    github.fail(Fault(path="/access_tokens", hang=True, times=None))
    backend = app(timeout=1)
    failures = []

    def ask(_):
        with pytest.raises(Unavailable) as failure:
            backend._credentials.token()
        failures.append(failure.value)

    with ThreadPoolExecutor(8) as executor:
        list(executor.map(ask, range(8)))
    assert len(failures) == 8
    # Who waited behind another has not asked as well: the first two or so used up the time of all.
    assert asked_for_tokens(github) < 4
    github.clear_faults()
    assert app()._credentials.token().startswith("ghs_")


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Fault.bad_credentials, Unauthorized),
        (Fault.not_found, Unauthorized),
        (Fault.server_error, Unavailable),
        (lambda **where: Fault(status=201, body={"token": 7}, **where), Unavailable),
        (lambda **where: Fault(status=201, body={}, **where), Unavailable),
    ],
)
def test_asking_for_a_token_fails_and_then_works(github, app, fault, error):
    github.fail(fault(path="/access_tokens"))
    with pytest.raises(error):
        app().create(PACKAGE, document=DOCUMENT, author=ADA)
    app().create(PACKAGE, document=DOCUMENT, author=ADA)


def test_the_owner_may_be_a_person(github, node, tmp_path):
    backend = node(owner="ada")
    first = backend.create(PACKAGE, document=DOCUMENT, author=ADA).revision
    backend.create("other", document=DOCUMENT, author=ADA)
    assert history(github, f"ada/{PACKAGE}") == [first.id]
    looked = [request.path for request in github.requests if request.path == "/user"]
    assert len(looked) == 1  # for the first repository only
    assert node("second", owner="ada").fetch(PACKAGE).revision.id == first.id


def test_but_not_another_person(github, node):
    with pytest.raises(NotFound, match="eve is no organization"):
        node(owner="eve").create(PACKAGE, document=DOCUMENT, author=ADA)
    assert [request.path for request in github.requests if request.method == "POST"] == ["/orgs/eve/repos"]


def test_a_token_that_may_only_read(github, node):
    first = node().create(PACKAGE, document=DOCUMENT, author=ADA).revision
    reader = node("reader", token=github.issue_token("ada", scopes=()))
    assert reader.fetch(PACKAGE).revision.id == first.id
    with pytest.raises(Unauthorized, match="Write access to repository not granted"):
        reader.update(PACKAGE, document=titled("Two"), author=ADA)
    with pytest.raises(Unauthorized):
        reader.create("new", document=DOCUMENT, author=ADA)
    assert history(github, f"city/{PACKAGE}") == [first.id]


def test_addresses_of_an_enterprise_server(github, node):
    assert github.api_url.endswith("/api/v3")
    backend = node(api_url=github.api_url + "/", git_url=github.git_url + "/")
    first = backend.create(PACKAGE, document=DOCUMENT, author=ADA).revision
    assert backend.commit_url(PACKAGE, sha=first.id) == f"{github.git_url}/city/{PACKAGE}/commit/{first.id}"


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"token": ""}, "github.token"),
        ({"token": "ghp_x y"}, "github.token"),
        ({"token": "ghp_x\ny"}, "github.token"),
        ({"token": "ghp_ä"}, "github.token"),
        ({"app_id": "7"}, "github.token"),
        ({"token": "", "app_id": "7"}, "github.app_private_key_file"),
        ({"token": "", "app_id": "7", "app_private_key_file": "KEY"}, "github.app_installation_id"),
        ({"api_url": "https://ada:secret@github.example"}, "github.api_url"),
        ({"git_url": "https://secret@github.example"}, "github.git_url"),
        ({"git_url": "ssh://github.example"}, "github.git_url"),
    ],
)
def test_options_that_are_wrong(node, options, field):
    with pytest.raises(Invalid) as failure:
        node(**options)
    assert failure.value.field == field
    assert "secret" not in str(failure.value)
    assert "ghp_" not in str(failure.value)


def test_the_end_of_the_line_is_no_part_of_a_token(node, token):
    assert node(token=f"{token}\n").create(PACKAGE, document=DOCUMENT, author=ADA)


@pytest.mark.parametrize("content", [b"", b"no key", b"\xff\xfe", PUBLIC.encode(), PRIVATE[:200].encode()])
def test_a_key_file_that_holds_no_key(app, tmp_path, content):
    (tmp_path / "app.pem").write_bytes(content)
    with pytest.raises(Invalid) as failure:
        app()
    assert failure.value.field == "github.app_private_key_file"
    assert not any("BEGIN" in str(error) for error in chain(failure.value))


def test_a_key_file_that_is_not_there(app):
    with pytest.raises(Invalid, match="cannot be read"):
        app(app_private_key_file="/nowhere.pem")


def test_a_backend_travels_to_another_process(app):
    assert pickle.loads(pickle.dumps(app())).create(PACKAGE, document=DOCUMENT, author=ADA)
