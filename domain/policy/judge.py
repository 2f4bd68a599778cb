"""The one place where it is decided who may do what."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from ipaddress import ip_address, ip_network

from domain.policy.actions import Action
from domain.policy.decision import Decision, Reason, Step, fold
from domain.policy.principals import (
    Anonymous,
    Factor,
    Member,
    Operator,
    Principal,
    Publisher,
    Standing,
    TokenHolder,
)
from domain.policy.rules import Policy, Rule
from domain.policy.targets import OrganizationRole, ProjectStatus, Role, Target


@dataclass(frozen=True, slots=True)
class _Case:
    principal: Principal
    action: Action
    target: Target | None
    policy: Policy
    now: datetime

    @property
    def account(self) -> Standing | None:
        return self.principal.account if isinstance(self.principal, Member | TokenHolder | Publisher) else None


def judge(principal: Principal, action: Action, target: Target | None, policy: Policy, now: datetime) -> Decision:
    """Decide whether `principal` may do `action` to `target` now, under `policy`.

    The questions come in a fixed order and the first "stop" decides. Permission on the target is asked before anything
    about email or second factor, so that a stranger learns nothing from being sent to set one up. The steps are the
    decision itself, not a report about it: whoever explains it shows them.
    """
    case = _Case(principal, action, target, policy, now)
    steps: list[Step] = []
    stopped = False
    for question, ask in _questions(case):
        step = Step(question, "not reached") if stopped else ask(case)
        stopped = stopped or step.stops is not None
        steps.append(step)
    return fold(steps, action=action, principal=principal, target=target)


Ask = Callable[[_Case], Step]


def _questions(case: _Case) -> Iterator[tuple[str, Ask]]:
    if isinstance(case.principal, Operator):
        yield OPERATOR, _is_operator
        return
    if isinstance(case.principal, Publisher):
        yield TOKEN_VALID, _token_is_valid
        yield BOUND, _is_bound
        yield STATUS, _project_allows
        if case.account is None:
            return
    if case.action.needs.reading and not case.action.needs.private and not case.policy.members_only:
        yield OPEN, _is_open
        return
    if not isinstance(case.principal, Publisher):
        yield SIGNED_IN, _is_signed_in
    yield ACTIVE, _is_active
    if isinstance(case.principal, TokenHolder):
        yield TOKEN_VALID, _token_is_valid
        yield TOKEN_REACHES, _token_reaches
        yield TOKEN_NETWORK, _token_comes_from_its_networks
    yield PERMISSION, _has_permission
    if not isinstance(case.principal, Publisher):
        yield STATUS, _project_allows
    if isinstance(case.principal, TokenHolder):
        yield TAKES_TOKENS, _project_takes_tokens
    yield EMAIL, _has_verified_email
    yield ADDRESS_PROOF, _has_proved_address
    for rule in case.policy.rules:
        question = f"Does the rule {rule.id} ask for a second factor that is missing?"
        yield question, _asking(rule, question)
    yield ORGANIZATION_KEY, _has_key_where_asked
    yield FRESH, _is_fresh


OPERATOR = "Is this the operator's shell?"
OPEN = "Does this index let everybody read?"
SIGNED_IN = "Is somebody signed in?"
ACTIVE = "Is the account active?"
TOKEN_VALID = "Is the token still valid?"  # noqa: S105
TOKEN_REACHES = "Does the token reach this project and this action?"  # noqa: S105
TOKEN_NETWORK = "Does the token come from a network that it is meant for?"  # noqa: S105
BOUND = "Is the trusted publisher bound to this project, and may it do this?"
PERMISSION = "Is it yours, or does your role allow it?"
STATUS = "Does the project's status allow it?"
TAKES_TOKENS = "Does the project take files from tokens, not from trusted publishers only?"
EMAIL = "Is the primary email address verified?"
ADDRESS_PROOF = "Was nobody here for so long that the address has to be proved again?"
ORGANIZATION_KEY = "Does the organization ask for a passkey or security key that is missing?"
FRESH = "Did you confirm lately that it is you?"


def _is_operator(case: _Case) -> Step:
    return Step(OPERATOR, "yes", (("action", case.action.name),))


def _is_open(case: _Case) -> Step:
    return Step(OPEN, "yes", (("action", case.action.label),))


def _is_signed_in(case: _Case) -> Step:
    if isinstance(case.principal, Anonymous):
        return Step(SIGNED_IN, "no", stops=Reason.NOT_SIGNED_IN)
    return Step(SIGNED_IN, "yes", (("account", _account(case).username),))


def _is_active(case: _Case) -> Step:
    if _account(case).is_active:
        return Step(ACTIVE, "yes")
    return Step(ACTIVE, "no", stops=Reason.ACCOUNT_FROZEN)


def _token_is_valid(case: _Case) -> Step:
    assert isinstance(case.principal, TokenHolder | Publisher)  # noqa: S101 - asked of these only
    token = case.principal
    inputs = (("ends", "never" if token.expires_at is None else token.expires_at.strftime("%Y-%m-%d %H:%M UTC")),)
    if token.expires_at is None or token.expires_at > case.now:
        return Step(TOKEN_VALID, "yes", inputs)
    return Step(TOKEN_VALID, "no", inputs, stops=Reason.TOKEN_EXPIRED)


def _token_reaches(case: _Case) -> Step:
    token = _token(case)
    inputs = (
        ("reaches", "everything" if token.reaches_all else f"{len(token.project_ids)} projects"),
        ("made for", ", ".join(sorted(grant.value for grant in token.grants)) or "nothing"),
    )
    needs = case.action.needs
    reads_all = needs.reading and (not needs.private or case.target is None)
    if needs.grant in token.grants and (reads_all or _is_in_scope(token, case.target)):
        return Step(TOKEN_REACHES, "yes", inputs)
    return Step(TOKEN_REACHES, "no", inputs, stops=Reason.TOKEN_SCOPE)


def _is_in_scope(token: TokenHolder, target: Target | None) -> bool:
    """Whether it reaches the target's project, or, where there is no project yet, may create one."""
    if token.reaches_all:
        return True
    return token.creates_project if target is None else target.project_id in token.project_ids


