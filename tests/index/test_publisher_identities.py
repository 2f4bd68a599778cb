"""What a trusted publisher may be: each provider's form, refused in words, and one spelling of what is the same."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.index.publisher_identities import PROVIDERS, check, claims_of, limits_of
from domain.problems import Problem

GOOD = {
    "github": {"owner": "acme", "repository": "acme-utils", "workflow": "release.yml"},
    "gitlab": {"namespace": "acme/tools", "project": "utils", "workflow_filepath": ".gitlab-ci.yml"},
    "google": {"email": "ci@acme.iam.gserviceaccount.com"},
    "activestate": {"organization": "acme", "project": "utils", "actor": "ana"},
    "oidc": {"sub": "repo:acme/utils:*"},
}
ADDED = {
    "gitlab": {"https://git.acme.example": "Acme"},
    "oidc": {"https://ci.acme.example": "Acme CI"},
}


def checked(provider: str, **changes: str) -> tuple[str, dict[str, str], str]:
    added = ADDED.get(provider, {})
    issuer = {"issuer": "https://ci.acme.example"} if provider == "oidc" else {}
    found = check(PROVIDERS[provider], {**GOOD[provider], **issuer, **changes}, added)
    return found.issuer, found.facts, found.fingerprint


@pytest.mark.parametrize("provider", GOOD)
def test_a_plain_identity_is_kept_as_it_was_typed(provider: str) -> None:
    assert checked(provider)[1] == GOOD[provider]


NOWHERE = ["", "аcme", "a\x00b", "a\nb", "x" * 10_000, "..", "a b c \u202e", "\ud800"]


@pytest.mark.parametrize(("provider", "field"), [(word, name) for word, fields in GOOD.items() for name in fields])
@pytest.mark.parametrize("typed", NOWHERE)
def test_what_no_provider_has_is_refused_at_its_field(provider: str, field: str, typed: str) -> None:
    if (provider, typed) == ("oidc", ".."):
        return  # a subject is whatever the issuer says
    with pytest.raises(Problem) as refusal:
        checked(provider, **{field: typed})

    assert refusal.value.field == field


@pytest.mark.parametrize(
    ("provider", "field", "typed"),
    [
        ("github", "owner", "acme/utils"),
        ("github", "owner", "-acme"),
        ("github", "owner", "a" * 40),
        ("github", "repository", "acme/utils"),
        ("github", "repository", "."),
        ("github", "workflow", ".github/workflows/release.yml"),
        ("github", "workflow", "release.toml"),
        ("github", "workflow", ".yml"),
        ("github", "environment", "a,b"),
        ("github", "environment", "pró"),
        ("github", "ref", "main"),
        ("github", "ref", "refs/pull/1/merge"),
        ("github", "ref", "refs/heads/"),
        ("github", "ref", "refs/heads/a..b"),
        ("github", "ref", "refs/heads/a//b"),
        ("gitlab", "namespace", "/acme"),
        ("gitlab", "namespace", "acme//x"),
        ("gitlab", "project", "acme/utils"),
        ("gitlab", "project", "utils.git"),
        ("gitlab", "project", "utils.atom"),
        ("gitlab", "project", "utils."),
        ("gitlab", "project", "-utils"),
        ("gitlab", "namespace", "acme.git/tools"),
        ("gitlab", "namespace", "acme/-tools"),
        ("gitlab", "namespace", "acme/../tools"),
        ("gitlab", "namespace", "acme/"),
        ("gitlab", "workflow_filepath", "../ci.yml"),
        ("gitlab", "workflow_filepath", "/ci.yml"),
        ("gitlab", "issuer", "https://git.evil.example"),
        ("gitlab", "issuer", "https://gitlab.com/"),
        ("activestate", "organization", "acme_corp"),
        ("activestate", "organization", "acme.corp"),
        ("activestate", "organization", "acme--corp"),
        ("activestate", "organization", "-acme"),
        ("activestate", "project", "utils-"),
        ("activestate", "actor", "a" * 41),
        ("google", "email", "ci"),
        ("google", "sub", "x1"),
        ("oidc", "sub", "*"),
        ("oidc", "issuer", ""),
        ("oidc", "claims", "no value"),
        ("oidc", "claims", "sub=x"),
        ("oidc", "claims", "a=1\na=2"),
        ("oidc", "claims", "\n".join(f"c{number}=x" for number in range(6))),
    ],
)
def test_what_a_provider_does_not_have_is_refused_at_its_field(provider: str, field: str, typed: str) -> None:
    with pytest.raises(Problem) as refusal:
        checked(provider, **{field: typed})

    assert refusal.value.field == field


@pytest.mark.parametrize(
    ("provider", "field", "typed"),
    [
        ("gitlab", "namespace", "_infra/.hidden/a.b_c-d"),
        ("gitlab", "project", "_utils"),
        ("gitlab", "project", "acme.gitlab.io"),
        ("activestate", "project", "acme.Utils-3.11"),
        ("activestate", "actor", "Ana-2"),
    ],
)
def test_what_a_provider_does_have_is_kept(provider: str, field: str, typed: str) -> None:
    assert checked(provider, **{field: typed})[1][field] == typed


def test_the_same_names_at_another_issuer_are_another_identity() -> None:
    assert checked("gitlab")[2] != checked("gitlab", issuer="https://git.acme.example")[2]


def test_case_counts_where_it_counts_for_the_provider() -> None:
    assert checked("github", owner="ACME", environment="Release")[1] == {**GOOD["github"], "environment": "release"}
    assert checked("gitlab", environment="Release")[1]["environment"] == "Release"
    assert checked("github", owner="ACME")[2] == checked("github")[2]
    assert checked("gitlab", namespace="Acme/Tools", project="UTILS")[2] == checked("gitlab")[2]
    assert checked("activestate", organization="Acme")[2] != checked("activestate")[2]
    assert checked("gitlab", environment="Release")[2] != checked("gitlab", environment="release")[2]


def test_claims_have_one_order_and_are_read_again() -> None:
    facts = checked("oidc", claims="zone = b=c\r\n\r\narea=a")[1]

    assert claims_of(facts) == {"area": "a", "zone": "b=c"}
    assert limits_of("oidc", facts) == [("Further claims", "area=a, zone=b=c")]
    assert checked("oidc", claims="a=1\nb=2")[2] == checked("oidc", claims="b=2\na=1")[2]


@given(
    provider=st.sampled_from(list(PROVIDERS)),
    values=st.dictionaries(
        st.sampled_from(["issuer", *(field.name for one in PROVIDERS.values() for field in one.fields)]), st.text()
    ),
)
def test_whatever_is_typed_is_refused_in_words_or_kept(provider: str, values: dict[str, str]) -> None:
    added = ADDED.get(provider, {})
    try:
        found = check(PROVIDERS[provider], {**GOOD[provider], **values}, added)
    except Problem:
        return

    assert check(PROVIDERS[provider], {**found.facts, "issuer": found.issuer}, added) == found
