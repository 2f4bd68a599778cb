"""Whether a password leaked elsewhere, asked of a service that learns no more than five digits of its hash."""

import hashlib
import io
import re
import socket
import ssl
import threading
import time
from concurrent.futures import Future
from http.client import HTTPException, HTTPResponse
from typing import Protocol
from urllib.parse import urlsplit

import structlog

log = structlog.get_logger("countersign")

SECONDS = 2.0  # of a person's time, for the name server, the connection and the answer together
MAX_BYTES = 256 * 1024  # a padded answer has about 40 kB
AT_ONCE = 4  # of the eight threads of a process: a service that hangs must not hold them all
PREFIX_DIGITS = 5
ENTRY = re.compile(rb"([0-9A-F]{35}):(\d{1,12})", re.IGNORECASE)


class Breaches(Protocol):
    """Somebody who knows which passwords have leaked."""

    def holds(self, password: bytes) -> bool:
        """Whether this password is known to have leaked; False also where nobody can say."""
        ...


class NoBreaches:
    """Where none is configured, no password is known to have leaked."""

    def holds(self, password: bytes) -> bool:
        """Nobody is asked."""
        return False


class NoAnswer(Exception):
    """The service did not give a list of hashes. The text says why and repeats nothing that was sent or received."""


class RangeService:
    """A service that answers as the public Pwned Passwords does: `GET URL/range/21BD1` gives, of every known SHA-1 that
    begins with these digits, the other 35, a colon and how often it was seen, one on each line.

    With `Add-Padding: true` it mixes in entries seen 0 times, so that the length of the answer does not tell an
    eavesdropper which one it was. No redirect is followed and no proxy of the environment used.
    url: https, or http on this machine; without a slash at its end.
    """

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._is_https = parts.scheme == "https"
        self._host = parts.hostname or ""
        self._port = parts.port or (443 if self._is_https else 80)
        self._netloc = parts.netloc
        self._path = parts.path
        self._turns = threading.BoundedSemaphore(AT_ONCE)

    def holds(self, password: bytes) -> bool:
        """Whether the service knows this password. A service that fails says no, and leaves a warning in the log: it
        must not keep people from changing a password."""
        digest = hashlib.sha1(password, usedforsecurity=False).hexdigest().upper()
        prefix, rest = digest[:PREFIX_DIGITS], digest[PREFIX_DIGITS:].encode()
        try:
            return rest in _seen(self._answer_in_time(prefix))
        except (NoAnswer, OSError, ValueError, HTTPException) as failure:
            log.warning("a new password was not looked up among leaked ones", service=self._host, why=_reason(failure))
            return False

    def _answer_in_time(self, prefix: str) -> bytes:
        """The answer, asked for in a thread of its own: a name server that hangs knows no time limit of ours."""
        if not self._turns.acquire(blocking=False):
            raise NoAnswer(f"{AT_ONCE} others are being looked up")
        answer: Future[bytes] = Future()

        def ask() -> None:
            try:
                answer.set_result(self._answer(prefix))
            except Exception as failure:  # noqa: BLE001 - raised again where it is waited for
                answer.set_exception(failure)
            finally:
                self._turns.release()

        threading.Thread(target=ask, daemon=True).start()  # daemon: nobody waits for it when the server stops
        return answer.result(timeout=SECONDS)

    def _answer(self, prefix: str) -> bytes:
        deadline = time.monotonic() + SECONDS
        request = (
            f"GET {self._path}/range/{prefix} HTTP/1.1\r\n"
            f"Host: {self._netloc}\r\n"
            "Add-Padding: true\r\n"
            "User-Agent: Countersign\r\n"
            "Accept-Encoding: identity\r\n"
            "Connection: close\r\n\r\n"
        )
        with self._connect() as connection:
            connection.sendall(request.encode("ascii"))
            received = _receive(connection, deadline)
        answer = HTTPResponse(_Received(received))  # type: ignore[arg-type]  # of a socket it reads only
        answer.begin()
        if answer.status != 200:
            raise NoAnswer(f"status {answer.status}")
        return answer.read()

    def _connect(self) -> socket.socket:
        connection = socket.create_connection((self._host, self._port), timeout=SECONDS)
        if not self._is_https:
            return connection
        try:
            return ssl.create_default_context().wrap_socket(connection, server_hostname=self._host)
        except BaseException:
            connection.close()
            raise


class _Received(io.BytesIO):
    """All that a socket gave, in the form that `HTTPResponse` asks for."""

    def makefile(self, mode: str) -> io.BytesIO:
        """The bytes, to read."""
        return self


def _receive(connection: socket.socket, deadline: float) -> bytes:
    """All that comes until the other side closes, up to a moment and a length: a drop every second would never reach a
    time limit that is counted for each read. Raises TimeoutError or NoAnswer."""
    received = bytearray()
    while time.monotonic() < deadline:
        piece = connection.recv(65_536)
        if not piece:
            return bytes(received)
        received += piece
        if len(received) > MAX_BYTES:
            raise NoAnswer(f"more than {MAX_BYTES} bytes")
    raise TimeoutError


def _seen(body: bytes) -> set[bytes]:
    """The ends of the hashes in an answer that were seen at least once. Raises NoAnswer for anything but such a list,
    as the page of a hotel's network would be."""
    entries = [ENTRY.fullmatch(line) for line in body.split()]
    if None in entries:
        raise NoAnswer("not a list of hashes")
    return {entry[1].upper() for entry in entries if entry is not None and int(entry[2]) > 0}


def _reason(failure: Exception) -> str:
    """Why, without a word of the service: what it sends back may repeat what it was asked."""
    if isinstance(failure, NoAnswer):
        return str(failure)
    if isinstance(failure, TimeoutError):
        return f"no answer within {SECONDS:g} seconds"
    if isinstance(failure, OSError) and failure.strerror:
        return failure.strerror
    return f"no answer in HTTP: {type(failure).__name__}"
