"""API tokens: a form that scanners recognise, and a hash that cannot be turned back."""

import base64
import hashlib
import re
import string
import zlib
from collections.abc import Callable

from sqlalchemy import select
from sqlalchemy.orm import Session

from domain.identity.standing import standing_of
from domain.policy.principals import Origin, TokenHolder
from models import ApiToken

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


def find(db: Session, text: str, *, origin: Origin) -> TokenHolder | None:
    """Whoever may act with this token, expired or not (that is for the judge to say); None if nobody may.

    text: what the client sent as a password; what does not look like one of our tokens never reaches the database.
    """
    if not looks_like_token(text):
        return None
    token = db.scalar(select(ApiToken).where(ApiToken.token_hash == token_hash(text)))
    account = standing_of(db, token.user_id) if token is not None else None
    if token is None or account is None:
        return None
    return TokenHolder(
        origin=origin,
        account=account,
        token_id=token.id,
        expires_at=token.expires_at,
        reaches_all=token.reaches_all,
        project_ids=frozenset(project.id for project in token.projects),
    )


def _checksum(random_part: str) -> str:
    """CRC32 of the random part in base 62, six characters."""
    number = zlib.crc32(random_part.encode())
    symbols = []
    for _ in range(CHECKSUM_CHARACTERS):
        number, digit = divmod(number, len(BASE_62))
        symbols.append(BASE_62[digit])
    return "".join(reversed(symbols))
