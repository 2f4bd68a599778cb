"""A service on this machine that is asked for leaked passwords, and answers whatever a test wants."""

import hashlib
import socketserver
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest
import structlog
from structlog.typing import EventDict

import adapters.breaches

PADDING = ["0" * 34 + f"{number:X}:0" for number in range(8)]


Answer = Callable[[], Iterable[bytes]]


@dataclass
class Service:
    """Where it is, what it answers, in pieces, and what it was sent: of each request all above the blank line."""

    url: str
    answer: Answer
    requests: list[str] = field(default_factory=list)


@contextmanager
def a_service(answer: Answer) -> Iterator[Service]:
    """Serve until the block ends."""

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            lines = iter(self.rfile.readline, b"\r\n")
            service.requests.append(b"".join(lines).decode())
            try:
                for piece in service.answer():
                    self.wfile.write(piece)
            except OSError:
                pass  # the other side waits no longer

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True
        allow_reuse_address = True

    with Server(("127.0.0.1", 0), Handler) as server:
        service = Service(f"http://127.0.0.1:{server.server_address[1]}", answer)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield service
        finally:
            server.shutdown()
            thread.join()


def a_list(*entries: str, status: str = "200 OK", headers: str = "") -> Answer:
    """An answer that holds these entries, one on each line."""
    body = "\r\n".join(entries).encode()
    head = f"HTTP/1.1 {status}\r\nContent-Type: text/plain\r\nContent-Length: {len(body)}\r\n{headers}\r\n"
    return lambda: [head.encode() + body]


def hash_of(password: str) -> tuple[str, str]:
    """The five digits that are asked for, and the 35 others."""
    digest = hashlib.sha1(password.encode(), usedforsecurity=False).hexdigest().upper()
    return digest[:5], digest[5:]


def leaked(*passwords: str) -> Answer:
    """A service that has seen these passwords, among its padding."""
    entries = [f"{hash_of(password)[1]}:{count}" for count, password in enumerate(passwords, start=1)]
    return a_list(*PADDING[:4], *entries, *PADDING[4:])


@contextmanager
def logged() -> Iterator[list[EventDict]]:
    """What the log is told meanwhile. With a logger of its own: one that was used before writes as it was told then."""
    with pytest.MonkeyPatch.context() as patch, structlog.testing.capture_logs() as lines:
        patch.setattr(adapters.breaches, "log", structlog.get_logger("countersign"))
        yield lines