def _token_comes_from_its_networks(case: _Case) -> Step:
    token = _token(case)
    if not token.networks:
        return Step(TOKEN_NETWORK, "not asked", (("networks", "any"),))
    inputs = (("networks", ", ".join(token.networks)), ("comes from", token.origin.address))
    if any(_is_within(token.origin.address, network) for network in token.networks):
        return Step(TOKEN_NETWORK, "yes", inputs)
    return Step(TOKEN_NETWORK, "no", inputs, stops=Reason.TOKEN_NETWORK)


def _is_within(address: str, network: str) -> bool:
    """An address that is none lies in no network. `::ffff:192.0.2.1` is 192.0.2.1 come through an IPv6 socket."""
    try:
        found = ip_address(address)
    except ValueError:
        return False
    return (getattr(found, "ipv4_mapped", None) or found) in ip_network(network)


def _is_bound(case: _Case) -> Step:
    assert isinstance(case.principal, Publisher)  # noqa: S101 - asked of publishers only
    project_id = case.target.project_id if case.target else None
    inputs = (("publisher", case.principal.name),)
    creates = project_id is None and case.action.needs.creates and case.account is not None
    if case.action.needs.publishers and (creates or project_id in case.principal.project_ids):
        return Step(BOUND, "yes", inputs)
    return Step(BOUND, "no", inputs, stops=Reason.PUBLISHER_SCOPE)


def _has_permission(case: _Case) -> Step:
    needs, target = case.action.needs, case.target
    if needs.operator:
        return Step(PERMISSION, "no", (("needed", "the operator's shell"),), stops=Reason.NO_PERMISSION)
    if needs.administrator:
        return _is_administrator(case)
    if needs.private and target is not None:
        return _is_among_own(target)
    if needs.role is not None:
        step = _has_role(needs.role, target.role if target else None)
        if step.stops or needs.organization_role is None or target is None or not target.in_organization:
            return step
    if needs.organization_role is not None:
        return _has_role(needs.organization_role, target.organization_role if target else None)
    return _has_own_target(case)


def _is_administrator(case: _Case) -> Step:
    inputs = (("needed", "administrator of this index"),)
    if _account(case).is_administrator:
        return Step(PERMISSION, "yes", inputs)
    return Step(PERMISSION, "no", inputs, stops=Reason.NO_PERMISSION)


def _is_among_own(target: Target) -> Step:
    inputs = (("needed", "a role in it, or a place in its organization"),)
    if target.is_among_own:
        return Step(PERMISSION, "yes", inputs)
    return Step(PERMISSION, "no", inputs, stops=Reason.NO_PERMISSION)


def _has_role(needed: Role | OrganizationRole, held: Role | OrganizationRole | None) -> Step:
    inputs = (("needed", needed.word), ("yours", held.word if held else "none"))
    if held is not None and held >= needed:
        return Step(PERMISSION, "yes", inputs)
    return Step(PERMISSION, "no", inputs, stops=Reason.NO_PERMISSION)


