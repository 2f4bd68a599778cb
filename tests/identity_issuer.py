"""Issuers of identity tokens for CI jobs: GitHub, GitLab and others as far as their tokens go."""

import itertools
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

GITHUB_URL = "https://token.actions.githubusercontent.com"
GITLAB_URL = "https://gitlab.com"
AUDIENCE = "localhost"
NUMBERS = itertools.count(1)


@dataclass(frozen=True)
class SigningKey:
    """A key pair with its identifier and algorithm."""

    kid: str = "first"
    algorithm: str = "RS256"
    private: PrivateKeyTypes = field(default_factory=lambda: rsa.generate_private_key(65537, 2048))

    @property
    def entry(self) -> dict[str, Any]:
        """The public key in a set of keys (RFC 7517)."""
        kind: Any = RSAAlgorithm if self.algorithm.startswith("RS") else ECAlgorithm
        public = kind.to_jwk(self.private.public_key(), as_dict=True)
        return {**public, "kid": self.kid, "use": "sig", "alg": self.algorithm}

    def sign(self, claims: Mapping[str, Any], **headers: Any) -> str:
        """A token that says this, however odd."""
        payload = json.dumps(dict(claims)).encode()
        return jwt.PyJWS().encode(payload, self.private, self.algorithm, headers={"kid": self.kid, **headers})  # type: ignore[arg-type]


RSA = SigningKey()
EC = SigningKey("elliptic", "ES256", ec.generate_private_key(ec.SECP256R1()))
STRANGER = SigningKey()


def timed(now: datetime, **claims: Any) -> dict[str, Any]:
    """These claims in a token that is new and good for five minutes."""
    seconds = int(now.timestamp())
    fresh = {"iat": seconds, "nbf": seconds, "exp": seconds + 300, "aud": AUDIENCE, "jti": f"job-{next(NUMBERS)}"}
    return {**fresh, **claims}


def github(now: datetime, **changes: Any) -> dict[str, Any]:
    """What GitHub says of a job of acme/acme-utils, workflow release.yml, for the tag v1.0."""
    claims = {
        "iss": GITHUB_URL,
        "sub": "repo:acme/acme-utils:ref:refs/tags/v1.0",
        "repository": "acme/acme-utils",
        "repository_id": "1001",
        "repository_owner": "acme",
        "repository_owner_id": "501",
        "job_workflow_ref": "acme/acme-utils/.github/workflows/release.yml@refs/tags/v1.0",
        "ref": "refs/tags/v1.0",
        "sha": "9f3a" * 10,
        "event_name": "release",
    }
    return timed(now, **{**claims, **changes})


def gitlab(now: datetime, url: str = GITLAB_URL, **changes: Any) -> dict[str, Any]:
    """What GitLab says of a job of acme/acme-utils, pipeline .gitlab-ci.yml, for the branch main."""
    host = url.removeprefix("https://")
    claims = {
        "iss": url,
        "sub": "project_path:acme/acme-utils:ref_type:branch:ref:main",
        "project_path": "acme/acme-utils",
        "project_id": "77",
        "namespace_id": "7",
        "ci_config_ref_uri": f"{host}/acme/acme-utils//.gitlab-ci.yml@refs/heads/main",
        "ref": "main",
        "ref_type": "branch",
        "sha": "0b1c" * 10,
    }
    return timed(now, **{**claims, **changes})


def minutes(now: datetime, count: float) -> int:
    """A moment so many minutes away, in the seconds of a token."""
    return int((now + timedelta(minutes=count)).timestamp())
