"""The text of a token: a form that scanners recognise, and a hash that cannot be turned back."""

import base64
import hashlib
import re
import string
import zlib
from collections.abc import Callable

# Prefix, random part, checksum, as GitHub's tokens have them: the prefix lets a scanner find a token that was
# published by mistake, and the checksum lets it, and us, drop a look-alike without asking the database.
PREFIX = "csn_"
RANDOM_BYTES = 32
RANDOM_CHARACTERS = 43  # 32 bytes in unpadded base64
CHECKSUM_CHARACTERS = 6  # 62^6 > 2^32
BASE_62 = string.digits + string.ascii_uppercase + string.ascii_lowercase
FORM = re.compile(rf"{PREFIX}([A-Za-z0-9_-]{{{RANDOM_CHARACTERS}}})([A-Za-z0-9]{{{CHECKSUM_CHARACTERS}}})")
HINT_CHARACTERS = 4


def new_token(random_bytes: Callable[[int], bytes]) -> str:
    """A fresh token, 53 characters long. random_bytes: gives that many unpredictable bytes."""
    random_part = base64.urlsafe_b64encode(random_bytes(RANDOM_BYTES)).decode().rstrip("=")
    return PREFIX + random_part + _checksum(random_part)


def looks_like_token(text: str) -> bool:
    """Whether this has the form of our tokens, checksum included. It may still be nobody's."""
    form = FORM.fullmatch(text)
    return form is not None and form[2] == _checksum(form[1])


def token_hash(token: str) -> bytes:
    """What is kept of a token: 32 bytes of SHA-256.

    A slow hash is for what people think up; nobody guesses 256 random bits. token: it `looks_like_token`.
    """
    return hashlib.sha256(token.encode()).digest()


def hint(token: str) -> str:
    """The last four characters of the random part, by which an owner recognises a token in a list."""
    end = len(PREFIX) + RANDOM_CHARACTERS
    return token[end - HINT_CHARACTERS : end]


def _checksum(random_part: str) -> str:
    """CRC32 of the random part in base 62, six characters."""
    number = zlib.crc32(random_part.encode())
    symbols = []
    for _ in range(CHECKSUM_CHARACTERS):
        number, digit = divmod(number, len(BASE_62))
        symbols.append(BASE_62[digit])
    return "".join(reversed(symbols))
