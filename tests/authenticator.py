"""A security key in software: it makes keys and answers with them as a browser and its authenticator would, and lies
where a test tells it to."""

import hashlib
import json
import secrets
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import cbor2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url

ES256, EDDSA, RS256 = -7, -8, -257  # COSE algorithms (RFC 9053)
USER_PRESENT, USER_VERIFIED, BACKUP_ELIGIBLE, BACKED_UP = 0x01, 0x04, 0x08, 0x10  # WebAuthn Level 3 §6.1
ATTESTED, EXTENDED = 0x40, 0x80
ORIGIN = "http://localhost:8000"  # of the index that tests build

Json = dict[str, Any]  # Any: options and answers are JSON of a form that WebAuthn fixes
PrivateKey = ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey


class NotAllowed(Exception):
    """What a browser says where no key may answer, or its person says no: NotAllowedError."""


class InvalidState(Exception):
    """What a browser says where the authenticator holds a key that is excluded: InvalidStateError."""


@dataclass
class Held:
    """A key that the authenticator holds. count: how often it has signed."""

    credential_id: bytes
    private: PrivateKey
    user_handle: bytes
    count: int

    @property
    def id(self) -> str:
        """Its id as browsers write it."""
        return bytes_to_base64url(self.credential_id)

    @property
    def public_key(self) -> bytes:
        """Its public half as a COSE key (RFC 9052 §7)."""
        return cose_key(self.private)


@dataclass
class Authenticator:
    """A device, or a password manager, that holds keys. What it is may change between two ceremonies.

    verifies_user: asks for a PIN, finger or face. is_discoverable: its keys know whose they are. counts: it has a
    counter of signatures. aaguid: 16 bytes that say which make it is.
    """

    verifies_user: bool = True
    is_discoverable: bool = True
    counts: bool = True
    is_backup_eligible: bool = False
    is_backed_up: bool = False
    algorithm: int = ES256
    aaguid: bytes = bytes(16)
    transports: tuple[str, ...] = ("internal",)
    origin: str = ORIGIN
    rp_id: str = "localhost"
    held: list[Held] = field(default_factory=list)

    def create(
        self,
        options: Json,
        *,
        key: Held | None = None,
        client_data: Mapping[str, Any] | bytes | None = None,
        public_key: bytes | None = None,
        flags: int | None = None,
        auth_data: bytes | None = None,
        attestation: Mapping[str, Any] | bytes | None = None,
    ) -> Json:
        """What `navigator.credentials.create` brings for these options.

        The rest are lies. key: one that is there already. client_data, attestation: members that are changed or added,
        or the bytes instead of all. public_key: other than that of the key. flags: instead of the true ones.
        auth_data: instead of all that.
        """
        if {each["id"] for each in options.get("excludeCredentials", [])} & {key.id for key in self.held}:
            raise InvalidState
        assert self.algorithm in [each["alg"] for each in options["pubKeyCredParams"]]
        key = key or self.hold(base64url_to_bytes(options["user"]["id"]))
        about = (
            struct.pack(">H", len(key.credential_id))
            + key.credential_id
            + (key.public_key if public_key is None else public_key)
        )
        signed = self._auth_data(self.flags | ATTESTED if flags is None else flags, key.count) + self.aaguid + about
        statement = {"fmt": "none", "attStmt": {}, "authData": signed if auth_data is None else auth_data}
        return {
            **self._credential(key),
            "clientExtensionResults": {"credProps": {"rk": self.is_discoverable}},
            "response": {
                "clientDataJSON": bytes_to_base64url(self._client_data("webauthn.create", options, client_data)),
                "attestationObject": bytes_to_base64url(
                    attestation if isinstance(attestation, bytes) else cbor2.dumps({**statement, **(attestation or {})})
                ),
                "transports": list(self.transports),
            },
        }

    def get(
        self,
        options: Json,
        *,
        key: Held | None = None,
        client_data: Mapping[str, Any] | bytes | None = None,
        user_handle: bytes | None = None,
        flags: int | None = None,
        count: int | None = None,
        auth_data: bytes | None = None,
        signed_by: PrivateKey | None = None,
    ) -> Json:
        """What `navigator.credentials.get` brings for these options.

        The rest are lies; each is signed as if it were true. key: answers whether or not it was asked. client_data:
        members that are changed or added, or the bytes instead of all. user_handle, flags, count, auth_data: instead
        of the true ones. signed_by: whose signature it bears.
        """
        key = key or self._asked(options)
        key.count += self.counts
        counted, shown = key.count if count is None else count, self.flags if flags is None else flags
        signed = self._auth_data(shown, counted) if auth_data is None else auth_data
        said = self._client_data("webauthn.get", options, client_data)
        handle = key.user_handle if user_handle is None and self.is_discoverable else user_handle
        return {
            **self._credential(key),
            "clientExtensionResults": {},
            "response": {
                "clientDataJSON": bytes_to_base64url(said),
                "authenticatorData": bytes_to_base64url(signed),
                "signature": bytes_to_base64url(
                    signature(signed_by or key.private, signed + hashlib.sha256(said).digest())
                ),
                **({"userHandle": bytes_to_base64url(handle)} if handle is not None else {}),
            },
        }

    @property
    def flags(self) -> int:
        """What it truly says of itself in one byte."""
        backup = BACKUP_ELIGIBLE * self.is_backup_eligible | BACKED_UP * self.is_backed_up
        return USER_PRESENT | USER_VERIFIED * self.verifies_user | backup

    def hold(self, user_handle: bytes) -> Held:
        """Make a key for the account that is called this."""
        key = Held(secrets.token_bytes(32), new_private_key(self.algorithm), user_handle, count=int(self.counts))
        self.held.append(key)
        return key

    def _asked(self, options: Json) -> Held:
        wanted = {each["id"] for each in options.get("allowCredentials") or []}
        may = [key for key in self.held if (key.id in wanted if wanted else self.is_discoverable)]
        if not may:
            raise NotAllowed
        return may[-1]

    def _auth_data(self, flags: int, count: int) -> bytes:
        return hashlib.sha256(self.rp_id.encode()).digest() + struct.pack(">BI", flags, count)

    def _client_data(self, kind: str, options: Json, lies: Mapping[str, Any] | bytes | None) -> bytes:
        """A member whose lie is None is left out."""
        if isinstance(lies, bytes):
            return lies
        said = {"type": kind, "challenge": options["challenge"], "origin": self.origin, "crossOrigin": False}
        said.update(lies or {})
        return json.dumps({name: value for name, value in said.items() if value is not None}).encode()

    def _credential(self, key: Held) -> Json:
        attachment = "platform" if "internal" in self.transports else "cross-platform"
        return {"id": key.id, "rawId": key.id, "type": "public-key", "authenticatorAttachment": attachment}


