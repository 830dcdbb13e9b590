"""The way out: only to whom it may lead, only so much, only to the address that was judged."""

import ipaddress
import socket
import ssl
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from grader.errors import PlatformFault
from grader.lms.lti.addresses import LOOPBACK, Address, allowed
from grader.lms.lti.outbound import LARGEST, Answer, Outbound, Resolve
from tests.lti_site import Reply, Site, in_json, serving
from tests.lti_visit import outbound, rsa_key


@pytest.fixture
def site() -> Iterator[Site]:
    with serving() as found:
        found.answers["GET /keys"] = lambda _: in_json({"keys": []})
        yield found


def to(*addresses: str) -> Resolve:
    """A resolver that has one answer to everything."""
    return lambda host, port: [ipaddress.ip_address(address) for address in addresses]


def fault(way: Outbound, url: str) -> PlatformFault:
    with pytest.raises(PlatformFault) as caught:
        way.get(url, "application/json")
    return caught.value


# ---- to whom ------------------------------------------------------------------------------------

PRIVATE = [
    "127.0.0.1", "127.255.255.254", "10.0.0.5", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0",
    "224.0.0.1", "240.0.0.1", "255.255.255.255", "192.0.2.1", "198.18.0.1", "::1", "::", "fe80::1",
    "fc00::1", "fd12::1", "fec0::1", "ff02::1", "2001:db8::1", "::ffff:10.0.0.1", "::ffff:127.0.0.1", "2002:7f00:1::",
    "2002:a00:5::1", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::1", "4000::1",
]  # fmt: skip
PUBLIC = ["8.8.8.8", "2606:4700::1111", "64:ff9b::808:808", "2002:808:808::1"]


@pytest.mark.parametrize("address", PRIVATE)
def test_a_name_with_a_private_address_is_not_asked(address: str) -> None:
    error = fault(
        Outbound(tls=ssl.create_default_context(), resolve=to(address)), "https://lms.example.org/keys"
    )
    assert (error.text, error.retry) == ("lti-address-private", False)


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_may_be_asked(address: str) -> None:
    assert allowed(ipaddress.ip_address(address), ())


def test_one_private_address_among_public_ones_is_enough() -> None:
    assert (
        fault(Outbound(resolve=to("8.8.8.8", "10.0.0.1")), "https://lms.example.org/").text
        == "lti-address-private"
    )
    assert fault(Outbound(resolve=to()), "https://lms.example.org/").text == "lti-address-private"


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "2130706433", "0x7f.1", "127.1", "0", "[::1]", "[::ffff:127.0.0.1]"]
)
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_this_machine_is_not_asked_whatever_it_is_called(site: Site, scheme: str, host: str) -> None:
    error = fault(Outbound(), f"{scheme}://{host}:{site.port}/keys")
    assert error.text in {"lti-address-private", "lti-address-malformed", "lti-unreachable"}
    assert site.asked == []


def test_a_network_may_be_allowed_and_no_other_is() -> None:
    for address, may in {"10.1.2.3": True, "10.2.0.1": False, "192.168.0.1": False}.items():
        assert allowed(ipaddress.ip_address(address), ("10.1.0.0/16",)) is may


@pytest.mark.parametrize(
    "url",
    ["", "lms.example.org", "ftp://lms.example.org/", "file:///etc/passwd", "https://", "https://user:word@lms.example.org/",
     "https://lms.example.org/#part", "https://lms.example.org:99999/", "http://lms.example.org/", "https://[::1/"],
)  # fmt: skip
def test_what_is_no_address_for_this_is_refused(url: str) -> None:
    assert fault(Outbound(resolve=to("8.8.8.8")), url).text == "lti-address-malformed"


def test_http_is_for_loopback_alone_also_in_an_allowed_network() -> None:
    way = Outbound(networks=("10.0.0.0/8", *LOOPBACK), resolve=to("10.0.0.1"))
    assert fault(way, "http://lms.example.org/").text == "lti-address-malformed"


def test_the_connection_goes_to_the_address_that_was_judged(site: Site) -> None:
    asked: list[str] = []

    def rebinding(host: str, port: int) -> Sequence[Address]:
        asked.append(host)
        return [ipaddress.ip_address("127.0.0.1" if len(asked) == 1 else "10.0.0.1")]

    way = Outbound(networks=LOOPBACK, resolve=rebinding)
    url = f"http://lms.invalid:{site.port}/keys?A=%2f&b=c+d"
    assert way.get(url, "application/json").status == 200
    assert asked == ["lms.invalid"]
    assert site.asked[0].headers["host"] == f"lms.invalid:{site.port}"
    assert site.paths() == ["/keys?A=%2f&b=c+d"]
    assert fault(way, url).text == "lti-address-private"
    assert len(site.asked) == 1


@pytest.mark.parametrize(
    ("url", "port"),
    [("https://lms.invalid/", 443), ("http://lms.invalid", 80), ("https://lms.invalid:8443/x", 8443)],
)
def test_a_name_is_resolved_for_its_port(url: str, port: int) -> None:
    asked: list[tuple[str, int]] = []

    def resolve(host: str, at: int) -> Sequence[Address]:
        asked.append((host, at))
        return []

    fault(Outbound(resolve=resolve), url)
    assert asked == [("lms.invalid", port)]


def test_where_one_address_does_not_answer_the_next_is_tried(site: Site) -> None:
    way = Outbound(networks=LOOPBACK, resolve=to("127.0.0.9", "127.0.0.1"))
    assert way.get(f"http://lms.invalid:{site.port}/keys", "*/*").status == 200


