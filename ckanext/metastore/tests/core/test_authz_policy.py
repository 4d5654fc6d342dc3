"""The policy: which scope allows what, and above all what does not."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ckanext.metastore.authz import POLICY, Named, Target, parse_scope, parse_scopes, permits
from ckanext.metastore.core import Invalid

O_ID, D_ID = "0a5e8b1c-0000-4000-8000-00000000000a", "0a5e8b1c-0000-4000-8000-00000000000d"
OTHER_ID = "0a5e8b1c-0000-4000-8000-0000000000ff"
ORGANIZATION, DATASET = Named(O_ID, "o"), Named(D_ID, "d")
TARGET, COLLECTION = Target(ORGANIZATION, DATASET), Target(ORGANIZATION)

REFS = [f"{above}{below}" for above in ("", "o/", f"{O_ID}/") for below in ("d", D_ID)] + ["o/*", f"{O_ID}/*"]
ACTIONS = [
    "read",
    "create",
    "update",
    "tag",
    "revert",
    "delete",
    "purge",
    "patch",
    "list",
    "write",
    "tagx",
    "ta",
    "show",
]
ALLOWED = {
    "show": {"read", "metadata:read"},
    "create": set(),  # it is about no dataset
    "update": {"update", "metadata:update"},
    "tag": {"tag"},
    "revert": {"revert"},
    "delete": {"delete"},
    "purge": {"purge"},
}


def allows(scopes: str, operation: str, target: Target = TARGET, issued_at: float = 1000) -> bool:
    return permits(parse_scopes(scopes), operation, target, issued_at=issued_at)


def test_the_table_is_about_all_operations():
    assert ALLOWED.keys() == POLICY.keys()


@pytest.mark.parametrize("operation", ALLOWED)
def test_each_operation_needs_its_own_scope(operation):
    said = [f"{part}{action}" for part in ("", "metadata:", "data:", "tag:") for action in ACTIONS]
    assert {each for each in said if allows(f"ds:o/d:{each}", operation)} == ALLOWED[operation]


@pytest.mark.parametrize("ref", REFS)
def test_a_dataset_is_meant_by_name_or_id_alone_or_in_its_organization(ref):
    assert allows(f"ds:{ref}:tag", "tag")
    assert not allows(f"ds:{ref}:create", "create", COLLECTION)


@pytest.mark.parametrize("action", ACTIONS)
def test_a_dataset_is_created_in_a_collection(action):
    said = [f"ds:{ref}:{action}" for ref in ("o/", f"{O_ID}/", "p/", "*/", "d/", "o/*", "o", "*", "*/*", "o/d/", "o/d")]
    allowed = {f"ds:{ref}:create" for ref in ("o/", f"{O_ID}/")} if action == "create" else set()
    assert {each for each in said if allows(each, "create", COLLECTION)} == allowed


@pytest.mark.parametrize(
    "scope",
    [
        *("ds:o/e:tag", "ds:p/d:tag", "ds:e:tag", "ds:o:tag", "ds:D:tag", "ds:O/d:tag", "ds:o/D:tag", "ds:p/*:tag"),
        *(f"ds:o/{O_ID}:tag", f"ds:{D_ID}/d:tag", f"ds:{OTHER_ID}:tag", f"ds:o/{D_ID.upper()}:tag", "ds:d/o:tag"),
        *("ds:*:tag", "ds:*/d:tag", "ds:*/*:tag", "ds:*/:tag", "ds:o/:tag", "ds:d/:tag", "ds:o/d/:tag", "ds:o/d/*:tag"),
        *("ds:o/d/d:tag", "ds:o/*/d:tag", "ds:o/o/d:tag", "ds:dd:tag", "ds:o/d.:tag", "ds:o/d-:tag", "ds:oo/d:tag"),
        *("obj:o/d:tag", "org:o/d:tag", "res:o/d:tag", "dss:o/d:tag", "d:o/d:tag", "org:o:tag", "res:o/d/*:tag"),
        *("ds:o/d:tagx", "ds:o/d:ta", "ds:o/d:tag-", "ds:o/d:metadata:tag", "ds:o/d:tag:tag", "ds:o/d:read,update"),
    ],
)
def test_what_allows_no_tagging(scope):
    assert not allows(scope, "tag")


@pytest.mark.parametrize("operation", sorted(POLICY.keys() - {"create"}))
def test_a_collection_can_only_be_created_in(operation):
    assert not any(allows(f"ds:o/:{action}", operation, COLLECTION) for action in ACTIONS)


@pytest.mark.parametrize("operation", sorted(POLICY))
def test_scopes_of_files_and_organizations_allow_nothing_here(operation):
    scopes = " ".join(
        f"{type_}:{ref}:{','.join(ACTIONS)}" for type_ in ("obj", "org", "res") for ref in ("o", "o/d/*", "o/")
    )
    assert not allows(scopes, operation, COLLECTION if operation == "create" else TARGET)


def test_one_of_several_scopes_is_enough_and_two_halves_are_not():
    assert allows("ds:x:read ds:d:read,tag obj:o/d/*:read", "tag")
    assert not allows("ds:o/d:read ds:o/e:tag p:o/d:tag", "tag")
    assert not permits((), "tag", TARGET, issued_at=1000)


@pytest.mark.parametrize(
    ("ref", "allowed"), [("d", True), (D_ID, True), ("o/d", False), ("o/*", False), ("*/d", False)]
)
def test_a_dataset_of_no_organization_is_named_alone(ref, allowed):
    assert allows(f"ds:{ref}:tag", "tag", Target(None, DATASET)) == allowed


@pytest.mark.parametrize("ref", ["o/", "d/", "*/", "d", "o/d", "*"])
def test_no_organization_has_no_collection(ref):
    assert not allows(f"ds:{ref}:create", "create", Target(None))


@pytest.mark.parametrize("ref", [D_ID, f"o/{D_ID}", f"{O_ID}/{D_ID}", f"{O_ID}/d"])
def test_who_is_named_like_another_s_id_is_not_meant_by_it(ref):
    impostor = Target(Named(OTHER_ID, O_ID) if ref.endswith("/d") else ORGANIZATION, Named(OTHER_ID, D_ID))
    assert not allows(f"ds:{ref}:tag", "tag", impostor)
    assert allows(f"ds:{OTHER_ID}:tag", "tag", impostor)


def test_an_id_that_is_the_name_too_is_still_the_id():
    assert allows(f"ds:{D_ID}:tag", "tag", Target(None, Named(D_ID, D_ID)))


@pytest.mark.parametrize(
    ("created", "issued_at", "meant"),
    [
        (999, 1000, True),
        (1000, 1000, True),
        (1000.9, 1000, True),  # an integer may have been 1000.95
        (1001, 1000, False),
        (1000.4, 1000.5, True),
        (1000.5, 1000.5, True),
        (1000.6, 1000.5, False),
        (1001.0, 1000.999, False),
        (0, 0, True),
        (1, 0, False),
    ],
)
def test_what_was_made_after_the_token_is_not_meant(created, issued_at, meant):
    dataset, organization = Named(D_ID, "d", created), Named(O_ID, "o", created)
    assert allows("ds:d:tag", "tag", Target(None, dataset), issued_at) == meant
    assert allows("ds:o/d:tag", "tag", Target(ORGANIZATION, dataset), issued_at) == meant
    assert allows("ds:o/d:tag", "tag", Target(organization, DATASET), issued_at) == meant
    assert allows("ds:o/*:tag", "tag", Target(organization, DATASET), issued_at) == meant
    assert allows("ds:o/:create", "create", Target(organization), issued_at) == meant


def test_all_of_an_organization_s_includes_what_is_yet_to_come():
    assert allows("ds:o/*:tag", "tag", Target(ORGANIZATION, Named(D_ID, "d", 2000)))


def naively_allows(text: str, action: str, part: str, organizations: set[str], datasets: set[str]) -> bool:
    """Read a scope without a grammar: split it, and see whether each piece is the one that it should be."""
    type_, _, rest = text.partition(":")
    ref, _, said = rest.partition(":")
    refs = {f"{above}/{below}" for above in organizations for below in datasets} | (datasets - {"*", ""})
    actions = said.removeprefix(part)
    return type_ == "ds" and ref in refs and ":" not in actions and action in actions.split(",")


PIECES = [
    "ds",
    "obj",
    "o",
    "p",
    "d",
    "e",
    O_ID,
    D_ID,
    "*",
    "",
    "read",
    "update",
    "tag",
    "create",
    "metadata",
    "data",
    "tagx",
]
NEAR = st.builds(
    lambda pieces, marks: "".join(piece + mark for piece, mark in zip(pieces, marks, strict=False)),
    st.lists(st.sampled_from(PIECES), min_size=3, max_size=7),
    st.lists(st.sampled_from([":", ":", "/", ",", "", " ", "."]), min_size=3, max_size=7),
)
RIGHT = st.builds(
    lambda type_, ref, part, actions: f"{type_}:{ref}:{part}{','.join(actions)}",
    st.sampled_from(["ds", "ds", "ds", "obj"]),
    st.sampled_from([*REFS, "o/", f"{O_ID}/", "*", "*/d", "p/d", "o/e", "*/", "o/d/", "p/*", "o"]),
    st.sampled_from(["", "", "metadata:", "data:"]),
    st.lists(st.sampled_from(ACTIONS), min_size=1, max_size=4),
)


@given(NEAR | RIGHT, st.sampled_from(sorted(POLICY)))
@example("ds:o/d:metadata:read", "show")
@example("ds:o/d:metadata:tag", "tag")
@example("ds:o/:create", "create")
@example("ds:o/*:tag", "tag")
@example("ds:*/d:tag", "tag")
def test_nothing_is_allowed_that_a_naive_reader_would_not_allow(text, operation):
    try:
        scopes = [parse_scope(text)]
    except Invalid:
        return
    create = operation == "create"
    allowed = permits(scopes, operation, COLLECTION if create else TARGET, issued_at=1000)
    action = {"show": "read"}.get(operation, operation)
    part = "metadata:" if operation in ("show", "update") else "\0"
    assert allowed == naively_allows(text, action, part, {"o", O_ID}, {""} if create else {"d", D_ID, "*"})
