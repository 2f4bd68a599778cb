"""Keys of issuers come by https from where the administrator said, from nowhere else, in time, and are kept a while."""

import socket
import time
import tracemalloc
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from adapters.fetched_keys import AGAIN, NoKeys
from adapters.identity_tokens import KEPT, BadToken, Key, PublishedIssuers, fetch_keys, issuer_named
from adapters.in_time import NoAnswer, is_public
from tests.identity_issuer import EC, RSA, STRANGER, SigningKey, timed
from tests.tls_issuer import DISCOVERY, TlsIssuer, page, tls_issuer

NOW = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)
SECOND = SigningKey("second")


@pytest.fixture
def issuer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[TlsIssuer]:
    with tls_issuer(tmp_path, RSA, EC) as found:
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))
        yield found


def claims(tokens: PublishedIssuers, issuer: TlsIssuer, key: SigningKey, *, now: datetime = NOW) -> Any:
    text = key.sign(timed(now, iss=issuer.url))
    return tokens.signed_claims(text, issuer=issuer.url, allows_private=True, now=now)


@pytest.mark.parametrize("key", [RSA, EC], ids=["RS256", "ES256"])
def test_keys_are_found_by_discovery_and_asked_for_once(issuer: TlsIssuer, key: SigningKey) -> None:
    tokens = PublishedIssuers()

    for _ in range(3):
        assert claims(tokens, issuer, key)["iss"] == issuer.url

    assert issuer.asked == [DISCOVERY, "/keys?v=1"]


def test_a_key_that_is_new_is_fetched_at_most_once_a_minute(issuer: TlsIssuer) -> None:
    tokens = PublishedIssuers()
    claims(tokens, issuer, RSA)
    issuer.keys = [SECOND]

    with pytest.raises(BadToken, match="does not publish"):
        claims(tokens, issuer, SECOND, now=NOW + AGAIN / 2)
    found = claims(tokens, issuer, SECOND, now=NOW + AGAIN)
    with pytest.raises(BadToken, match="does not publish"):
        claims(tokens, issuer, RSA, now=NOW + AGAIN)

    assert found["iss"] == issuer.url
    assert issuer.asked.count(DISCOVERY) == 2


def test_an_issuer_that_is_down_is_believed_for_an_hour_and_then_no_more(issuer: TlsIssuer) -> None:
    tokens = PublishedIssuers()
    claims(tokens, issuer, RSA)
    issuer.answers[DISCOVERY] = lambda: [page({}, status="503 Service Unavailable")]

    still = claims(tokens, issuer, RSA, now=NOW + KEPT - timedelta(seconds=1))
    with pytest.raises(NoKeys):
        claims(tokens, issuer, RSA, now=NOW + KEPT)

    assert still["iss"] == issuer.url


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("8.8.8.8", True),
        ("2606:4700:4700::1111", True),
        ("127.0.0.1", False),
        ("10.0.0.1", False),
        ("192.168.1.1", False),
        ("169.254.169.254", False),
        ("100.64.0.1", False),
        ("0.0.0.0", False),  # noqa: S104
        ("224.0.0.1", False),
        ("255.255.255.255", False),
        ("::1", False),
        ("::", False),
        ("fe80::1", False),
        ("fd00::1", False),
        ("ff02::1", False),
        ("::ffff:127.0.0.1", False),
        ("::ffff:8.8.8.8", True),
        ("64:ff9b::127.0.0.1", False),
        ("64:ff9b::169.254.169.254", False),
        ("64:ff9b::8.8.8.8", True),
        ("2002:7f00:1::", False),
    ],
)
def test_an_address_is_public_or_not(address: str, public: bool) -> None:
    assert is_public(ip_address(address)) is public


