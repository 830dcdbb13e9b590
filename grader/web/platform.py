"""What the service needs where learning platforms are concerned, of `grader.lms.lti`, on the service's store."""

import time
from collections.abc import Iterable
from typing import NamedTuple

from grader.lms.lti.keys import PlatformKeys
from grader.lms.lti.launch import Launches
from grader.lms.lti.outbound import Outbound
from grader.lms.lti.signing import OurKeys
from grader.lms.lti.tokens import Tokens
from grader.lms.lti.tool import Tool
from grader.web.store.remembered import Remembered
from grader.web.store.seals import Seal
from grader.web.store.store import Store


class Lti(NamedTuple):
    """tool: our addresses; remembered: what all processes share; outbound: the way to platforms; launches, keys, tokens: see there."""

    tool: Tool
    remembered: Remembered
    outbound: Outbound
    launches: Launches
    keys: OurKeys
    tokens: Tokens


def lti_at(address: str, store: Store, networks: Iterable[str] = (), seal: Seal | None = None) -> Lti:
    """All of it, for a service that browsers reach by an address. networks: see `Outbound`; seal: how our keys are kept."""
    remembered = Remembered(store, time.time, seal)
    outbound = Outbound(networks=networks)
    keys = OurKeys(remembered)
    return Lti(
        tool=Tool(base=address.rstrip("/")),
        remembered=remembered,
        outbound=outbound,
        launches=Launches(remembered, remembered, PlatformKeys(outbound)),
        keys=keys,
        tokens=Tokens(outbound, keys),
    )
