"""Identity tokens of CI jobs (OpenID Connect Core §2): who signed one, by keys that its issuer publishes."""

import threading
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Protocol
from urllib.parse import urlsplit

import jwt
import orjson
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from adapters.fetched_keys import FetchedKeys
from adapters.in_time import NoAnswer, Server, in_time

SECONDS = 5.0  # for the discovery document and the keys together
MAX_BYTES = 256 * 1024
MAX_KEYS = 100
MAX_CHARACTERS = 16_384  # of a token; those of GitHub have some 2,000
KEPT = timedelta(hours=1)
RSA_BITS = 2048
_ALGORITHMS = {"RSA": "RS256", "EC": "ES256"}
DISCOVERY = "/.well-known/openid-configuration"

Claims = Mapping[str, Any]  # Any: whatever the issuer says
Key = tuple[str, RSAPublicKey | EllipticCurvePublicKey]  # the algorithm that it signs with, and no other


class BadToken(Exception):
    """This is no identity token, or none that its issuer signed. The text is a sentence for whoever sent it."""


class IdentityTokens(Protocol):
    """Somebody who can tell which identity tokens are genuine."""

    def signed_claims(self, text: str, *, issuer: str, allows_private: bool, now: datetime) -> Claims:
        """What a token says that this issuer signed. Raises BadToken and NoKeys."""
        ...


class PublishedIssuers:
    """Issuers that publish their keys as OpenID Connect Discovery 1.0 §4 says.

    The keys are fetched by https from the address that the discovery document names, both within one limit of time. No
    redirect is followed and no proxy of the environment used. Nothing that a token names leads anywhere.

    fetch: gets an issuer's keys by their identifiers; as `fetch_keys` does.
    """

    def __init__(self, fetch: Callable[[str, bool], Mapping[str, Key]] | None = None) -> None:
        self._fetch = fetch or fetch_keys
        self._keys: dict[tuple[str, bool], FetchedKeys[Key]] = {}
        self._turn = threading.Lock()

    def signed_claims(self, text: str, *, issuer: str, allows_private: bool, now: datetime) -> Claims:
        """What a token says that this issuer signed, unjudged but for the signature.

        issuer: the one that the token names, of which the caller knows that it is trusted.
        allows_private: its address may lie in a private network.
        Raises BadToken, and NoKeys if nobody can say at the moment.
        """
        try:
            header = jwt.get_unverified_header(text)
        except (jwt.PyJWTError, ValueError) as fault:
            raise BadToken("This is not a JSON Web Token.") from fault
        identifier = header.get("kid")
        if header.get("alg") not in ("RS256", "ES256"):
            raise BadToken("The token is signed with another algorithm than RS256 or ES256.")
        if not isinstance(identifier, str):
            raise BadToken("The token does not name the key that it is signed with.")
        key = self._keys_of(issuer, allows_private).find(identifier, now=now)
        if key is None:
            raise BadToken(f"The token is signed with a key that {issuer} does not publish.")
        algorithm, public = key
        try:
            return jwt.decode(text, public, algorithms=[algorithm], options=_SIGNATURE_ALONE)
        except (jwt.PyJWTError, ValueError) as fault:
            raise BadToken("The token's signature does not fit.") from fault

    def _keys_of(self, issuer: str, allows_private: bool) -> FetchedKeys[Key]:
        with self._turn:
            if (known := self._keys.get((issuer, allows_private))) is None:
                fetch, host = partial(self._fetch, issuer, allows_private), urlsplit(issuer).hostname or ""
                known = FetchedKeys(fetch, kept=KEPT, what="identity tokens", host=host)
                self._keys[issuer, allows_private] = known
            return known


_SIGNATURE_ALONE: Any = {  # Any: PyJWT's own TypedDict. The claims are judged by our clock, elsewhere.
    "verify_signature": True,
    **{f"verify_{claim}": False for claim in ("exp", "nbf", "iat", "aud", "iss", "sub", "jti")},
}


def issuer_named(text: str) -> str:
    """The issuer that a token names, which proves nothing yet. Raises BadToken."""
    if len(text) > MAX_CHARACTERS:
        raise BadToken(f"A token of more than {MAX_CHARACTERS} characters is not read.")
    try:
        claims: Claims = jwt.decode(text, options={"verify_signature": False})
    except (jwt.PyJWTError, ValueError) as fault:
        raise BadToken("This is not a JSON Web Token.") from fault
    issuer = claims.get("iss")
    if not isinstance(issuer, str) or not issuer.isprintable():  # half a surrogate pair could not even be answered
        raise BadToken("The token names no issuer.")
    return issuer


def fetch_keys(issuer: str, allows_private: bool) -> Mapping[str, Key]:
    """The keys that an issuer publishes now, by their identifiers.

    Raises NoAnswer, OSError, ValueError or HTTPException.
    """
    return in_time(lambda: _fetch(issuer, is_public=not allows_private), seconds=SECONDS)


def _fetch(issuer: str, *, is_public: bool) -> Mapping[str, Key]:
    headers = {"Accept": "application/json"}
    document = Server(issuer.rstrip("/") + DISCOVERY, most=MAX_BYTES, is_public=is_public)
    found = _object(document.get(headers=headers, seconds=SECONDS))
    if found.get("issuer") != issuer:
        raise NoAnswer("its discovery document is another issuer's")
    address = found.get("jwks_uri")
    parts = urlsplit(address) if isinstance(address, str) and address.isascii() and address.isprintable() else None
    if parts is None or parts.scheme != "https" or not parts.hostname or "@" in parts.netloc or " " in str(address):
        raise NoAnswer("its discovery document names no keys")
    server = Server(str(address), most=MAX_BYTES, is_public=is_public)
    return _keys(_object(server.get(headers=headers, seconds=SECONDS)))


def _object(body: bytes) -> Mapping[str, Any]:
    found: Any = orjson.loads(body)  # Any: whatever was sent
    if not isinstance(found, dict):
        raise NoAnswer("not an object in JSON")
    return found


def _keys(found: Mapping[str, Any]) -> dict[str, Key]:
    """The keys of a set (RFC 7517 §5) that can be used here; others are passed over. Raises NoAnswer."""
    listed = found.get("keys")
    if not isinstance(listed, list) or len(listed) > MAX_KEYS:
        raise NoAnswer("not a list of keys")
    keys = {}
    for entry in listed:
        if isinstance(entry, dict) and isinstance(entry.get("kid"), str) and (key := _key(entry)) is not None:
            keys[entry["kid"]] = key
    return keys


def _key(entry: Mapping[str, Any]) -> Key | None:
    algorithm = _ALGORITHMS.get(entry["kty"]) if isinstance(entry.get("kty"), str) else None
    if algorithm is None or entry.get("use", "sig") != "sig":
        return None
    try:
        public = jwt.PyJWK(dict(entry), algorithm=algorithm).key
    except (jwt.PyJWTError, ValueError, TypeError, KeyError, AttributeError):
        return None
    if isinstance(public, RSAPublicKey) and public.key_size >= RSA_BITS:
        key: Key = ("RS256", public)
    elif isinstance(public, EllipticCurvePublicKey) and isinstance(public.curve, SECP256R1):
        key = ("ES256", public)
    else:
        return None
    return key if entry.get("alg", key[0]) == key[0] else None