def _has_own_target(case: _Case) -> Step:
    if case.target is None:
        return Step(PERMISSION, "not asked", (("action", "concerns nothing of others"),))
    if case.target.owner_id == _account(case).user_id:
        return Step(PERMISSION, "yes", (("it belongs to", "you"),))
    return Step(PERMISSION, "no", (("it belongs to", "somebody else"),), stops=Reason.NO_PERMISSION)


_STATUS_STOPS = {
    ProjectStatus.ARCHIVED: Reason.PROJECT_ARCHIVED,
    ProjectStatus.QUARANTINED: Reason.PROJECT_QUARANTINED,
}


def _project_allows(case: _Case) -> Step:
    if case.target is None or case.target.project_id is None:
        return Step(STATUS, "not asked", (("action", "concerns no project"),))
    status = case.target.status
    inputs = (("status", status.value),)
    if status in case.action.needs.statuses:
        return Step(STATUS, "yes", inputs)
    return Step(STATUS, "no", inputs, stops=_STATUS_STOPS[status])


def _project_takes_tokens(case: _Case) -> Step:
    if case.action.needs.reading:
        return Step(TAKES_TOKENS, "not asked", (("action", "brings no files"),))
    if case.target is None or case.target.takes_tokens:
        return Step(TAKES_TOKENS, "yes")
    return Step(TAKES_TOKENS, "no", stops=Reason.PUBLISHERS_ONLY)


def _has_verified_email(case: _Case) -> Step:
    if not case.action.needs.verified_email:
        return Step(EMAIL, "not asked", (("action", "possible before the address is verified"),))
    if _account(case).has_verified_email:
        return Step(EMAIL, "yes")
    return Step(EMAIL, "no", stops=Reason.EMAIL_UNVERIFIED)


def _has_proved_address(case: _Case) -> Step:
    if not case.action.needs.proved_address:
        return Step(ADDRESS_PROOF, "not asked", (("action", "possible without that proof"),))
    if not _account(case).must_prove_address:
        return Step(ADDRESS_PROOF, "no")
    return Step(ADDRESS_PROOF, "yes", stops=Reason.ADDRESS_PROOF_REQUIRED)


def _asking(rule: Rule, question: str) -> Ask:
    def ask(case: _Case) -> Step:
        account = _account(case)
        if not case.action.needs.second_factor:
            return Step(question, "not asked", (("action", "possible without a second factor"),), rule=rule.id)
        inputs = (
            ("in force", "always" if rule.starts == date.min else f"from {rule.starts}"),
            ("registered", account.registered_at.strftime("%Y-%m-%d")),
            ("concerns", f"registered from {rule.registered_from}" if rule.registered_from else "everyone"),
            ("second factors", ", ".join(sorted(factor.value for factor in account.factors)) or "none"),
        )
        if account.has_second_factor or not rule.is_in_force(case.now) or not rule.covers(account.registered_at):
            return Step(question, "no", inputs, rule=rule.id)
        return Step(question, "yes", inputs, stops=Reason.TWO_FACTOR_REQUIRED, rule=rule.id)

    return ask


def _has_key_where_asked(case: _Case) -> Step:
    organization = case.target.asks_for_key if case.target else None
    needs = case.action.needs
    if organization is None or not (needs.second_factor and needs.organization_rule):
        return Step(ORGANIZATION_KEY, "not asked", (("rule", "no organization's rule concerns this"),))
    inputs = (("organization", organization),)
    if Factor.WEBAUTHN in _account(case).factors:
        return Step(ORGANIZATION_KEY, "no", inputs)
    return Step(ORGANIZATION_KEY, "yes", inputs, stops=Reason.KEY_REQUIRED)


def _is_fresh(case: _Case) -> Step:
    if not (case.action.needs.fresh and isinstance(case.principal, Member)):
        return Step(FRESH, "not asked", (("action", "does not ask for it"),))
    confirmed_at, limit = case.principal.confirmed_at, case.policy.fresh_for
    inputs = (
        ("confirmed", confirmed_at.strftime("%Y-%m-%d %H:%M UTC") if confirmed_at else "never"),
        ("lasts", f"{limit.total_seconds() / 60:.0f} minutes"),
    )
    if confirmed_at is not None and case.now - confirmed_at < limit:
        return Step(FRESH, "yes", inputs)
    return Step(FRESH, "no", inputs, stops=Reason.CONFIRMATION_REQUIRED)


def _account(case: _Case) -> Standing:
    assert case.account is not None  # noqa: S101 - the first question stops whoever has none
    return case.account


def _token(case: _Case) -> TokenHolder:
    assert isinstance(case.principal, TokenHolder)  # noqa: S101 - asked of token holders only
    return case.principal