@pytest.mark.parametrize(
    "addresses",
    [
        ["127.0.0.1"],
        ["169.254.169.254"],
        ["::ffff:127.0.0.1"],
        ["::1"],
        ["fe80::1%2"],
        ["8.8.8.8", "127.0.0.1"],  # one of several is enough
    ],
)
def test_a_name_that_leads_into_our_own_network_is_not_called(
    issuer: TlsIssuer, monkeypatch: pytest.MonkeyPatch, addresses: list[str]
) -> None:
    def resolve(host: str, port: int, *args: Any, **more: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    url = issuer.url.replace("localhost", "issuer.example")

    with pytest.raises(NoAnswer, match="private network"):
        fetch_keys(url, allows_private=False)

    assert issuer.asked == []


def test_the_address_that_was_looked_at_is_the_one_that_is_called(
    issuer: TlsIssuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name server that answers otherwise the second time leads nowhere."""
    asked: list[str] = []

    def resolve(host: str, port: int, *args: Any, **more: Any) -> list[Any]:
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("203.0.113.1" if len(asked) > 1 else "8.8.8.8", port))]

    called: list[Any] = []

    def call(address: Any, timeout: float | None = None, **more: Any) -> socket.socket:
        called.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    monkeypatch.setattr(socket, "create_connection", call)

    with pytest.raises(ConnectionRefusedError):
        fetch_keys("https://issuer.example", allows_private=False)

    assert (asked, called) == (["issuer.example"], [("8.8.8.8", 443)])


@pytest.mark.parametrize("named", ["https://evil.example", "https://localhost", None, 7])
def test_a_document_of_another_issuer_is_none_even_with_the_right_keys(issuer: TlsIssuer, named: Any) -> None:
    issuer.document["issuer"] = named

    with pytest.raises(NoAnswer, match="another issuer"):
        fetch_keys(issuer.url, allows_private=True)


def endless() -> Iterator[bytes]:
    yield b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n"
    while True:
        yield b" " * 65_536


def drop_by_drop() -> Iterator[bytes]:
    yield b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n"
    while True:
        time.sleep(0.2)
        yield b" "


def silent() -> Iterator[bytes]:
    time.sleep(30)
    yield b""


@pytest.mark.parametrize("habit", [endless, drop_by_drop, silent])
@pytest.mark.parametrize("path", [DISCOVERY, "/keys?v=1"])
def test_bad_habits_end_within_six_seconds_and_little_memory(issuer: TlsIssuer, habit: Any, path: str) -> None:
    issuer.answers[path] = habit
    tokens, began = PublishedIssuers(), time.monotonic()
    tracemalloc.start()
    try:
        with pytest.raises(NoKeys):
            claims(tokens, issuer, RSA)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert time.monotonic() - began < 6
    assert peak < 4_000_000


@pytest.mark.parametrize(
    ("path", "answer"),
    [
        (DISCOVERY, page({}, status="302 Found", headers="Location: https://localhost/\r\n")),
        (DISCOVERY, page({"issuer": "https://evil.example", "jwks_uri": "https://evil.example/keys"})),
        (DISCOVERY, page([])),
        (DISCOVERY, page(b"{")),
        (DISCOVERY, page(b"")),
        (DISCOVERY, page(b"[" * 100_000)),
        (DISCOVERY, b"not HTTP at all"),
        ("/keys?v=1", page({}, status="302 Found", headers="Location: https://localhost/\r\n")),
        ("/keys?v=1", page({"keys": "none"})),
        ("/keys?v=1", page({"keys": [{}] * 101})),
    ],
)
def test_answers_of_another_form_give_no_keys(issuer: TlsIssuer, path: str, answer: bytes) -> None:
    issuer.answers[path] = lambda: [answer]

    with pytest.raises(NoKeys):
        claims(PublishedIssuers(), issuer, RSA)


@pytest.mark.parametrize(
    "address",
    [
        None, 7, "", "http://localhost/keys", "file:///etc/passwd", "https://", "https://a b/keys",
        "https://user@localhost/keys", "https://localhost/\r\nX: 1", "https://localhost:99999/", "https://é.example/",
    ],
)  # fmt: skip
def test_keys_come_by_https_alone(issuer: TlsIssuer, address: Any) -> None:
    issuer.document["jwks_uri"] = address

    with pytest.raises(NoKeys):
        claims(PublishedIssuers(), issuer, RSA)

    assert issuer.asked == [DISCOVERY]


def test_where_the_keys_lie_may_not_be_private_either(issuer: TlsIssuer, monkeypatch: pytest.MonkeyPatch) -> None:
    real = socket.create_connection
    port = int(issuer.url.rpartition(":")[2])

    def resolve(host: str, to: int, *args: Any, **more: Any) -> list[Any]:
        address = {"issuer.example": "8.8.8.8", "inside.example": "10.0.0.1"}.get(host, host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, to))]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    monkeypatch.setattr(socket, "create_connection", lambda address, timeout: real(("127.0.0.1", port), timeout))
    url = f"https://issuer.example:{port}"
    issuer.document |= {"issuer": url, "jwks_uri": "https://inside.example/keys"}

    with pytest.raises(NoAnswer, match="private network"):
        fetch_keys(url, allows_private=False)

    assert issuer.asked == [DISCOVERY]


def test_a_certificate_that_nobody_vouches_for_gives_no_keys(
    issuer: TlsIssuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")

    with pytest.raises(NoKeys):
        claims(PublishedIssuers(), issuer, RSA)


def odd_keys() -> dict[str, dict[str, Any]]:
    small = SigningKey("odd", "RS256", rsa.generate_private_key(65537, 1024))  # noqa: S505
    curve = SigningKey("odd", "ES384", ec.generate_private_key(ec.SECP384R1()))
    plain = {name: value for name, value in RSA.entry.items() if name != "kid"}
    return {
        "a small key": small.entry,
        "another curve": {**curve.entry, "alg": "ES256"},
        "for sealing": {**RSA.entry, "kid": "odd", "use": "enc"},
        "for another algorithm": {**RSA.entry, "kid": "odd", "alg": "PS256"},
        "a secret": {"kty": "oct", "k": "c2VjcmV0", "kid": "odd", "alg": "HS256"},
        "without a name": plain,
        "a name that is no text": {**plain, "kid": 7},
        "no key at all": {"kid": "odd"},
        "half a key": {"kty": "RSA", "kid": "odd", "n": "AQAB"},
        "numbers for texts": {"kty": "RSA", "kid": "odd", "n": 1, "e": 2},
        "a list for a kind": {"kty": [], "kid": "odd"},
    }


@pytest.mark.parametrize("which", list(odd_keys()))
def test_keys_that_cannot_be_used_are_passed_over(issuer: TlsIssuer, which: str) -> None:
    issuer.answers["/keys?v=1"] = lambda: [page({"keys": [odd_keys()[which], EC.entry]})]

    found = fetch_keys(issuer.url, allows_private=True)

    assert list(found) == [EC.kid]


@pytest.mark.parametrize(
    "text",
    ["", ".", "..", "a.b.c", "x" * 16_385, "eyJhbGciOiJub25lIn0.W10.", "eyJhbGciOiJub25lIn0.e30.", "\x00", "é"],
)
def test_what_is_no_token_names_no_issuer(text: str) -> None:
    with pytest.raises(BadToken):
        issuer_named(text)


def test_only_the_key_of_that_name_counts() -> None:
    keys: dict[str, Key] = {RSA.kid: ("RS256", RSA.private.public_key())}  # type: ignore[dict-item]
    tokens = PublishedIssuers(lambda issuer, allows_private: keys)
    text = STRANGER.sign(timed(NOW, iss="https://issuer.example"))

    with pytest.raises(BadToken, match="does not fit"):
        tokens.signed_claims(text, issuer="https://issuer.example", allows_private=False, now=NOW)
