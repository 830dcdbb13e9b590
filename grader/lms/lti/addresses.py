"""Which machines may be asked: the public ones, and those of networks that were named."""

import ipaddress
import socket
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address

Address = IPv4Address | IPv6Address
# The setting for development: this machine.
LOOPBACK = ("127.0.0.0/8", "::1/128")
# IPv6 that a gateway turns into the IPv4 address in its last four bytes (RFC 6052).
_TRANSLATED = "64:ff9b::/96"


def resolved(host: str, port: int) -> list[Address]:
    """The addresses of a host, in the system's order. Raises OSError or UnicodeError where it has none."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [ipaddress.ip_address(str(where[0]).partition("%")[0]) for *_, where in found]


def allowed(address: Address, networks: Iterable[str]) -> bool:
    """Whether an address may be connected to."""
    return any(address in ipaddress.ip_network(network) for network in networks) or _public(address)


def _public(address: Address) -> bool:
    """Whether it is of the internet at large; an IPv6 address that stands for an IPv4 one is what that is."""
    if isinstance(address, IPv6Address):
        if (inside := _inside(address)) is not None:
            return _public(inside)
        if address.is_site_local:
            return False
    return address.is_global and not (address.is_multicast or address.is_reserved)


def _inside(address: IPv6Address) -> IPv4Address | None:
    if address in ipaddress.ip_network(_TRANSLATED):
        return IPv4Address(address.packed[-4:])
    return address.ipv4_mapped or address.sixtofour
