"""Whether a report of leaked tokens comes from the service that it says: by a signature, with keys that are fetched."""

import base64
import binascii
from datetime import datetime, timedelta
from typing import Any, Protocol

import orjson
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from adapters.fetched_keys import FetchedKeys
from adapters.in_time import NoAnswer, Server, in_time

SECONDS = 4.0  # for the name server, the connection and the answer together
MAX_BYTES = 256 * 1024  # the answer of the public service has less than 10 kB
MAX_KEYS = 100
KEPT = timedelta(minutes=30)


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
        self._keys = FetchedKeys(self._fetch, kept=KEPT, what="reports of leaks", host=self._server.host)

    def signed(self, body: bytes, *, key: str, signature: str, now: datetime) -> bool:
        """Whether the key of this identifier signed these bytes. Raises NoKeys if none could be fetched for long."""
        found = self._keys.find(key, now=now)
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

    def _fetch(self) -> dict[str, ec.EllipticCurvePublicKey]:
        headers = {"Accept": "application/json"}
        return _read(in_time(lambda: self._server.get(headers=headers, seconds=SECONDS), seconds=SECONDS))


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
