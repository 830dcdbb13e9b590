"""Whatever comes, to any address, from whomever: an answer with our headers, never a fault of ours; new addresses are asked by themselves."""

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.web_fuzz import Town, addresses, plain, requests, town

LIGHT, DEEP = 250, 8000


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with town(tmp_path_factory.mktemp("town")) as found:
        yield found


@settings(max_examples=LIGHT, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_no_request_is_answered_by_a_fault(shared: Town, data: st.DataObject) -> None:
    shared.require_sound(data.draw(requests(shared)))


@pytest.mark.slow
@settings(max_examples=DEEP, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_nor_among_many_more(shared: Town, data: st.DataObject) -> None:
    shared.require_sound(data.draw(requests(shared)))


def test_every_address_is_among_them() -> None:
    assert {"/", "/enter", "/attempts/{attempt:int}/file", "/static/{path}"} <= set(addresses())


ONCE_FAULTS = {
    "a number of too many digits": plain("/attempts/" + "9" * 5000),
    "an address that would be of another site": plain("//evil.example/"),
    "the same, for browsers that take it as such": plain("/%5Cevil.example/"),
    "a query that is no text": plain("/", query=b"\x80"),
    "a length that is no number": plain("/lti/launch", "POST", headers=[(b"content-length", b"\xb2")]),
}


@pytest.mark.parametrize("what", ONCE_FAULTS)
def test_what_was_once_a_fault(shared: Town, what: str) -> None:
    shared.require_sound(ONCE_FAULTS[what])
