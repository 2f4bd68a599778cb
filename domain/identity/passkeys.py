"""What WebAuthn asks of a passkey or security key, and whether its answer holds. No database, no session."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Protocol
from urllib.parse import urlsplit

import orjson
import webauthn
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from webauthn.helpers import (
    base64url_to_bytes,
    bytes_to_base64url,
    decode_credential_public_key,
    decoded_public_key_to_cryptography,
    options_to_json_dict,
)
from webauthn.helpers.cose import COSEAlgorithmIdentifier
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    AuthenticatorTransport,
    CredentialDeviceType,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from domain.problems import Problem

TIMEOUT = timedelta(minutes=5)  # how long a browser lets its person look for the key (WebAuthn Level 3 §15.1)
MAX_ANSWER_CHARACTERS = 16_000  # a hundred times the usual; more is not even parsed
MAX_CREDENTIAL_ID_BYTES = 1023  # WebAuthn Level 3 §7.1, step 25
MIN_RSA_BITS = 2048
FIELD = "credential"

NOT_CHECKED = "The answer of your browser could not be checked. Nothing was changed. Try again."

Options = dict[str, Any]  # Any: JSON as the browser's parse…OptionsFromJSON takes it


@dataclass(frozen=True)
class RelyingParty:
    """This index as authenticators know it. It comes from the settings, never from a request: else a fake site in
    front of us could have keys answer to its own name.

    id: the host without port. origin: scheme, host, and the port where it is not the scheme's own.
    """

    id: str
    name: str
    origin: str

    @classmethod
    def at(cls, public_url: str, *, name: str) -> "RelyingParty":
        """The party behind a public address."""
        parts = urlsplit(public_url)
        host = parts.netloc.removesuffix({"https": ":443", "http": ":80"}[parts.scheme])
        return cls(id=parts.hostname or "", name=name, origin=f"{parts.scheme}://{host}")


class CeremonyFailed(Problem):
    """An answer that does not hold. `reason`: what was wrong with it, for the journal; people cannot mend it."""

    def __init__(self, reason: str) -> None:
        super().__init__(NOT_CHECKED, field=FIELD, code="not_verified")
        self.reason = reason


class Key(Protocol):
    """What is kept of a passkey, as far as it matters here."""

    credential_id: bytes
    public_key: bytes
    transports: str
    is_backup_eligible: bool


@dataclass(frozen=True)
class Answer:
    """What a browser brought back from an authenticator, read but not believed.

    challenge: base64url, as the client data has it. user_handle: whose key it says to be, if it says so.
    """

    credential: dict[str, Any]
    challenge: str
    credential_id: bytes
    user_handle: bytes | None


@dataclass(frozen=True)
class NewKey:
    """A key that was made just now; the fields are those of the table."""

    credential_id: bytes
    public_key: bytes
    sign_count: int
    aaguid: str
    transports: str
    verifies_user: bool
    is_discoverable: bool
    is_backup_eligible: bool
    is_backed_up: bool


@dataclass(frozen=True)
class Assertion:
    """What a key has signed. verified_user: it checked that it was its owner, by PIN, finger or face."""

    verified_user: bool
    sign_count: int
    is_backed_up: bool


def creation_options(
    party: RelyingParty, *, challenge: bytes, handle: bytes, username: str, others: Sequence[Key]
) -> Options:
    """What `navigator.credentials.create` is to be called with.

    handle: what the key shall call the account; random, and the same for all its keys.
    others: keys that the account has; their authenticators refuse to make a second one.
    """
    options = webauthn.generate_registration_options(
        rp_id=party.id,
        rp_name=party.name,
        user_id=handle,
        user_name=username,
        challenge=challenge,
        timeout=_milliseconds(TIMEOUT),
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.PREFERRED, user_verification=UserVerificationRequirement.PREFERRED
        ),
        exclude_credentials=[_descriptor(key) for key in others],
    )
    return {**options_to_json_dict(options), "extensions": {"credProps": True}}


def request_options(party: RelyingParty, *, challenge: bytes, keys: Sequence[Key]) -> Options:
    """What `navigator.credentials.get` is to be called with. keys: those that may answer; none means any that knows
    whose it is."""
    options = webauthn.generate_authentication_options(
        rp_id=party.id,
        challenge=challenge,
        timeout=_milliseconds(TIMEOUT),
        allow_credentials=[_descriptor(key) for key in keys],
        user_verification=UserVerificationRequirement.PREFERRED,
    )
    return options_to_json_dict(options)


def read(text: str) -> Answer:
    """What a browser sent, which is `JSON.stringify(credential.toJSON())`. Raises CeremonyFailed if it is not that,
    or if the page that asked lay within somebody else's (WebAuthn Level 3 §7.1 and §7.2, on crossOrigin)."""
    if len(text) > MAX_ANSWER_CHARACTERS:
        raise CeremonyFailed("answer too long")
    try:
        credential = orjson.loads(text)
        response = credential["response"]
        client_data = orjson.loads(base64url_to_bytes(response["clientDataJSON"]))
        challenge, credential_id = client_data["challenge"], base64url_to_bytes(credential["rawId"])
        handle = response.get("userHandle")
        user_handle = base64url_to_bytes(handle) if handle is not None else None
        is_framed = client_data.get("crossOrigin", False) is not False or "topOrigin" in client_data
    except (ValueError, TypeError, LookupError, AttributeError):
        raise CeremonyFailed("answer malformed") from None
    if not isinstance(challenge, str):
        raise CeremonyFailed("answer malformed")
    if is_framed:
        raise CeremonyFailed("asked from within another site")
    return Answer(credential, challenge, credential_id, user_handle)


