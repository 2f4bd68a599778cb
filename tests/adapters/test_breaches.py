"""A password is looked up among leaked ones by five digits of its hash; a service that fails keeps nobody out."""

import socket
import ssl
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme
from structlog.typing import EventDict

import adapters.breaches
from adapters.breaches import AT_ONCE, MAX_BYTES, NoBreaches, RangeService
from tests.breach_service import PADDING, Answer, a_list, a_service, hash_of, leaked, logged

PASSWORD = "quiet lantern over seven harbours"
DIGITS, REST = hash_of(PASSWORD)
KNOWN = f"{REST}:3"


@pytest.fixture
def warnings() -> Iterator[list[EventDict]]:
    """What the log is told meanwhile."""
    with logged() as lines:
        yield lines


def holds(answer: Answer) -> bool:
    with a_service(answer) as service:
        return RangeService(service.url).holds(PASSWORD.encode())


def test_the_service_is_sent_five_digits_and_asked_for_padding() -> None:
    with a_service(leaked(PASSWORD)) as service:
        RangeService(service.url).holds(PASSWORD.encode())

    [request] = service.requests
    first, *headers = request.splitlines()
    assert first == f"GET /range/{DIGITS} HTTP/1.1"
    assert "Add-Padding: true" in headers
    assert f"Host: {service.url.removeprefix('http://')}" in headers
    assert REST not in request.upper()


def test_a_copy_of_the_service_may_lie_in_a_folder() -> None:
    with a_service(leaked(PASSWORD)) as service:
        assert RangeService(f"{service.url}/leaks").holds(PASSWORD.encode())

    assert service.requests[0].startswith(f"GET /leaks/range/{DIGITS} ")


@pytest.mark.parametrize(
    ("entries", "is_known"),
    [
        ([KNOWN], True),
        ([*PADDING, KNOWN], True),
        ([KNOWN.lower()], True),
        ([f"{REST}:12345678"], True),
        (PADDING, False),
        ([f"{REST}:0"], False),
        ([f"{REST[:-1]}{'0' if REST[-1] != '0' else '1'}:3"], False),
        ([], False),
    ],
)
def test_a_password_is_known_where_its_hash_was_seen(
    warnings: list[EventDict], entries: list[str], is_known: bool
) -> None:
    assert holds(a_list(*entries)) is is_known
    assert warnings == []


def test_an_answer_in_chunks_is_read() -> None:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    halves = [f"{len(half):X}\r\n{half}\r\n".encode() for half in (KNOWN[:20], KNOWN[20:])]

    assert holds(lambda: [head, *halves, b"0\r\n\r\n"])


def pieces(*parts: bytes, pause: float) -> Answer:
    def say() -> Iterator[bytes]:
        for part in parts:
            yield part
            time.sleep(pause)

    return say


