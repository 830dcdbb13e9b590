"""Whatever comes, in a claim, a header or a form: somebody is let in, or refused with a reason, and nothing else ever happens."""

from collections.abc import Iterator
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.errors import LaunchRefused
from grader.lms.lti.records import Role
from tests.lti_site import serving
from tests.lti_visit import Door, Visit


@pytest.fixture(scope="module")
def shared() -> Iterator[Door]:
    with serving() as site:
        yield Door(site)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=6,
)


def let_in_or_refused(visit: Visit) -> None:
    try:
        launch = visit.receive()
    except LaunchRefused as error:
        assert error.status in {400, 401, 403}
    else:
        assert launch.role in get_args(Role)


@settings(deadline=None, max_examples=150)
@given(data=st.data())
def test_a_claim_of_any_kind_is_let_in_or_refused(shared: Door, data: st.DataObject) -> None:
    visit = visit_to(shared, data.draw(st.booleans()))
    claims = visit.claims
    name = data.draw(st.sampled_from(sorted(claims)))
    if isinstance(claims[name], dict) and data.draw(st.booleans()):
        claims = claims[name]
        name = data.draw(st.sampled_from(sorted(claims)))
    claims[name] = data.draw(JSON)
    let_in_or_refused(visit)


@pytest.mark.parametrize("choose", [False, True])
def test_any_claim_may_be_missing_or_null(shared: Door, choose: bool) -> None:
    for name in sorted(visit_to(shared, choose).claims):
        gone, null = visit_to(shared, choose), visit_to(shared, choose)
        del gone.claims[name]
        null.claims[name] = None
        let_in_or_refused(gone)
        let_in_or_refused(null)


@settings(deadline=None, max_examples=100)
@given(header=st.dictionaries(st.sampled_from(["alg", "kid", "typ", "crit", "b64", "x"]), JSON, max_size=3))
def test_a_header_of_any_kind_is_let_in_or_refused(shared: Door, header: dict[str, Any]) -> None:
    visit = visit_to(shared, False)
    visit.header |= header
    let_in_or_refused(visit)


@settings(deadline=None, max_examples=100)
@given(
    form=st.dictionaries(st.sampled_from(["id_token", "state", "error"]), st.text(st.characters())),
    secret=st.none() | st.text(st.characters()),
)
def test_a_form_of_any_kind_is_let_in_or_refused(
    shared: Door, form: dict[str, str], secret: str | None
) -> None:
    visit = visit_to(shared, False)
    visit.form |= form
    visit.secret = secret if secret is None else visit.secret
    let_in_or_refused(visit)
    visit = visit_to(shared, False)
    visit.secret = secret
    let_in_or_refused(visit)


@settings(deadline=None, max_examples=100)
@given(payload=st.binary(max_size=40))
def test_a_payload_of_any_kind_is_let_in_or_refused(shared: Door, payload: bytes) -> None:
    visit = visit_to(shared, False)
    visit.payload = payload
    let_in_or_refused(visit)


def visit_to(door: Door, choose: bool) -> Visit:
    visit = Visit(door)
    return visit.choose() if choose else visit