def check_registration(party: RelyingParty, answer: Answer, *, challenge: bytes) -> NewKey:
    """The key that was made for this challenge. Which make it is stays a claim: no attestation is asked for.

    Raises CeremonyFailed.
    """
    try:
        verified = webauthn.verify_registration_response(
            credential=answer.credential,
            expected_challenge=challenge,
            expected_rp_id=party.id,
            expected_origin=party.origin,
        )
        is_usable = _can_sign(verified.credential_public_key)
    except Exception:  # noqa: BLE001 - its parsers of CBOR, keys and certificates raise whatever they like
        raise CeremonyFailed("registration not verified") from None
    if not is_usable:
        raise CeremonyFailed("key unusable")
    if len(verified.credential_id) > MAX_CREDENTIAL_ID_BYTES:
        raise CeremonyFailed("credential id too long")
    return NewKey(
        credential_id=verified.credential_id,
        public_key=verified.credential_public_key,
        sign_count=verified.sign_count,
        aaguid=verified.aaguid,
        transports=" ".join(_transports(answer.credential["response"])),
        verifies_user=verified.user_verified,
        is_discoverable=_is_discoverable(answer.credential),
        is_backup_eligible=verified.credential_device_type is CredentialDeviceType.MULTI_DEVICE,
        is_backed_up=verified.credential_backed_up,
    )


def check_assertion(party: RelyingParty, answer: Answer, *, challenge: bytes, key: Key) -> Assertion:
    """What this key has signed for this challenge. Raises CeremonyFailed.

    Whether its counter has grown is left to the caller, who can do that in the statement that keeps it. The library
    would look at the counter before the signature, so that anybody could make a key seem copied.
    """
    try:
        verified = webauthn.verify_authentication_response(
            credential=answer.credential,
            expected_challenge=challenge,
            expected_rp_id=party.id,
            expected_origin=party.origin,
            credential_public_key=key.public_key,
            credential_current_sign_count=0,
        )
    except Exception:  # noqa: BLE001 - as above; whatever it is, the key has proved nothing
        raise CeremonyFailed("signature not verified") from None
    is_backup_eligible = verified.credential_device_type is CredentialDeviceType.MULTI_DEVICE
    if is_backup_eligible != key.is_backup_eligible:  # it is decided when a key is made (WebAuthn Level 3 §6.1.3)
        raise CeremonyFailed("backup eligibility changed")
    return Assertion(
        verified_user=verified.user_verified,
        sign_count=verified.new_sign_count,
        is_backed_up=verified.credential_backed_up,
    )


def encoded(identifier: bytes) -> str:
    """A credential id or handle as browsers write it in JSON: base64url without padding."""
    return bytes_to_base64url(identifier)


def _can_sign(public_key: bytes) -> bool:
    """Whether a signature of this COSE key could ever hold. The library takes points beside the curve, and keys of
    another kind than their algorithm: whoever had such a one would be locked out by it (WebAuthn Level 3 §5.8.5)."""
    decoded = decode_credential_public_key(public_key)
    match decoded_public_key_to_cryptography(decoded):
        case EllipticCurvePublicKey(curve=curve):
            return decoded.alg == COSEAlgorithmIdentifier.ECDSA_SHA_256 and isinstance(curve, SECP256R1)
        case RSAPublicKey(key_size=bits):
            return decoded.alg == COSEAlgorithmIdentifier.RSASSA_PKCS1_v1_5_SHA_256 and bits >= MIN_RSA_BITS
        case Ed25519PublicKey():
            return decoded.alg == COSEAlgorithmIdentifier.EDDSA
        case _:
            return False


def _descriptor(key: Key) -> PublicKeyCredentialDescriptor:
    transports = [AuthenticatorTransport(each) for each in key.transports.split()]
    return PublicKeyCredentialDescriptor(id=key.credential_id, transports=transports or None)


def _transports(response: dict[str, Any]) -> list[str]:
    named, known = response.get("transports"), {each.value for each in AuthenticatorTransport}
    return sorted({each for each in named if isinstance(each, str)} & known) if isinstance(named, list) else []


def _is_discoverable(credential: dict[str, Any]) -> bool:
    """By the browser's own word (the credProps extension); without it, no."""
    match credential:
        case {"clientExtensionResults": {"credProps": {"rk": True}}}:
            return True
        case _:
            return False


def _milliseconds(duration: timedelta) -> int:
    return duration // timedelta(milliseconds=1)
