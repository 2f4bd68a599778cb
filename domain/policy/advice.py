"""What would turn a refusal into a permit: the judge is asked again, of whoever has changed this or that."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from domain.policy.actions import Action
from domain.policy.decision import Permit
from domain.policy.judge import judge
from domain.policy.principals import Factor, Member, Principal, TokenHolder
from domain.policy.rules import Policy
from domain.policy.targets import Target


def what_would_help(
    principal: Principal, action: Action, target: Target | None, policy: Policy, now: datetime
) -> list[str]:
    """The single changes, in words, each of which alone would turn the refusal of this action into a permit."""
    changed = [(words, change(principal, now)) for words, change in _CHANGES]
    return [words for words, after in changed if isinstance(judge(after, action, target, policy, now), Permit)]


def way_through(
    principal: Principal, action: Action, target: Target | None, policy: Policy, now: datetime
) -> list[str]:
    """All the changes, in the order in which they are asked for, that together turn the refusal into a permit.

    Empty where nothing that the person can change would help.
    """
    taken: list[str] = []
    decision = judge(principal, action, target, policy, now)
    for words, change in _CHANGES:
        if isinstance(decision, Permit):
            break
        after = judge(change(principal, now), action, target, policy, now)
        if isinstance(after, Permit) or after.reason is not decision.reason:
            principal, decision = change(principal, now), after
            taken.append(words)
    return taken if isinstance(decision, Permit) else []


def _verify(principal: Principal, now: datetime) -> Principal:
    if isinstance(principal, Member | TokenHolder):
        return replace(principal, account=replace(principal.account, has_verified_email=True))
    return principal


def _prove_address(principal: Principal, now: datetime) -> Principal:
    if isinstance(principal, Member | TokenHolder):
        return replace(principal, account=replace(principal.account, must_prove_address=False))
    return principal


def _enrol(principal: Principal, now: datetime) -> Principal:
    if isinstance(principal, Member | TokenHolder):
        return replace(principal, account=replace(principal.account, factors=principal.account.factors | {Factor.TOTP}))
    return principal


def _add_key(principal: Principal, now: datetime) -> Principal:
    """Whoever has no second factor yet is told of any kind."""
    if isinstance(principal, Member | TokenHolder) and principal.account.has_second_factor:
        with_key = principal.account.factors | {Factor.WEBAUTHN}
        return replace(principal, account=replace(principal.account, factors=with_key))
    return principal


def _confirm(principal: Principal, now: datetime) -> Principal:
    return replace(principal, confirmed_at=now) if isinstance(principal, Member) else principal


def _renew_token(principal: Principal, now: datetime) -> Principal:
    return replace(principal, expires_at=None) if isinstance(principal, TokenHolder) else principal


def _widen_token(principal: Principal, now: datetime) -> Principal:
    return replace(principal, reaches_all=True) if isinstance(principal, TokenHolder) else principal


def _come_from_elsewhere(principal: Principal, now: datetime) -> Principal:
    return replace(principal, networks=()) if isinstance(principal, TokenHolder) else principal


_CHANGES: tuple[tuple[str, Callable[[Principal, datetime], Principal]], ...] = (
    ("Use a token that has not expired.", _renew_token),
    ("Use a token that reaches this project.", _widen_token),
    ("Use the token from a network that it is meant for.", _come_from_elsewhere),
    ("Verify your primary email address.", _verify),
    ("Open the link that proves your address again.", _prove_address),
    ("Set up a second factor.", _enrol),
    ("Add a passkey or security key.", _add_key),
    ("Confirm it is you.", _confirm),
)
