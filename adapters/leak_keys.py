"""Whether a report of leaked tokens comes from the service that it says: by a signature, with keys that are fetched."""

import base64
import binascii
import threading
from collections.abc import Mapping
from datetime import datetime, timedelta
from http.client import HTTPException
from typing import Any, Protocol

import orjson
import structlog
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from adapters.in_time import NoAnswer, Server, in_time

log = structlog.get_logger("countersign")

SECONDS = 4.0  # for the name server, the connection and the answer together
PATIENCE = 1.0  # seconds to wait while another request has them fetched: a service that hangs must not hold all threads
MAX_BYTES = 256 * 1024  # the answer of the public service has less than 10 kB
MAX_KEYS = 100
KEPT = timedelta(minutes=30)
AGAIN = timedelta(minutes=1)  # before an unknown key has them fetched anew: anybody can name one


class NoKeys(Exception):
    """The keys cannot be had at the moment, so that nobody can say who signed."""


class LeakKeys(Protocol):
    """Somebody who knows the keys of a service that finds leaked tokens."""

    def signed(self, body: bytes, *, key: str, signature: str, now: datetime) -> bool:
        """Whether the service signed these bytes. Raises NoKeys."""
        ...


class PublishedKeys:
    """Keys as GitHub's secret scanning partner programme publishes them: `{"public_keys": [{"key_identifier", "key"}]}`
    with P-256 keys in PEM. A signature is ECDSA with SHA-256 over the raw body, DER in base64.

    No redirect is followed and no proxy of the environment used. url: https, or http on this machine.
    """

    def __init__(self, url: str) -> None:
        self._server = Server(url, most=MAX_BYTES)
        self._keys: Mapping[str, ec.EllipticCurvePublicKey] = {}
        self._fetched_at: datetime | None = None
        self._tried_at: datetime | None = None
        self._turn = threading.Lock()

    def signed(self, body: bytes, *, key: str, signature: str, now: datetime) -> bool:
        """Whether the key of this identifier signed these bytes. Raises NoKeys if none could be fetched for long."""
        found = self._key(key, now=now)
        try:
            raw = base64.b64decode(signature, validate=True)
        except (binascii.Error, ValueError):
            return False
        if found is None:
            return False
        try:
            found.verify(raw, body, ec.ECDSA(SHA256()))
        except InvalidSignature:
            return False
        return True

    def _key(self, identifier: str, *, now: datetime) -> ec.EllipticCurvePublicKey | None:
        if not self._turn.acquire(timeout=PATIENCE):
            raise NoKeys("they are being fetched")
        try:
            is_fresh = self._fetched_at is not None and now - self._fetched_at < KEPT
            is_due = self._tried_at is None or now - self._tried_at >= AGAIN
            if is_due and not (is_fresh and identifier in self._keys):
                self._tried_at = now
                try:
                    self._keys, self._fetched_at, is_fresh = _read(self._answer()), now, True
                except (NoAnswer, OSError, ValueError, HTTPException) as failure:
                    why = str(failure) if isinstance(failure, NoAnswer) else type(failure).__name__
                    log.warning("the keys for reports of leaks were not fetched", service=self._server.host, why=why)
            if not is_fresh:
                raise NoKeys("nobody can say at the moment who signed")
            return self._keys.get(identifier)
        finally:
            self._turn.release()

    def _answer(self) -> bytes:
        headers = {"Accept": "application/json"}
        return in_time(lambda: self._server.get(headers=headers, seconds=SECONDS), seconds=SECONDS)


def _read(body: bytes) -> dict[str, ec.EllipticCurvePublicKey]:
    """The keys of an answer; one of another kind is passed over. Raises NoAnswer for anything but a list of keys."""
    found: Any = orjson.loads(body)  # Any: whatever was sent
    listed = found.get("public_keys") if isinstance(found, dict) else None
    if not isinstance(listed, list) or len(listed) > MAX_KEYS:
        raise NoAnswer("not a list of keys")
    keys = {}
    for entry in listed:
        if isinstance(entry, dict) and isinstance(entry.get("key_identifier"), str):
            key = _p256(entry.get("key"))
            if key is not None:
                keys[entry["key_identifier"]] = key
    return keys


def _p256(pem: object) -> ec.EllipticCurvePublicKey | None:
    try:
        key = load_pem_public_key(pem.encode()) if isinstance(pem, str) else None
    except (ValueError, UnsupportedAlgorithm):
        return None
    is_p256 = isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1)
    return key if isinstance(key, ec.EllipticCurvePublicKey) and is_p256 else None
