"""A service that finds leaked tokens: its keys, and the signatures that it makes with them."""

import base64
from dataclasses import dataclass, field

import orjson
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.breach_service import Answer, a_list


@dataclass(frozen=True)
class Signer:
    """A key pair with its identifier."""

    identifier: str = "90a421169f0a406205f1563a953312f0"
    private: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))

    def sign(self, body: bytes) -> str:
        """ECDSA with SHA-256, DER in base64."""
        return base64.b64encode(self.private.sign(body, ec.ECDSA(SHA256()))).decode()

    @property
    def entry(self) -> dict[str, object]:
        """The public key as the service lists it."""
        pem = self.private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
        return {"key_identifier": self.identifier, "key": pem, "is_current": True}


def listing(*signers: Signer) -> Answer:
    """The service's list of keys."""
    return answering({"public_keys": [signer.entry for signer in signers]})


def answering(body: object) -> Answer:
    """Any JSON."""
    return a_list(orjson.dumps(body).decode())
