"""What the identity token of a CI job says, and whether that is what a publisher has to be."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from domain.index.publisher_identities import ACTIVESTATE, GITHUB, GITLAB, GOOGLE, OIDC, Provider, claims_of

Claims = Mapping[str, Any]  # Any: whatever the issuer says


class BadClaim(Exception):
    """A claim is missing, of another kind, or not what it has to be. The text is a sentence for whoever sent it."""


@dataclass(frozen=True)
class Job:
    """A CI job as its token describes it.

    place: what the publishers that could be meant are found by, as `place_of` spells it.
    title: how people call it: "acme/acme-utils on GitHub".
    ref: the branch or tag, such as "refs/tags/v1.0"; empty where the provider has none. sha: the commit, likewise.
    ids: numbers of the provider that stay with an account and a repository, and with none that later get their names.
    """

    provider: Provider
    issuer: str
    claims: Claims
    place: str
    title: str
    ref: str = ""
    sha: str = ""
    ids: Mapping[str, str] | None = None


def read(provider: Provider, issuer: str, claims: Claims) -> Job:
    """The job that a token describes. issuer: it signed the token. Raises BadClaim."""
    if "jti" in claims or provider in (GITHUB, GITLAB):
        _text(claims, "jti")
    return _READERS[provider.word](issuer, claims)


def check(job: Job, facts: Mapping[str, str], ids: Mapping[str, str]) -> None:
    """Return if the job is what a publisher with these facts has to be; raise BadClaim for the first claim that is not.

    ids: those of the job that it was first used for; empty before that.
    """
    _CHECKS[job.provider.word](job, facts)
    for name, known in ids.items():
        found = (job.ids or {}).get(name)
        if found != known:
            raise BadClaim(
                f"The claim {name} is {found}, and was {known} when this publisher was first used: the account or"
                " repository of this name is another one now."
            )


def concerns(job: Job, facts: Mapping[str, str]) -> bool:
    """Whether a publisher of the job's place could be meant at all; of an issuer whose publishers name subjects, those
    with another subject are none of the job's business."""
    return job.provider is not OIDC or _fits(_text(job.claims, "sub"), facts["sub"])


def spent_as(job: Job, signed: bytes) -> bytes:
    """What the job's token is remembered by when it is spent: a digest of its `jti`, or, where the issuer gives none,
    of the bytes under the signature."""
    mark = job.claims.get("jti")
    unique = mark.encode() if isinstance(mark, str) else signed
    return hashlib.sha256(job.issuer.encode() + b"\0" + unique).digest()


def _github(issuer: str, claims: Claims) -> Job:
    repository = _text(claims, "repository")
    if _text(claims, "event_name") == "pull_request_target":
        raise BadClaim("The claim event_name is pull_request_target: such jobs run what strangers wrote.")
    return Job(
        GITHUB,
        issuer,
        claims,
        place=repository.lower(),
        title=f"{repository} on GitHub",
        ref=_text(claims, "ref"),
        sha=_text(claims, "sha"),
        ids=_numbers(claims, "repository_owner_id", "repository_id"),
    )


def _check_github(job: Job, facts: Mapping[str, str]) -> None:
    named = _text(job.claims, "job_workflow_ref")
    path, _, at = named.partition("@")
    repository, _, workflow = path.partition("/.github/workflows/")
    if repository.lower() != job.place or workflow != facts["workflow"]:
        expected = f"{job.place}/.github/workflows/{facts['workflow']}"
        raise BadClaim(f"The claim job_workflow_ref is {named}, and begins with {expected}@ for this publisher.")
    if at not in (job.ref, job.sha):
        raise BadClaim(f"The claim job_workflow_ref is {named}, and ends in the ref or the sha of the job.")
    if "environment" in facts:
        _same(job.claims, "environment", facts["environment"], folds=True)
    _check_ref(job, facts)


def _gitlab(issuer: str, claims: Claims) -> Job:
    path, kind = _text(claims, "project_path"), _text(claims, "ref_type")
    if kind not in ("branch", "tag"):
        raise BadClaim("The claim ref_type is neither branch nor tag.")
    ref = f"refs/{'heads' if kind == 'branch' else 'tags'}/{_text(claims, 'ref')}"
    host = urlsplit(issuer).netloc
    return Job(
        GITLAB,
        issuer,
        claims,
        place=path.lower(),
        title=f"{path} on {'GitLab' if issuer == GITLAB.own else host}",
        ref=ref,
        sha=_text(claims, "sha"),
        ids=_numbers(claims, "namespace_id", "project_id"),
    )


