"""The way to a Dask scheduler: what its address means, who may listen, and why it does not answer.

Certificates come from the command line, or else from Dask's own configuration (`distributed.comm.tls`, in its files or in variables
such as `DASK_DISTRIBUTED__COMM__TLS__CA_FILE`). A connection is tried before a client is made of it: a client says less about
what went wrong, and waits without end for a stranger that says nothing.
"""

import asyncio
import errno
import ipaddress
import os
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from grader.errors import UsageError

if TYPE_CHECKING:
    from distributed import Security

ENCRYPTED, CLEAR = "tls", "tcp"
CONNECT_SECONDS = 10
# What OpenSSL calls an answer that is no TLS.
NOT_TLS = {"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "UNEXPECTED_MESSAGE", "RECORD_LAYER_FAILURE"}


class Certificates(NamedTuple):
    """Files for TLS, in PEM: who is trusted, and this side's certificate and key."""

    authority: Path
    certificate: Path
    key: Path


class Access(NamedTuple):
    """How a scheduler is reached. security: what Dask takes for it; in_the_clear: whether others on the network can listen."""

    security: "Security"
    in_the_clear: bool


def access(address: str, certificates: Certificates | None, *, unencrypted: bool) -> Access:
    """Find out how to speak to a scheduler, and that it answers.

    unencrypted: whether that may be in the clear with another machine. Raises UsageError if it may not, the address is none, a
    certificate is missing or not accepted, or nobody answers in time.
    """
    scheme, host = _parts(address)
    security = _security(address, scheme, certificates)
    in_the_clear = scheme == CLEAR and not _is_here(address, host)
    if in_the_clear and not unencrypted:
        raise UsageError("cluster-in-the-clear", address=address)
    try:
        asyncio.run(_try(address, security))
    except OSError as error:
        raise _explained(address, error) from None
    except Exception as error:  # noqa: BLE001 - Dask takes a stranger's first words for lengths, and fails in many ways
        # So does tornado, where words in the clear come before the first of TLS.
        raise UsageError(
            "scheduler-without-tls" if scheme == ENCRYPTED else "scheduler-unlike-dask",
            address=address,
            reason=type(error).__name__,
        ) from None
    return Access(security, in_the_clear)


def _parts(address: str) -> tuple[str, str]:
    """The scheme and the host."""
    try:
        parts = urlsplit(address)
        scheme, host, port = parts.scheme, parts.hostname, parts.port
    except ValueError:
        scheme, host, port = "", None, None
    if scheme not in (ENCRYPTED, CLEAR) or not host or not port:
        raise UsageError("cluster-address", address=address)
    return scheme, host


def _security(address: str, scheme: str, certificates: Certificates | None) -> "Security":
    from distributed import Security  # noqa: PLC0415 - an extra

    named: dict[str, object] = {}
    if certificates is not None:
        named = {
            "require_encryption": True,
            "tls_ca_file": str(certificates.authority),
            "tls_client_cert": str(certificates.certificate),
            "tls_client_key": str(certificates.key),
        }
    try:
        security = Security(**named)
        context = security.get_connection_args("client")["ssl_context"]
    except (OSError, ValueError) as error:  # what OpenSSL says of a file, too
        files = certificates or ("distributed.comm.tls",)
        reason = getattr(error, "strerror", None) or str(error)
        raise UsageError("certificates-unusable", files=", ".join(map(str, files)), reason=reason) from None
    if scheme == ENCRYPTED and context is None:
        raise UsageError("certificates-missing", address=address)
    if scheme == CLEAR and security.require_encryption:
        raise UsageError("cluster-not-encrypted", address=address)
    return security


def _is_here(address: str, host: str) -> bool:
    """Whether what is sent to a host stays on this machine."""
    try:
        found = socket.getaddrinfo(host, None)
    except OSError as error:
        raise UsageError("cluster-unreachable", address=address, reason=error.strerror or "") from None
    return all(ipaddress.ip_address(place[4][0]).is_loopback for place in found)


async def _try(address: str, security: "Security") -> None:
    """Exchange greetings. Raises OSError, of which TimeoutError and Dask's CommClosedError are kinds."""
    from distributed.comm import connect  # noqa: PLC0415 - an extra

    arguments = security.get_connection_args("client")
    async with asyncio.timeout(CONNECT_SECONDS + 1):
        comm = await connect(address, timeout=CONNECT_SECONDS, **arguments)
        await comm.close()


def _explained(address: str, error: OSError) -> UsageError:
    from distributed.comm import CommClosedError  # noqa: PLC0415 - an extra

    scheme = urlsplit(address).scheme
    causes = list(_causes(error))
    deepest = causes[-1]
    reason = str(getattr(deepest, "strerror", None) or deepest) or type(deepest).__name__
    if any(isinstance(cause, ssl.SSLCertVerificationError) for cause in causes):
        return UsageError("scheduler-not-trusted", address=address, reason=reason)
    if any(isinstance(cause, ssl.SSLError) and cause.reason in NOT_TLS for cause in causes):
        return UsageError("scheduler-without-tls", address=address, reason=reason)
    if not isinstance(error, CommClosedError):  # nobody took the call, or whoever did says nothing
        return UsageError("cluster-unreachable", address=address, reason=_silence(address))
    return UsageError(
        "certificate-refused" if scheme == ENCRYPTED else "scheduler-hangs-up", address=address, reason=reason
    )


def _silence(address: str) -> str:
    """Why nobody answers there, by a plain call: the last of Dask's may have been too short to tell."""
    parts = urlsplit(address)
    try:
        socket.create_connection((parts.hostname or "", parts.port or 0), timeout=1).close()
    except TimeoutError:
        pass
    except OSError as error:
        return error.strerror or str(error)
    return os.strerror(errno.ETIMEDOUT)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """An error, what caused it, and so on."""
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        cause = cause.__cause__
