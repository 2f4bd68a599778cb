"""Whether a password leaked elsewhere, asked of a service that learns no more than five digits of its hash."""

import hashlib
import re
import threading
from http.client import HTTPException
from typing import Protocol

import structlog

from adapters.in_time import NoAnswer, Server, in_time

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


class RangeService:
    """A service that answers as the public Pwned Passwords does: `GET URL/range/21BD1` gives, of every known SHA-1 that
    begins with these digits, the other 35, a colon and how often it was seen, one on each line.

    With `Add-Padding: true` it mixes in entries seen 0 times, so that the length of the answer does not tell an
    eavesdropper which one it was. No redirect is followed and no proxy of the environment used.
    url: https, or http on this machine; without a slash at its end.
    """

    def __init__(self, url: str) -> None:
        self._server = Server(url, most=MAX_BYTES)
        self._turns = threading.BoundedSemaphore(AT_ONCE)

    def holds(self, password: bytes) -> bool:
        """Whether the service knows this password. A service that fails says no, and leaves a warning in the log: it
        must not keep people from changing a password."""
        digest = hashlib.sha1(password, usedforsecurity=False).hexdigest().upper()
        prefix, rest = digest[:PREFIX_DIGITS], digest[PREFIX_DIGITS:].encode()
        try:
            return rest in _seen(self._answer(prefix))
        except (NoAnswer, OSError, ValueError, HTTPException) as failure:
            log.warning(
                "a new password was not looked up among leaked ones", service=self._server.host, why=_reason(failure)
            )
            return False

    def _answer(self, prefix: str) -> bytes:
        if not self._turns.acquire(blocking=False):
            raise NoAnswer(f"{AT_ONCE} others are being looked up")

        def ask() -> bytes:
            try:
                return self._server.get(f"/range/{prefix}", headers={"Add-Padding": "true"}, seconds=SECONDS)
            finally:
                self._turns.release()

        return in_time(ask, seconds=SECONDS)


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