WELL = b"HTTP/1.1 200 OK\r\n\r\n"
FAILURES = {
    "an error": (a_list(KNOWN, status="500 Internal Server Error"), "status 500"),
    "another success": (a_list(KNOWN, status="203 Non-Authoritative Information"), "status 203"),
    "too many questions": (a_list(KNOWN, status="429 Too Many Requests", headers="Retry-After: 2\r\n"), "status 429"),
    "a redirect": (a_list(KNOWN, status="302 Found", headers="Location: /elsewhere\r\n"), "status 302"),
    "a page": (a_list("<html><body>Please sign in to this network", KNOWN), "not a list of hashes"),
    "a count that is none": (a_list(KNOWN, f"{REST}:-1"), "not a list of hashes"),
    "packed bytes": (lambda: [WELL, b"\x1f\x8b\x08\x00" * 20], "not a list of hashes"),
    "too much": (lambda: [WELL, f"{KNOWN}\r\n".encode() * (MAX_BYTES // len(KNOWN))], f"more than {MAX_BYTES} bytes"),
    "headers without end": (lambda: [b"HTTP/1.1 200 OK\r\n", b"X: y\r\n" * MAX_BYTES], f"more than {MAX_BYTES} bytes"),
    "less than it said": (
        lambda: [b"HTTP/1.1 200 OK\r\nContent-Length: 9000\r\n\r\n", KNOWN.encode()],
        "IncompleteRead",
    ),
    "no HTTP": (lambda: [b"220 mail.example ESMTP\r\n"], "BadStatusLine"),
    "nothing": (list, "RemoteDisconnected"),
}


@pytest.mark.parametrize("failure", FAILURES)
def test_a_service_that_fails_says_no_and_one_line_says_why(warnings: list[EventDict], failure: str) -> None:
    answer, why = FAILURES[failure]

    assert not holds(answer)

    [line] = warnings
    assert line["log_level"] == "warning"
    assert why in line["why"]
    for secret in (PASSWORD, DIGITS, REST[:10]):
        assert secret not in repr(line).upper()


def test_a_redirect_is_followed_by_no_second_request() -> None:
    with a_service(a_list(status="302 Found", headers="Location: /range/00000\r\n")) as service:
        RangeService(service.url).holds(PASSWORD.encode())

    assert len(service.requests) == 1


def test_what_the_service_says_back_is_not_written_down(warnings: list[EventDict]) -> None:
    assert not holds(lambda: [f"sorry, {DIGITS} {REST}\r\n\r\n".encode()])

    assert DIGITS not in repr(warnings)
    assert REST not in repr(warnings)


@pytest.mark.parametrize(
    "slow",
    [
        pieces(b"", b"", pause=5),
        pieces(*(bytes([byte]) for byte in WELL), pause=0.2),
        pieces(WELL, *[f"{KNOWN}\r\n".encode()] * 50, pause=0.2),
    ],
    ids=["says nothing", "drips its headers", "drips its list"],
)
def test_the_time_limit_is_for_all_of_it(
    warnings: list[EventDict], slow: Answer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adapters.breaches, "SECONDS", 0.5)
    with a_service(slow) as service:
        started = time.monotonic()

        assert not RangeService(service.url).holds(PASSWORD.encode())

        assert time.monotonic() - started < 1
    assert [line["why"] for line in warnings] == ["no answer within 0.5 seconds"]


def test_a_name_server_that_hangs_holds_nobody_up(warnings: list[EventDict], monkeypatch: pytest.MonkeyPatch) -> None:
    answered = threading.Event()
    monkeypatch.setattr(adapters.breaches, "SECONDS", 0.2)
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: answered.wait(10) and [])
    started = time.monotonic()

    assert not RangeService("https://leaks.example").holds(PASSWORD.encode())

    answered.set()
    assert time.monotonic() - started < 1
    assert [line["why"] for line in warnings] == ["no answer within 0.2 seconds"]


def test_a_hanging_service_holds_no_more_threads_than_a_few(
    warnings: list[EventDict], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adapters.breaches, "SECONDS", 1)
    with a_service(pieces(b"", b"", pause=2)) as hanging:
        service = RangeService(hanging.url)
        waiting = [threading.Thread(target=service.holds, args=(b"other",)) for _ in range(AT_ONCE)]
        for thread in waiting:
            thread.start()
        while len(hanging.requests) < AT_ONCE:
            time.sleep(0.01)
        started = time.monotonic()

        assert not service.holds(PASSWORD.encode())

        assert time.monotonic() - started < 0.3
        for thread in waiting:
            thread.join()
    assert warnings[0]["why"] == f"{AT_ONCE} others are being looked up"


@pytest.mark.parametrize(
    "slow", [pieces(b"", pause=10), pieces(WELL, *[b"\r\n"] * 100, pause=0.1)], ids=["says nothing", "drips"]
)
def test_what_never_ends_is_let_go(slow: Answer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adapters.breaches, "SECONDS", 0.3)
    with a_service(slow) as hanging:
        service = RangeService(hanging.url)
        given_up = [threading.Thread(target=service.holds, args=(b"other",)) for _ in range(AT_ONCE)]
        for thread in given_up:
            thread.start()
        time.sleep(1)
        hanging.answer = leaked(PASSWORD)

        assert service.holds(PASSWORD.encode())

        assert len(hanging.requests) == AT_ONCE + 1
        for thread in given_up:
            thread.join()


def test_after_failures_the_next_one_is_looked_up() -> None:
    with a_service(a_list(status="500 No")) as asked:
        service = RangeService(asked.url)
        failed = [service.holds(PASSWORD.encode()) for _ in range(2 * AT_ONCE)]
        asked.answer = leaked(PASSWORD)

        assert service.holds(PASSWORD.encode())

    assert not any(failed)


def test_a_dead_port_says_no(warnings: list[EventDict]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

    assert not RangeService(f"http://127.0.0.1:{port}").holds(PASSWORD.encode())

    assert [line["why"] for line in warnings] == ["Connection refused"]


def over_tls(listening: socket.socket, authority: trustme.CA, name: str) -> None:
    """Answer one request over TLS, with a certificate for this name."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(context)
    connection, _ = listening.accept()
    try:
        with context.wrap_socket(connection, server_side=True) as secured:
            secured.recv(65_536)
            secured.sendall(b"".join(leaked(PASSWORD)()))
    except OSError:
        pass  # the certificate was refused


@pytest.mark.parametrize(("name", "is_believed"), [("localhost", True), ("other.example", False)])
def test_over_https_the_certificate_is_checked(
    warnings: list[EventDict], name: str, is_believed: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "authority.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = threading.Thread(target=over_tls, args=(listening, authority, name))
        server.start()

        found = RangeService(f"https://localhost:{listening.getsockname()[1]}").holds(PASSWORD.encode())

        server.join()
    assert found is is_believed
    assert ["certificate verify failed" in line["why"] for line in warnings] == [True] * (not is_believed)


def test_where_none_is_configured_nothing_has_leaked() -> None:
    assert not NoBreaches().holds(b"password")
