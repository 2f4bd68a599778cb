"""The CI identities that a publisher can name: what each provider's form asks, what may stand there, one form of it."""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

from domain.problems import Problem

MOST = 255  # characters in one field
MOST_CLAIMS = 5


@dataclass(frozen=True)
class Field:
    """One thing that the tokens of a provider say.

    words: what may stand there, as a sentence. folds: upper and lower case are the same to the provider.
    """

    name: str
    label: str
    pattern: str
    words: str
    is_optional: bool = False
    folds: bool = False
    most: int = MOST
    is_long: bool = False


@dataclass(frozen=True)
class Provider:
    """Where CI jobs run. issuer: who signs their tokens where there is one only; else it is chosen, `own` among them.

    shown: the fields that tell one identity from another in a list.
    place: those of them that name where its jobs run; none where the subject is a pattern.
    """

    word: str
    title: str
    fields: tuple[Field, ...]
    shown: tuple[str, ...]
    place: tuple[str, ...] = ()
    issuer: str | None = None
    own: str | None = None


@dataclass(frozen=True)
class CheckedIdentity:
    """An identity that may be stored, in its one spelling."""

    provider: str
    issuer: str
    facts: dict[str, str]
    fingerprint: str

    @property
    def title(self) -> str:
        """How lists, mails and the journal call it."""
        return title_of(self.provider, self.issuer, self.facts)

    @property
    def place(self) -> str:
        """Where its jobs run, in one spelling: "acme/acme-utils"; what the publishers of a job are found by."""
        return "/".join(self.facts[name] for name in PROVIDERS[self.provider].place).lower()


_REF = Field(
    "ref",
    "Branch or tag",
    r"refs/(heads|tags)/(?!/)(?!.*(//|\.\.))[A-Za-z0-9._/*+@-]+(?<!/)",
    "Begin with refs/heads/ for branches or refs/tags/ for tags, as in refs/heads/main or refs/tags/v*.",
    is_optional=True,
)
# GitLab's own rule: groups that are older than its stricter one for new names begin with _ or a full stop.
_SLUG = r"(?!-)[A-Za-z0-9_.-]+(?<!\.git)(?<!\.atom)(?<!\.)"

GITHUB = Provider(
    "github",
    "GitHub",
    (
        Field(
            "owner",
            "Owner",
            r"[A-Za-z0-9](-?[A-Za-z0-9])*-?",
            "Give the account or organization on GitHub alone: letters, digits and hyphens.",
            folds=True,
            most=39,
        ),
        Field(
            "repository",
            "Repository",
            r"(?!\.{1,2}$)[A-Za-z0-9_.-]+",
            "Give the name of the repository without its owner: letters, digits, hyphens, underscores, full stops.",
            folds=True,
            most=100,
        ),
        Field(
            "workflow",
            "Workflow",
            r"[A-Za-z0-9_-][A-Za-z0-9_.-]*\.ya?ml",
            "Give the name of a file in .github/workflows/ alone, ending in .yml or .yaml.",
        ),
        Field(
            "environment",
            "Environment",
            r"[^\x00-\x1f\x7f-\U0010ffff'\"`,;\\]+",
            "Use plain letters, digits and marks, without quotation marks, commas, semicolons and backslashes.",
            is_optional=True,
            folds=True,
        ),
        _REF,
    ),
    shown=("owner", "repository", "workflow"),
    place=("owner", "repository"),
    issuer="https://token.actions.githubusercontent.com",
)
GITLAB = Provider(
    "gitlab",
    "GitLab",
    (
        Field(
            "namespace",
            "Namespace",
            rf"{_SLUG}(/{_SLUG})*",
            "Give the user, or the group with its subgroups, as in the project's address: acme/tools.",
            folds=True,
        ),
        Field(
            "project",
            "Project",
            _SLUG,
            "Give the last part of the project's address alone. It does not end in a full stop, .git or .atom.",
            folds=True,
        ),
        Field(
            "workflow_filepath",
            "Pipeline file",
            r"(?!.*(//|\.\.))[A-Za-z0-9_.-][A-Za-z0-9_./-]*\.ya?ml",
            "Give the path of the top pipeline file in the project, ending in .yml or .yaml, as in .gitlab-ci.yml.",
        ),
        Field(
            "environment",
            "Environment",
            r"[A-Za-z0-9 _/${}.-]+",
            "Use what GitLab allows: letters, digits, blanks and _ / $ { } . -",
            is_optional=True,
        ),
        _REF,
    ),
    shown=("namespace", "project", "workflow_filepath"),
    place=("namespace", "project"),
    own="https://gitlab.com",
)
GOOGLE = Provider(
    "google",
    "Google",
    (
        Field(
            "email",
            "Email address",
            r"[A-Za-z0-9._%+-]+@[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?",
            "Give the email address of the service account.",
            folds=True,
        ),
        Field("sub", "Subject", r"[0-9]+", "Give the number of the account alone.", is_optional=True, most=40),
    ),
    shown=("email",),
    place=("email",),
    issuer="https://accounts.google.com",
)
_HYPHENED = r"[A-Za-z0-9](-?[A-Za-z0-9])*"
ACTIVESTATE = Provider(
    "activestate",
    "ActiveState",
    (
        Field(
            "organization",
            "Organization",
            _HYPHENED,
            "Give the organization as in its address: letters and digits, with single hyphens between them.",
            most=40,
        ),
        Field(
            "project",
            "Project",
            r"(?!\.+$)[A-Za-z0-9.](-?[A-Za-z0-9.])*",
            "Give the project as in its address: letters, digits and full stops, with single hyphens between them.",
            most=40,
        ),
        Field(
            "actor",
            "Actor",
            _HYPHENED,
            "Give the username of who runs it: letters and digits, with single hyphens between them.",
            most=40,
        ),
    ),
    shown=("organization", "project", "actor"),
    place=("organization", "project"),
    issuer="https://platform.activestate.com/api/v1/oauth/oidc",
)
OIDC = Provider(
    "oidc",
    "Other issuer",
    (
        Field(
            "sub",
            "Subject",
            r"[!-)+-~][!-~]*",
            "Give the subject of the tokens, without blanks. A * stands for anything, but not at the beginning.",
        ),
        Field(
            "claims",
            "Further claims",
            r"[ -~\n]+",
            f"Write one claim a line, name=value, {MOST_CLAIMS} at most, each name once and not one of iss, sub, aud.",
            is_optional=True,
            most=1500,
            is_long=True,
        ),
    ),
    shown=("sub",),
)
PROVIDERS = {provider.word: provider for provider in (GITHUB, GITLAB, GOOGLE, ACTIVESTATE, OIDC)}

