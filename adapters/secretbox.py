"""How secrets are sealed at rest: AES-256-GCM under a ring of keys, each box bound to the place it is for."""

import hashlib
import secrets
from collections.abc import Callable, Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_BYTES = 32
# A sealed box: version (1 byte), key id (8), nonce (12), ciphertext and tag (16 more than the plaintext).
VERSION = b"\x01"
KEY_ID_BYTES = 8
NONCE_BYTES = 12
TAG_BYTES = 16
HEADER_BYTES = len(VERSION) + KEY_ID_BYTES


class Unsealable(Exception):
    """A box that does not open: altered, from another place, or sealed with a key that we do not have."""


class SecretBox:
    """Seals with the first key of the ring, opens with any: a new key is put in front of the old ones.

    keys: 32 random bytes each, newest first.
    random_bytes: gives that many random bytes; a nonce must never come twice under one key, which 96 random
    bits keep true for four thousand million boxes (NIST SP 800-38D §8.3).
    Raises ValueError for an empty ring or a key of another length.
    """

    def __init__(self, keys: Sequence[bytes], *, random_bytes: Callable[[int], bytes] = secrets.token_bytes) -> None:
        if not keys:
            raise ValueError("The key ring is empty; it needs at least one key.")
        if any(len(key) != KEY_BYTES for key in keys):
            raise ValueError(f"Each key of the ring must be {KEY_BYTES} bytes long.")
        self._ciphers = {_id_of(key): AESGCM(key) for key in keys}
        self._newest = _id_of(keys[0])
        self._random_bytes = random_bytes

    @property
    def key_id(self) -> str:
        """The name of the key that seals, in hex. It tells nothing about the key and may be logged."""
        return self._newest.hex()

    def seal(self, plaintext: bytes, *, context: str) -> bytes:
        """Seal for one place, such as "factor:17:secret"; only `open` with the same context gives it back.

        The context stops whoever can write to the database from moving one person's secret to another's row.
        """
        header = VERSION + self._newest
        nonce = self._random_bytes(NONCE_BYTES)
        ciphertext = self._ciphers[self._newest].encrypt(nonce, plaintext, header + context.encode())
        return header + nonce + ciphertext

    def open(self, sealed: bytes, *, context: str) -> bytes:
        """The plaintext. Raises Unsealable when the box was altered, belongs elsewhere or its key is gone."""
        if sealed[:1] != VERSION or len(sealed) < HEADER_BYTES + NONCE_BYTES + TAG_BYTES:
            raise Unsealable("This is no sealed box of a version that we know.")
        header, rest = sealed[:HEADER_BYTES], sealed[HEADER_BYTES:]
        nonce, ciphertext = rest[:NONCE_BYTES], rest[NONCE_BYTES:]
        key_id = header[len(VERSION) :]
        if key_id not in self._ciphers:
            raise Unsealable(f"This box was sealed with key {key_id.hex()}, which is not in the key ring.")
        try:
            return self._ciphers[key_id].decrypt(nonce, ciphertext, header + context.encode())
        except InvalidTag:
            raise Unsealable("This box was altered, or was sealed for another place.") from None

    def key_id_of(self, sealed: bytes) -> str:
        """The name of the key that sealed a box, as the box says; empty if it is none of a version that we know."""
        return sealed[len(VERSION) : HEADER_BYTES].hex() if sealed[:1] == VERSION else ""

    def needs_resealing(self, sealed: bytes) -> bool:
        """Whether another key than the newest sealed the box. An old key may go when no box needs it."""
        return sealed[:HEADER_BYTES] != VERSION + self._newest


def _id_of(key: bytes) -> bytes:
    """A name for the key that does not lead back to it: nobody can guess 256 random bits from their hash."""
    return hashlib.sha256(b"countersign key id\0" + key).digest()[:KEY_ID_BYTES]
