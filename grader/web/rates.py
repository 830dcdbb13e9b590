"""How often somebody may ask: a bucket of tokens for each, which fills up again, in memory."""

import ipaddress
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import NamedTuple

# So many buckets are kept; those that were not used for longest are full again by then.
MOST_KEPT = 20_000
IPV6_OF_ONE = 64


class Rate(NamedTuple):
    """How many at once, and how many a second after that."""

    at_once: float
    a_second: float


# A class often shares one address; a person's own browser is told by the cookie.
BY_ADDRESS = {"page": Rate(600, 60), "enter": Rate(150, 2), "wrong": Rate(20, 0.1)}
BY_VISIT = {"page": Rate(90, 10), "upload": Rate(8, 0.1), "stream": Rate(20, 0.2), "copy": Rate(3, 1 / 60)}


class Rates:
    """Counts who asked how often. Threads may share one. clock: seconds that only go up."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._lock = clock, threading.Lock()
        self._buckets: OrderedDict[tuple[str, str], tuple[float, float]] = OrderedDict()

    def take(self, kind: str, who: str, rate: Rate) -> float:
        """0 and one token less; or the seconds until there is one."""
        with self._lock:
            now = self._clock()
            tokens, then = self._buckets.pop((kind, who), (rate.at_once, now))
            tokens = min(rate.at_once, tokens + (now - then) * rate.a_second)
            enough = tokens >= 1
            self._buckets[kind, who] = (tokens - enough, now)
            if len(self._buckets) > MOST_KEPT:
                self._buckets.popitem(last=False)
        return 0.0 if enough else (1 - tokens) / rate.a_second


def origin(host: str) -> str:
    """Whose an address is: of IPv6 one customer has a whole network."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    if address.version == 4:  # noqa: PLR2004 - of IPv4
        return host
    return str(ipaddress.ip_network((address, IPV6_OF_ONE), strict=False))