def test_a_proxy_in_the_environment_is_passed_by(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert outbound().get(f"{site.url}/keys", "*/*").status == 200


# ---- what comes back ----------------------------------------------------------------------------


def test_a_redirect_is_not_followed(site: Site) -> None:
    site.answers["GET /moved"] = lambda _: Reply(b"", 302, (("Location", f"{site.url}/keys"),))
    error = fault(outbound(), f"{site.url}/moved")
    assert (error.text, error.retry) == ("lti-answer-redirects", False)
    assert site.paths() == ["/moved"]


def test_too_large_an_answer_is_dropped(site: Site) -> None:
    site.answers["GET /most"] = lambda _: Reply(b" " * LARGEST)
    site.answers["GET /more"] = lambda _: Reply(b" " * (LARGEST + 1))
    assert len(outbound().get(f"{site.url}/most", "*/*").body) == LARGEST
    assert fault(outbound(), f"{site.url}/more").text == "lti-answer-too-large"


@contextmanager
def endless(size: int) -> Iterator[int]:
    """The port of a server that sends `size` letters, and then one more now and then, and never ends."""
    stop = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:

        def send() -> None:
            connection, _ = server.accept()
            with connection, suppress(OSError):
                connection.sendall(
                    b"HTTP/1.1 200 OK\r\nX: " if not size else b"HTTP/1.1 200 OK\r\n\r\n" + b" " * size
                )
                while not stop.wait(0.02):
                    connection.sendall(b"x")

        thread = threading.Thread(target=send)
        thread.start()
        yield int(server.getsockname()[1])
        stop.set()
        thread.join()


@pytest.mark.parametrize("size", [0, 10])
def test_an_answer_without_end_is_cut_off(size: int) -> None:
    """In its headers, or in its body, of which the end of the connection would be the end."""
    with endless(size) as port:
        error = fault(Outbound(networks=LOOPBACK, seconds=0.2), f"http://127.0.0.1:{port}/")
        assert (error.text, error.retry) == ("lti-unreachable", True)


def test_a_packed_answer_is_not_unpacked(site: Site) -> None:
    site.answers["GET /packed"] = lambda _: Reply(b"\x1f\x8b", 200, (("Content-Encoding", "gzip"),))
    assert fault(outbound(), f"{site.url}/packed").text == "lti-answer-unreadable"
    assert site.asked[0].headers["accept-encoding"] == "identity"


def test_nobody_there_may_pass() -> None:
    with serving() as gone:
        pass
    error = fault(outbound(), f"{gone.url}/keys")
    assert (error.text, error.retry) == ("lti-unreachable", True)


@pytest.mark.parametrize("error", [socket.gaierror("unknown"), UnicodeError("label too long")])
def test_no_such_host_may_pass(error: Exception) -> None:
    def lost(host: str, port: int) -> Sequence[Address]:
        raise error

    found = fault(Outbound(resolve=lost), "https://lms.invalid/")
    assert (found.text, found.retry) == ("lti-unreachable", True)


FINAL, LATER = (400, 401, 403, 404, 405, 410, 422), (408, 409, 425, 429, 500, 502, 503, 504)


@pytest.mark.parametrize("status", [*FINAL, *LATER])
def test_which_answers_are_worth_another_try(status: int) -> None:
    answer = Answer(status=status, headers={"retry-after": "30"}, body=b"why", host="lms.example.org")
    found = answer.fault()
    assert found is not None
    assert (found.retry, found.after) == (status in LATER, 30)


@pytest.mark.parametrize(
    ("body", "said"), [(b"why", "why"), (b"[]", "Not so"), (b" {} ", "Not so"), (b"", "Not so")]
)
def test_where_the_body_says_nothing_what_stands_beside_the_status_does(
    site: Site, body: bytes, said: str
) -> None:
    site.answers["GET /it"] = lambda _: Reply(body, 400, reason="Not so")
    found = outbound().get(f"{site.url}/it", "*/*").fault()
    assert found is not None
    assert found.params["said"] == said


@pytest.mark.parametrize("after", ["", "soon", "-1", "٣", "9" * 400, "Wed, 21 Oct 2026 07:28:00 GMT"])
def test_a_wait_that_is_no_number_of_seconds_is_passed_over(after: str) -> None:
    found = Answer(status=503, headers={"retry-after": after}, body=b"", host="x").fault()
    assert found is not None
    assert found.after is None


# ---- certificates -------------------------------------------------------------------------------


def certificate(folder: Path) -> Path:
    """A certificate for `lms.invalid`, signed by itself, with its key."""
    key, name = rsa_key("tls"), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "lms.invalid")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("lms.invalid")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / "lms.pem"
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.write_bytes(made.public_bytes(Encoding.PEM) + private)
    return path


def test_the_certificate_has_to_be_the_hosts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = certificate(tmp_path)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(path)
    believing = ssl.create_default_context(cafile=str(path))
    nobodys = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    for name in ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "CURL_CA_BUNDLE"):
        monkeypatch.setenv(name, str(path))
    with serving(server) as site:
        site.answers["GET /keys"] = lambda _: in_json({"keys": []})
        way = Outbound(networks=LOOPBACK, tls=believing, resolve=to("127.0.0.1"))
        assert way.get(f"https://lms.invalid:{site.port}/keys", "*/*").status == 200
        assert fault(way, f"https://other.invalid:{site.port}/keys").text == "lti-unreachable"
        way = Outbound(networks=LOOPBACK, tls=nobodys, resolve=to("127.0.0.1"))
        assert fault(way, f"https://lms.invalid:{site.port}/keys").text == "lti-unreachable"
        assert len(site.asked) == 1
