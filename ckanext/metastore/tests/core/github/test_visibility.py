"""What is private is never shown, whatever goes wrong."""

from __future__ import annotations

import pytest

from ckanext.metastore.core.errors import Unauthorized, Unavailable
from ckanext.metastore.core.types import Profile
from ckanext.metastore.testing.github import Fault

from .conftest import HOME, asked, history


@pytest.mark.parametrize(
    "fault", [Fault.lost_answer, Fault.server_error, lambda **where: Fault(drop="before", **where)]
)
def test_shown_and_hidden_again_though_the_answer_was_lost(github, publish, fault):
    """The worst that can happen: GitHub shows what we believe to be hidden."""
    publish(public=False)
    github.fail(fault(method="PATCH"))
    with pytest.raises(Unavailable):
        publish(public=True)
    publish(public=False)
    assert github.repository("city/trees").private
    publish(public=True)
    assert not github.repository("city/trees").private


@pytest.mark.parametrize("fault", [Fault.lost_answer, Fault.server_error])
def test_shown_at_last_though_the_first_request_failed(github, publish, fault):
    publish(public=False)
    github.fail(fault(method="PATCH"))
    with pytest.raises(Unavailable):
        publish(public=True)
    publish(public=True)
    repository = github.repository("city/trees")
    assert (repository.private, repository.description) == (False, "Trees")


def test_hidden_though_the_topics_failed_after_it_was_shown(github, publish):
    publish(public=False)
    github.fail(Fault.server_error(path="topics"))
    with pytest.raises(Unavailable):
        publish(public=True, profile=Profile("city", "trees", "Trees", HOME, ("tree",)))
    assert not github.repository("city/trees").private
    publish(public=False)
    assert github.repository("city/trees").private


@pytest.mark.parametrize("fault", [Fault.lost_answer, lambda **where: Fault.refusal(403, "Forbidden", **where)])
def test_nothing_is_pushed_where_hiding_fails(github, publish, fault):
    first = publish()
    github.fail(fault(method="PATCH"))
    with pytest.raises((Unavailable, Unauthorized)):
        publish(public=False)
    assert history(github, "city/trees") == [first.sha]
    publish(public=False)
    assert github.repository("city/trees").private


def test_an_unknown_visibility_changes_nothing(github, publish):
    publish(public=False)
    github.forget_requests()
    publish(public=None)
    assert asked(github) == []
    assert github.repository("city/trees").private