def a_security_key(*, verifies_user: bool = False) -> Authenticator:
    """A small device for the key ring, without PIN unless `verifies_user`: it does not know whose its keys are."""
    return Authenticator(verifies_user=verifies_user, is_discoverable=False, transports=("usb", "nfc"))


def a_password_manager() -> Authenticator:
    """Keeps passkeys on all devices of its owner, and so counts nothing."""
    return Authenticator(
        counts=False, is_backup_eligible=True, is_backed_up=True, transports=("internal", "hybrid"), aaguid=BITWARDEN
    )


BITWARDEN = bytes.fromhex("d548826e79b4db40a3d811116f7e8349")


def new_private_key(algorithm: int) -> PrivateKey:
    """A key for one of the three algorithms that are asked for."""
    if algorithm == ES256:
        return ec.generate_private_key(ec.SECP256R1())
    if algorithm == EDDSA:
        return ed25519.Ed25519PrivateKey.generate()
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def cose_key(private: PrivateKey) -> bytes:
    """The public half as a COSE key (RFC 9052 §7, RFC 9053 §7, RFC 8230 §4)."""
    if isinstance(private, ec.EllipticCurvePrivateKey):
        point = private.public_key().public_numbers()
        return ec2_key(point.x, point.y)
    if isinstance(private, ed25519.Ed25519PrivateKey):
        return cbor2.dumps({1: 1, 3: EDDSA, -1: 6, -2: private.public_key().public_bytes_raw()})
    numbers = private.public_key().public_numbers()
    n, e = (number.to_bytes((number.bit_length() + 7) // 8, "big") for number in (numbers.n, numbers.e))
    return cbor2.dumps({1: 3, 3: RS256, -1: n, -2: e})


def ec2_key(x: int, y: int, *, algorithm: int = ES256) -> bytes:
    """A COSE key of this point, be it on the curve P-256 or not."""
    return cbor2.dumps({1: 2, 3: algorithm, -1: 1, -2: x.to_bytes(32, "big"), -3: y.to_bytes(32, "big")})


def signature(private: PrivateKey, data: bytes) -> bytes:
    """The key's signature of this."""
    if isinstance(private, ec.EllipticCurvePrivateKey):
        return private.sign(data, ec.ECDSA(hashes.SHA256()))
    if isinstance(private, ed25519.Ed25519PrivateKey):
        return private.sign(data)
    return private.sign(data, padding.PKCS1v15(), hashes.SHA256())