def _check_gitlab(job: Job, facts: Mapping[str, str]) -> None:
    subject = _text(job.claims, "sub")
    if not subject.lower().startswith(f"project_path:{job.place}:"):
        raise BadClaim(f"The claim sub is {subject}, and begins with project_path:{job.place}: for this publisher.")
    host, named = urlsplit(job.issuer).netloc, _text(job.claims, "ci_config_ref_uri")
    path, _, at = named.rpartition("@")
    config, _, file = path.partition("//")
    if config.lower() != f"{host}/{job.place}" or file != facts["workflow_filepath"]:
        expected = f"{host}/{job.place}//{facts['workflow_filepath']}"
        raise BadClaim(f"The claim ci_config_ref_uri is {named}, and begins with {expected}@ for this publisher.")
    if at not in (job.ref, job.sha):
        raise BadClaim(f"The claim ci_config_ref_uri is {named}, and ends in the ref or the sha of the job.")
    if "environment" in facts:
        _same(job.claims, "environment", facts["environment"])
    _check_ref(job, facts)


def _google(issuer: str, claims: Claims) -> Job:
    email = _text(claims, "email")
    if claims.get("email_verified") is not True:
        raise BadClaim("The claim email_verified is not true.")
    return Job(
        GOOGLE, issuer, claims, place=email.lower(), title=f"{email} on Google", ids={"sub": _text(claims, "sub")}
    )


def _check_google(job: Job, facts: Mapping[str, str]) -> None:
    if "sub" in facts:
        _same(job.claims, "sub", facts["sub"])


def _activestate(issuer: str, claims: Claims) -> Job:
    place = f"{_text(claims, 'organization')}/{_text(claims, 'project')}"
    return Job(
        ACTIVESTATE,
        issuer,
        claims,
        place=place.lower(),
        title=f"{place} on ActiveState",
        ids=_numbers(claims, "organization_id", "project_id"),
    )


def _check_activestate(job: Job, facts: Mapping[str, str]) -> None:
    for name in ("organization", "project", "actor"):
        _same(job.claims, name, facts[name])
    _same(job.claims, "builder", "pypi-publisher")
    _same(job.claims, "sub", f"org:{facts['organization']}:project:{facts['project']}")


def _other(issuer: str, claims: Claims) -> Job:
    subject = _text(claims, "sub")
    return Job(OIDC, issuer, claims, place="", title=f"{subject} on {issuer}")


def _check_other(job: Job, facts: Mapping[str, str]) -> None:
    for name, expected in claims_of(facts).items():
        _same(job.claims, name, expected)


_READERS: dict[str, Callable[[str, Claims], Job]] = {
    GITHUB.word: _github,
    GITLAB.word: _gitlab,
    GOOGLE.word: _google,
    ACTIVESTATE.word: _activestate,
    OIDC.word: _other,
}
_CHECKS: dict[str, Callable[[Job, Mapping[str, str]], None]] = {
    GITHUB.word: _check_github,
    GITLAB.word: _check_gitlab,
    GOOGLE.word: _check_google,
    ACTIVESTATE.word: _check_activestate,
    OIDC.word: _check_other,
}


def _text(claims: Claims, name: str) -> str:
    value = claims.get(name)
    if value is None:
        raise BadClaim(f"The token has no claim {name}.")
    if not isinstance(value, str) or not value:
        raise BadClaim(f"The claim {name} is no text.")
    if len(value) > MOST or not value.isprintable():
        raise BadClaim(f"The claim {name} is too long, or has control characters.")
    return value


MOST = 1_000  # characters of a claim that is looked at


def _numbers(claims: Claims, *names: str) -> dict[str, str]:
    """Numbers, which GitHub and GitLab write as text."""
    found = {}
    for name in names:
        value = claims.get(name)
        text = str(value) if isinstance(value, int) and not isinstance(value, bool) else _text(claims, name)
        found[name] = text
    return found


def _same(claims: Claims, name: str, expected: str, *, folds: bool = False) -> None:
    value = claims.get(name)
    if isinstance(value, bool):
        found = str(value).lower()
    elif isinstance(value, int):
        found = str(value)
    else:
        found = _text(claims, name)
    if (found.lower() if folds else found) != expected:
        raise BadClaim(f"The claim {name} is {found}, and {expected} for this publisher.")


def _check_ref(job: Job, facts: Mapping[str, str]) -> None:
    if "ref" in facts and not _fits(job.ref, facts["ref"]):
        raise BadClaim(f"The claim ref is {job.ref}, and {facts['ref']} for this publisher.")


def _fits(text: str, pattern: str) -> bool:
    """Whether a text is what the pattern says, in which a * stands for anything."""
    first, *others = pattern.split("*")
    if not others:
        return text == pattern
    *middle, last = others
    at = len(first)
    for piece in middle:  # each at the first place where it stands: a regular expression would try them all
        found = text.find(piece, at)
        if found < 0:
            return False
        at = found + len(piece)
    return text.startswith(first) and text.endswith(last) and len(text) - len(last) >= at
