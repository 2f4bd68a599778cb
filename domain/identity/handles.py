"""Handles: what a browser or a link holds to be found again, of which we keep the hash alone."""

import hashlib
import secrets

HANDLE_BYTES = 32


def new_handle() -> str:
    """43 URL-safe characters that stand nowhere else."""
    return secrets.token_urlsafe(HANDLE_BYTES)


def digest(handle: str) -> bytes:
    """What is kept of a handle, 32 bytes: guessing 256 random bits needs no slow hash. Takes anything that was sent."""
    return hashlib.sha256(handle.encode("utf-8", "replace")).digest()
