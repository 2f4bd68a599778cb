"""Which claims a publisher of each provider is held to."""

from typing import Any

import pytest

from domain.index.publisher_claims import BadClaim, check, concerns, read
from domain.index.publisher_identities import ACTIVESTATE, GITHUB, GOOGLE, OIDC
from domain.index.publisher_identities import check as identity

GOOGLE_CLAIMS = {"email": "Robot@acme.example", "email_verified": True, "sub": "4711"}
ACTIVESTATE_CLAIMS = {
    "organization": "acme",
    "project": "Utils",
    "organization_id": "5",
    "project_id": "6",
    "actor": "ana",
    "builder": "pypi-publisher",
    "sub": "org:acme:project:Utils",
}
ISSUER = "https://issuer.example"


def judged(provider: Any, claims: dict[str, Any], facts: dict[str, str], added: dict[str, str] | None = None) -> str:
    """Why the job is not meant; empty if it is."""
    known = identity(provider, facts, added or {})
    try:
        job = read(provider, known.issuer, claims)
        if not concerns(job, known.facts):
            return "another subject"
        check(job, known.facts, {})
    except BadClaim as fault:
        return str(fault)
    assert job.place == known.place
    return ""


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({}, ""),
        ({"email_verified": False}, "email_verified is not true"),
        ({"email_verified": "true"}, "email_verified is not true"),
        ({"email_verified": None}, "email_verified is not true"),
        ({"email": None}, "no claim email"),
        ({"sub": "4712"}, "The claim sub is 4712, and 4711 for this publisher."),
        ({"sub": None}, "no claim sub"),
        ({"sub": 4711}, "The claim sub is no text."),
    ],
)
def test_google(changes: dict[str, Any], why: str) -> None:
    claims = {name: value for name, value in {**GOOGLE_CLAIMS, **changes}.items() if value is not None}

    found = judged(GOOGLE, claims, {"email": "robot@acme.example", "sub": "4711"})

    assert why in found
    assert bool(found) is bool(why)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({}, ""),
        ({"actor": "Ana"}, "The claim actor is Ana, and ana for this publisher."),
        ({"project": "utils", "sub": "org:acme:project:utils"}, "The claim project is utils, and Utils"),
        ({"builder": "shell"}, "The claim builder is shell"),
        ({"sub": "org:acme:project:other"}, "The claim sub is org:acme:project:other"),
        ({"organization_id": None}, "no claim organization_id"),
        ({"organization_id": True}, "The claim organization_id is no text."),
    ],
)
def test_activestate(changes: dict[str, Any], why: str) -> None:
    claims = {name: value for name, value in {**ACTIVESTATE_CLAIMS, **changes}.items() if value is not None}

    found = judged(ACTIVESTATE, claims, {"organization": "acme", "project": "Utils", "actor": "ana"})

    assert why in found
    assert bool(found) is bool(why)


@pytest.mark.parametrize(
    ("pattern", "subject", "fits"),
    [
        ("repo:acme/utils:*", "repo:acme/utils:ref:refs/heads/main", True),
        ("repo:acme/utils:*", "repo:acme/utils-evil:ref", False),
        ("repo:acme/utils:*", "xrepo:acme/utils:", False),
        ("a*b*c", "abc", True),
        ("a*b*c", "aXbYbZc", True),
        ("a*b*c", "acb", False),
        ("a*a", "a", False),
        ("a*a", "aa", True),
        ("a**a", "aXa", True),
        ("a.c", "abc", False),
        ("a[b]c*", "a[b]cd", True),
        ("a?", "ab", False),
    ],
)
def test_the_subject_of_another_issuer_is_a_pattern_with_stars_alone(pattern: str, subject: str, fits: bool) -> None:
    found = judged(OIDC, {"sub": subject}, {"sub": pattern, "issuer": ISSUER}, {ISSUER: "Ours"})

    assert found == ("" if fits else "another subject")


def test_a_pattern_of_many_stars_is_no_work() -> None:
    """A regular expression would try them all."""
    pattern = "a" + "*a" * 120 + "b"

    assert judged(OIDC, {"sub": "a" * 999}, {"sub": pattern, "issuer": ISSUER}, {ISSUER: "Ours"}) == "another subject"


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ("release", ""),
        (None, "The token has no claim stage."),
        ("Release", "The claim stage is Release, and release for this publisher."),
        (["release"], "The claim stage is no text."),
        (1.5, "The claim stage is no text."),
    ],
)
def test_further_claims_are_equal_to_the_letter(value: Any, why: str) -> None:
    claims = {"sub": "job", **({} if value is None else {"stage": value})}

    assert judged(OIDC, claims, {"sub": "job", "claims": "stage=release", "issuer": ISSUER}, {ISSUER: "Ours"}) == why


@pytest.mark.parametrize(("value", "text"), [(True, "true"), (False, "false"), (7, "7")])
def test_truths_and_numbers_are_compared_as_they_are_written(value: Any, text: str) -> None:
    facts = {"sub": "job", "claims": f"protected={text}", "issuer": ISSUER}

    assert judged(OIDC, {"sub": "job", "protected": value}, facts, {ISSUER: "Ours"}) == ""


def test_an_environment_of_github_is_compared_without_case_and_has_to_be_there() -> None:
    claims = {
        "repository": "Acme/Utils",
        "repository_id": 1,
        "repository_owner_id": 2,
        "job_workflow_ref": "Acme/Utils/.github/workflows/release.yml@abc",
        "ref": "refs/heads/main",
        "sha": "abc",
        "event_name": "push",
        "jti": "1",
    }
    facts = {"owner": "acme", "repository": "utils", "workflow": "release.yml", "environment": "PyPI"}

    assert judged(GITHUB, {**claims, "environment": "pypi"}, facts) == ""
    assert judged(GITHUB, claims, facts) == "The token has no claim environment."
