"""Public keys of another service, fetched when they are needed and kept for a while."""

import threading
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from http.client import HTTPException
from typing import Generic, TypeVar

import structlog

from adapters.in_time import NoAnswer

log = structlog.get_logger("countersign")

Key = TypeVar("Key")

PATIENCE = 1.0  # seconds to wait while another request has them fetched: a service that hangs must not hold all threads
AGAIN = timedelta(minutes=1)  # before an unknown key has them fetched anew: anybody can name one


class NoKeys(Exception):
    """The keys cannot be had at the moment, so that nobody can say who signed."""


class FetchedKeys(Generic[Key]):
    """The keys of one service by their identifiers.

    fetch: gets them all; raises NoAnswer, OSError, ValueError or HTTPException. kept: how long they count.
    what, host: what they are for and where they come from, for the log.
    """

    def __init__(self, fetch: Callable[[], Mapping[str, Key]], *, kept: timedelta, what: str, host: str) -> None:
        self._fetch, self._kept, self._what, self._host = fetch, kept, what, host
        self._keys: Mapping[str, Key] = {}
        self._fetched_at: datetime | None = None
        self._tried_at: datetime | None = None
        self._turn = threading.Lock()

    def find(self, identifier: str, *, now: datetime) -> Key | None:
        """The key of this identifier; None if the service has none. Raises NoKeys if none could be fetched for long."""
        if not self._turn.acquire(timeout=PATIENCE):
            raise NoKeys("they are being fetched")
        try:
            is_fresh = self._fetched_at is not None and now - self._fetched_at < self._kept
            is_due = self._tried_at is None or now - self._tried_at >= AGAIN
            if is_due and not (is_fresh and identifier in self._keys):
                self._tried_at = now
                try:
                    self._keys, self._fetched_at, is_fresh = self._fetch(), now, True
                except (NoAnswer, OSError, ValueError, HTTPException) as failure:
                    why = str(failure) if isinstance(failure, NoAnswer) else type(failure).__name__
                    log.warning("keys were not fetched", of=self._what, service=self._host, why=why)
            if not is_fresh:
                raise NoKeys("nobody can say at the moment who signed")
            return self._keys.get(identifier)
        finally:
            self._turn.release()