_CLAIM_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.:/-]{0,99}")
_TAKEN_CLAIMS = frozenset({"iss", "sub", "aud", "exp", "iat", "nbf", "jti"})


def provider_of(word: str) -> Provider | None:
    """The provider behind its word in forms and tables; None for no such one."""
    return PROVIDERS.get(word)


def issuers_of(provider: Provider, added: Mapping[str, str]) -> dict[str, str]:
    """Who may sign for this provider, by address, with the name that people know them by.

    added: the issuers of this provider that administrators added.
    """
    built_in = provider.issuer or provider.own
    return {**({built_in: provider.title} if built_in else {}), **added}


def check(provider: Provider, values: Mapping[str, str], added: Mapping[str, str]) -> CheckedIdentity:
    """The identity that was typed, in its one spelling.

    Raises Problem with the field at fault, the first in the form's order.
    """
    issuer = _issuer(provider, values.get("issuer", "").strip(), added)
    facts = {field.name: _fact(field, values.get(field.name, "")) for field in provider.fields}
    facts = {name: fact for name, fact in facts.items() if fact}
    return CheckedIdentity(provider.word, issuer, facts, _fingerprint(provider.word, issuer, facts))


def title_of(provider: str, issuer: str, facts: Mapping[str, str]) -> str:
    """How lists, mails and the journal call an identity: "acme/acme-utils/release.yml on GitHub"."""
    known = PROVIDERS[provider]
    place = known.title if issuer in (known.issuer, known.own) else issuer
    return f"{'/'.join(facts[name] for name in known.shown)} on {place}"


def limits_of(provider: str, facts: Mapping[str, str]) -> list[tuple[str, str]]:
    """What an identity has to be besides its title, as labels and values: environment, branch or tag, claims."""
    known = PROVIDERS[provider]
    rest = [field for field in known.fields if field.name not in known.shown and field.name in facts]
    return [(field.label, ", ".join(facts[field.name].splitlines())) for field in rest]


def claims_of(facts: Mapping[str, str]) -> dict[str, str]:
    """The further claims that an identity of another issuer has to have."""
    lines = (line.partition("=") for line in facts.get("claims", "").splitlines())
    return {name: value for name, _, value in lines}


def _issuer(provider: Provider, asked: str, added: Mapping[str, str]) -> str:
    known = issuers_of(provider, added)
    if not known:
        raise Problem("No administrator has added an issuer yet. Ask one to.", field="issuer")
    chosen = asked or provider.issuer or provider.own or ""
    if chosen not in known:
        raise Problem("Choose an issuer from the list. An administrator can add others.", field="issuer")
    return chosen


def _fact(field: Field, typed: str) -> str:
    text = typed.replace("\r\n", "\n").strip()
    if not text and field.is_optional:
        return ""
    if len(text) > field.most:
        raise Problem(f"This has {len(text)} characters. The limit is {field.most}.", field=field.name)
    if re.fullmatch(field.pattern, text) is None:
        raise Problem(field.words, field=field.name)
    if field.is_long:
        return _claims(field, text)
    return text.lower() if field.folds else text


def _claims(field: Field, text: str) -> str:
    found: dict[str, str] = {}
    for line in filter(None, (line.strip() for line in text.split("\n"))):
        name, _, value = (piece.strip() for piece in line.partition("="))
        if not value or name in found or name in _TAKEN_CLAIMS or _CLAIM_NAME.fullmatch(name) is None:
            raise Problem(field.words, field=field.name)
        found[name] = value
    if len(found) > MOST_CLAIMS:
        raise Problem(field.words, field=field.name)
    return "\n".join(f"{name}={found[name]}" for name in sorted(found))


def _fingerprint(provider: str, issuer: str, facts: Mapping[str, str]) -> str:
    spelled = json.dumps([provider, issuer, sorted(facts.items())], ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(spelled.encode()).hexdigest()
