"""What another server answers, within one limit of time for all of it: the name server, the connection, every byte."""

import io
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from http.client import HTTPResponse
from ipaddress import IPv4Address, IPv6Address
from typing import TypeVar
from urllib.parse import urlsplit

Answer = TypeVar("Answer")

_NAT64 = ipaddress.ip_network("64:ff9b::/96")  # RFC 6052: a gateway there leads on to the IPv4 address at its end


class NoAnswer(Exception):
    """The server did not give what was asked for. The text says why and repeats nothing that was sent or received."""


def in_time(ask: Callable[[], Answer], *, seconds: float) -> Answer:
    """What `ask` returns or raises, asked in a thread of its own: a name server that hangs knows no time limit of ours.

    Raises TimeoutError when the time is over; `ask` ends by itself later.
    """
    answer: Future[Answer] = Future()

    def run() -> None:
        try:
            answer.set_result(ask())
        except Exception as failure:  # noqa: BLE001 - raised again where it is waited for
            answer.set_exception(failure)

    threading.Thread(target=run, daemon=True).start()  # daemon: nobody waits for it when the server stops
    return answer.result(timeout=seconds)


class Server:
    """A server that is sent one GET at a time. No redirect is followed and no proxy of the environment used.

    url: https, or http on this machine; without a slash at its end. most: bytes of an answer, its headers included.
    is_public: it has to be reached from everywhere. A name that leads into our own network, or to this machine, is then
    refused before anything is sent, and the address that was looked at is the one that is called.
    """

    def __init__(self, url: str, *, most: int, is_public: bool = False) -> None:
        parts = urlsplit(url)
        self._is_https = parts.scheme == "https"
        self.host = parts.hostname or ""
        self._port = parts.port or (443 if self._is_https else 80)
        self._netloc = parts.netloc
        self._path = parts.path + (f"?{parts.query}" if parts.query else "")
        self._most = most
        self._is_public = is_public

    def get(self, below: str = "", *, headers: Mapping[str, str], seconds: float) -> bytes:
        """The body that the server gives for a path below its address.

        Raises NoAnswer, OSError, ValueError or HTTPException.
        """
        deadline = time.monotonic() + seconds
        sent = {
            "Host": self._netloc,
            "User-Agent": "Countersign",
            "Accept-Encoding": "identity",
            "Connection": "close",
            **headers,
        }
        lines = [f"GET {self._path + below or '/'} HTTP/1.1", *(f"{name}: {value}" for name, value in sent.items())]
        with self._connect(seconds) as connection:
            connection.sendall(("\r\n".join(lines) + "\r\n\r\n").encode("ascii"))
            received = _receive(connection, deadline, most=self._most)
        answer = HTTPResponse(_Received(received))  # type: ignore[arg-type]  # of a socket it reads only
        answer.begin()
        if answer.status != 200:
            raise NoAnswer(f"status {answer.status}")
        return answer.read()

    def _connect(self, seconds: float) -> socket.socket:
        connection = self._call(seconds)
        if not self._is_https:
            return connection
        try:
            return ssl.create_default_context().wrap_socket(connection, server_hostname=self.host)
        except BaseException:
            connection.close()
            raise

    def _call(self, seconds: float) -> socket.socket:
        if not self._is_public:
            return socket.create_connection((self.host, self._port), timeout=seconds)
        found = socket.getaddrinfo(self.host, self._port, type=socket.SOCK_STREAM)
        addresses = list(dict.fromkeys(str(address[0]) for *_, address in found))
        if not all(is_public(ipaddress.ip_address(address.partition("%")[0])) for address in addresses):
            raise NoAnswer("its address lies in a private network")
        return socket.create_connection((addresses[0], self._port), timeout=seconds)


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Whether everybody reaches the same machine under this address (RFC 6890). One that only wraps another one counts
    as that other."""
    if isinstance(address, IPv6Address):
        if address in _NAT64:
            return is_public(IPv4Address(int(address) & 0xFFFFFFFF))
        wrapped = address.ipv4_mapped or address.sixtofour
        if wrapped is not None:
            return is_public(wrapped)
    return address.is_global and not address.is_multicast


class _Received(io.BytesIO):
    """All that a socket gave, in the form that `HTTPResponse` asks for."""

    def makefile(self, mode: str) -> io.BytesIO:
        """The bytes, to read."""
        return self


def _receive(connection: socket.socket, deadline: float, *, most: int) -> bytes:
    """All that comes until the other side closes, up to a moment and a length: a drop every second would never reach a
    time limit that is counted for each read. Raises TimeoutError or NoAnswer."""
    received = bytearray()
    while time.monotonic() < deadline:
        piece = connection.recv(65_536)
        if not piece:
            return bytes(received)
        received += piece
        if len(received) > most:
            raise NoAnswer(f"more than {most} bytes")
    raise TimeoutError
