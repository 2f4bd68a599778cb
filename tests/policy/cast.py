"""Who asks in the matrix, and what they ask about: as facts for the judge, without a database."""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta

from domain.policy.actions import Action
from domain.policy.decision import Permit
from domain.policy.judge import judge
from domain.policy.principals import (
    Anonymous,
    Factor,
    Grant,
    Member,
    Operator,
    Origin,
    Principal,
    Publisher,
    Standing,
    TokenHolder,
)
from domain.policy.rules import Policy
from domain.policy.targets import OrganizationRole, Role, Target

NOW = datetime(2026, 11, 26, 14, 5, tzinfo=UTC)
ALWAYS = Policy.from_dates(new_users_from=date.min, everyone_from=None, members_only=True)
HOLDER, OTHER = 1, 2  # whose things are asked about, and somebody else
HERE, ELSEWHERE = 7, 8  # the project that is asked about, and another one


class Row:
    """Anything with a table and a key."""

    __tablename__ = "project"
    id = HERE


@dataclass(frozen=True)
class Part:
    """One column of the matrix: who asks, and the roles that they have in what is asked about."""

    principal: Principal
    role: Role | None = None
    organization_role: OrganizationRole | None = None


def _account(user_id: int = OTHER, **changes: object) -> Standing:
    whole = Standing(
        user_id,
        "somebody",
        is_active=True,
        has_verified_email=True,
        registered_at=NOW - timedelta(days=30),
        factors=frozenset({Factor.TOTP}),
    )
    return replace(whole, **changes)  # type: ignore[arg-type]


def _member(user_id: int = OTHER, **changes: object) -> Member:
    return Member(Origin(), _account(user_id, **changes), session_id=1, confirmed_at=NOW)


def _token(**changes: object) -> TokenHolder:
    whole = TokenHolder(Origin(), _account(HOLDER), token_id=1, expires_at=None, reaches_all=False)
    return replace(whole, **changes)  # type: ignore[arg-type]


OWNS = {"role": Role.OWNER, "organization_role": OrganizationRole.OWNER}

# The holder owns the project, the organization and all that is one person's own; the others have one role each.
CAST: dict[str, Part] = {
    "anonymous": Part(Anonymous(Origin())),
    "unverified": Part(_member(HOLDER, has_verified_email=False, factors=frozenset()), **OWNS),  # type: ignore[arg-type]
    "no factor": Part(_member(HOLDER, factors=frozenset()), **OWNS),  # type: ignore[arg-type]
    "holder": Part(_member(HOLDER), **OWNS),  # type: ignore[arg-type]
    "stranger": Part(_member()),
    "maintainer": Part(_member(), role=Role.MAINTAINER),
    "owner": Part(_member(), role=Role.OWNER),
    "org member": Part(_member(), organization_role=OrganizationRole.MEMBER),
    "org manager": Part(_member(), organization_role=OrganizationRole.MANAGER),
    "org owner": Part(_member(), role=Role.OWNER, organization_role=OrganizationRole.OWNER),
    "administrator": Part(_member(is_administrator=True)),
    "token account": Part(_token(reaches_all=True), **OWNS),  # type: ignore[arg-type]
    "token project": Part(_token(project_ids=frozenset({HERE})), **OWNS),  # type: ignore[arg-type]
    "token yank": Part(_token(project_ids=frozenset({HERE}), grants=frozenset({Grant.YANK})), **OWNS),  # type: ignore[arg-type]
    "token read": Part(_token(project_ids=frozenset({ELSEWHERE}), grants=frozenset({Grant.READ})), **OWNS),  # type: ignore[arg-type]
    "token new": Part(_token(creates_project=True), **OWNS),  # type: ignore[arg-type]
    "token other": Part(_token(project_ids=frozenset({ELSEWHERE})), **OWNS),  # type: ignore[arg-type]
    "publisher": Part(Publisher(Origin(), "acme/acme-utils", frozenset({HERE}))),
    "publisher new": Part(Publisher(Origin(), "acme/acme-utils", account=_account(HOLDER)), **OWNS),  # type: ignore[arg-type]
    "operator": Part(Operator()),
}


def target_for(about: str, part: Part) -> Target | None:
    """What is asked about: "project" (of an organization), "organization", "own" (the holder's) or "nothing"."""
    if about == "nothing":
        return None
    if about == "own":
        return Target(Row(), "it", owner_id=HOLDER)
    return Target(
        Row(),
        "it",
        role=part.role,
        organization_role=part.organization_role,
        project_id=HERE if about == "project" else None,
        in_organization=about == "project",
    )


def answer(part: Part, action: Action, about: str) -> str:
    """The judge's answer: "ok" or the reason's code."""
    decision = judge(part.principal, action, target_for(about, part), ALWAYS, NOW)
    return "ok" if isinstance(decision, Permit) else decision.reason.value
