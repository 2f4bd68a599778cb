"""The judge decides: every reason once, in the fixed order, with the steps that it carries."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.policy.actions import Action, Needs
from domain.policy.advice import way_through, what_would_help
from domain.policy.decision import Decision, Denial, Permit, PermitMismatch, Reason, Step, fold
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
from domain.policy.targets import OrganizationRole, ProjectStatus, Role, Target
from tests.requirements import requirement

NOW = datetime(2026, 11, 22, 14, 5, tzinfo=UTC)
ALWAYS = Policy.from_dates(new_users_from=date.min, everyone_from=None)
PYPI = Policy.from_dates(new_users_from=date(2023, 8, 8), everyone_from=date(2024, 1, 1))
TOTP = frozenset({Factor.TOTP})
QUARANTINED = ProjectStatus.QUARANTINED


class Row:
    """Anything with a table and a key."""

    __tablename__ = "project"

    def __init__(self, row_id: int = 7) -> None:
        self.id = row_id


def account(**changes: object) -> Standing:
    whole = Standing(
        1,
        "ana",
        is_active=True,
        has_verified_email=True,
        registered_at=NOW - timedelta(days=30),
        factors=TOTP,
    )
    return replace(whole, **changes)  # type: ignore[arg-type]


def member(confirmed_at: datetime | None = NOW, **changes: object) -> Member:
    return Member(Origin(), account(**changes), session_id=1, confirmed_at=confirmed_at)


def holder(**changes: object) -> TokenHolder:
    whole = TokenHolder(Origin(), account(), token_id=1, expires_at=None, reaches_all=False, project_ids=frozenset({7}))
    return replace(whole, **changes)  # type: ignore[arg-type]


def project(role: Role | None) -> Target:
    return Target(Row(), "acme-utils", role=role, project_id=7)


def archived(role: Role | None) -> Target:
    return replace(project(role), status=ProjectStatus.ARCHIVED)


def with_key_rule(role: Role | None) -> Target:
    return replace(project(role), asks_for_key="harbour")


def publisher() -> Publisher:
    return Publisher(Origin(), "acme/acme-utils", frozenset({7}))


def decide(principal: Principal, action: Action, target: Target | None = None, policy: Policy = ALWAYS) -> Decision:
    return judge(principal, action, target, policy, NOW)


REFUSALS = [
    (Anonymous(Origin()), Action.CREATE_TOKEN, None, Reason.NOT_SIGNED_IN),
    (Anonymous(Origin()), Action.UPLOAD_FILE, project(Role.OWNER), Reason.NOT_SIGNED_IN),
    (member(is_active=False), Action.VIEW_ACCOUNT, None, Reason.ACCOUNT_FROZEN),
    (member(), Action.DELETE_RELEASE, project(None), Reason.NO_PERMISSION),
    (member(), Action.DELETE_RELEASE, project(Role.MAINTAINER), Reason.NO_PERMISSION),
    (member(), Action.DELETE_RELEASE, None, Reason.NO_PERMISSION),
    (member(), Action.REMOVE_TOKEN, Target(Row(), "ci", owner_id=2), Reason.NO_PERMISSION),
    (member(), Action.RESET_FACTORS, Target(Row(), "bo", owner_id=1), Reason.NO_PERMISSION),
    (member(has_verified_email=False), Action.CREATE_TOKEN, None, Reason.EMAIL_UNVERIFIED),
    (
        member(has_verified_email=False, factors=frozenset()),
        Action.CREATE_TOKEN,
        None,
        Reason.EMAIL_UNVERIFIED,
    ),
    (member(has_verified_email=False), Action.ENROL_TOTP, None, Reason.EMAIL_UNVERIFIED),
    (member(factors=frozenset()), Action.CREATE_TOKEN, None, Reason.TWO_FACTOR_REQUIRED),
    (member(factors=frozenset(), confirmed_at=None), Action.CREATE_TOKEN, None, Reason.TWO_FACTOR_REQUIRED),
    (member(confirmed_at=None), Action.CREATE_TOKEN, None, Reason.CONFIRMATION_REQUIRED),
    (
        member(confirmed_at=NOW - timedelta(minutes=15)),
        Action.CREATE_TOKEN,
        None,
        Reason.CONFIRMATION_REQUIRED,
    ),
    (holder(expires_at=NOW), Action.UPLOAD_FILE, project(Role.OWNER), Reason.TOKEN_EXPIRED),
    (holder(project_ids=frozenset({8})), Action.UPLOAD_FILE, project(Role.OWNER), Reason.TOKEN_SCOPE),
    (holder(), Action.CREATE_PROJECT, None, Reason.TOKEN_SCOPE),
    (holder(reaches_all=True), Action.DELETE_RELEASE, project(Role.OWNER), Reason.TOKEN_SCOPE),
    (holder(reaches_all=True), Action.CREATE_TOKEN, None, Reason.TOKEN_SCOPE),
    (holder(), Action.UPLOAD_FILE, project(None), Reason.NO_PERMISSION),
    (
        holder(account=account(factors=frozenset())),
        Action.UPLOAD_FILE,
        project(Role.OWNER),
        Reason.TWO_FACTOR_REQUIRED,
    ),
    (holder(networks=("198.51.100.0/24",)), Action.UPLOAD_FILE, project(Role.OWNER), Reason.TOKEN_NETWORK),
    (holder(), Action.YANK_RELEASE, project(Role.OWNER), Reason.TOKEN_SCOPE),
    (publisher(), Action.UPLOAD_FILE, replace(project(None), project_id=8), Reason.PUBLISHER_SCOPE),
    (publisher(), Action.DELETE_RELEASE, project(None), Reason.PUBLISHER_SCOPE),
    (publisher(), Action.UPLOAD_FILE, None, Reason.PUBLISHER_SCOPE),
    (publisher(), Action.UPLOAD_FILE, archived(None), Reason.PROJECT_ARCHIVED),
    (member(), Action.YANK_RELEASE, replace(project(Role.OWNER), status=QUARANTINED), Reason.PROJECT_QUARANTINED),
    (member(), Action.UPLOAD_FILE, archived(Role.OWNER), Reason.PROJECT_ARCHIVED),
    (holder(), Action.UPLOAD_FILE, replace(project(Role.OWNER), takes_tokens=False), Reason.PUBLISHERS_ONLY),
    (member(), Action.YANK_RELEASE, with_key_rule(Role.OWNER), Reason.KEY_REQUIRED),
    (holder(), Action.UPLOAD_FILE, with_key_rule(Role.OWNER), Reason.KEY_REQUIRED),
    (member(factors=frozenset()), Action.YANK_RELEASE, with_key_rule(Role.OWNER), Reason.TWO_FACTOR_REQUIRED),
    (member(), Action.VIEW_REQUESTS, None, Reason.NO_PERMISSION),
    (member(is_administrator=True), Action.ROTATE_KEYS, None, Reason.NO_PERMISSION),
    (
        holder(account=account(is_active=False)),
        Action.UPLOAD_FILE,
        project(Role.OWNER),
        Reason.ACCOUNT_FROZEN,
    ),
]


@requirement("R65")
@pytest.mark.parametrize(("principal", "action", "target", "reason"), REFUSALS)
def test_each_reason_refuses(principal: Principal, action: Action, target: Target | None, reason: Reason) -> None:
    decision = decide(principal, action, target)

    assert isinstance(decision, Denial)
    assert decision.reason is reason


PERMITS = [
    (member(), Action.CREATE_TOKEN, None),
    (member(confirmed_at=NOW - timedelta(minutes=14, seconds=59)), Action.CREATE_TOKEN, None),
    (member(), Action.DELETE_RELEASE, project(Role.OWNER)),
    (member(), Action.VIEW_RELEASES, project(Role.OWNER)),
    (member(), Action.REMOVE_TOKEN, Target(Row(), "ci", owner_id=1)),
    (member(factors=frozenset()), Action.ENROL_TOTP, None),
    (member(factors=frozenset(), has_verified_email=False), Action.VIEW_ACCOUNT, None),
    (
        member(factors=frozenset(), has_verified_email=False),
        Action.VERIFY_EMAIL,
        Target(Row(), "a@b", owner_id=1),
    ),
    (member(factors=frozenset(), confirmed_at=None), Action.SIGN_OUT, None),
    (holder(), Action.UPLOAD_FILE, project(Role.MAINTAINER)),
    (holder(reaches_all=True), Action.CREATE_PROJECT, None),
    (holder(expires_at=NOW + timedelta(seconds=1)), Action.UPLOAD_FILE, project(Role.OWNER)),
    (Operator(), Action.RESET_FACTORS, Target(Row(), "bo")),
]


@pytest.mark.parametrize(("principal", "action", "target"), PERMITS)
def test_whoever_has_all_that_is_needed_may(principal: Principal, action: Action, target: Target | None) -> None:
    assert isinstance(decide(principal, action, target), Permit)


def test_permission_is_asked_before_the_second_factor() -> None:
    stranger = member(factors=frozenset(), has_verified_email=False)

    decision = decide(stranger, Action.DELETE_RELEASE, project(None))

    assert isinstance(decision, Denial)
    assert decision.reason is Reason.NO_PERMISSION
    assert [step.answer for step in decision.steps[-3:]] == ["not reached"] * 3


@pytest.mark.parametrize(
    ("registered", "now", "stopped"),
    [
        ("2023-08-07", "2023-12-31", False),
        ("2023-08-08", "2023-08-08", True),
        ("2023-08-07", "2024-01-01", True),
        ("2019-01-01", "2023-12-31", False),
        ("2023-09-01", "2023-12-31", True),
    ],
)
def test_the_two_dates_decide_who_is_held_to_it(registered: str, now: str, stopped: bool) -> None:
    somebody = member(
        factors=frozenset(),
        registered_at=datetime.fromisoformat(registered).replace(tzinfo=UTC),
        confirmed_at=datetime.fromisoformat(now).replace(tzinfo=UTC),
    )

    decision = judge(somebody, Action.CREATE_TOKEN, None, PYPI, datetime.fromisoformat(now).replace(tzinfo=UTC))

    assert isinstance(decision, Denial) is stopped


def test_the_rule_that_stopped_is_named() -> None:
    decision = decide(member(factors=frozenset()), Action.CREATE_TOKEN, policy=PYPI)

    assert isinstance(decision, Denial)
    assert decision.rule == "new-users-2023-08-08"


def test_a_single_change_that_would_help_is_found_by_trying_it() -> None:
    assert what_would_help(member(factors=frozenset()), Action.CREATE_TOKEN, None, ALWAYS, NOW) == [
        "Set up a second factor."
    ]


def test_where_no_single_change_helps_the_whole_way_is_told_in_order() -> None:
    nora = member(factors=frozenset(), has_verified_email=False, confirmed_at=None)

    assert what_would_help(nora, Action.CREATE_TOKEN, None, ALWAYS, NOW) == []
    assert way_through(nora, Action.CREATE_TOKEN, None, ALWAYS, NOW) == [
        "Verify your primary email address.",
        "Set up a second factor.",
        "Confirm it is you.",
    ]


def test_nothing_helps_somebody_without_a_part_in_the_project() -> None:
    stranger = member()

    assert what_would_help(stranger, Action.DELETE_RELEASE, project(None), ALWAYS, NOW) == []
    assert way_through(stranger, Action.DELETE_RELEASE, project(None), ALWAYS, NOW) == []


def test_nobody_but_the_judge_can_make_a_permit() -> None:
    permit = decide(member(), Action.CREATE_TOKEN)
    assert isinstance(permit, Permit)

    with pytest.raises(PermitMismatch):
        Permit(Action.CREATE_TOKEN, member(), None, (), made_by=None)
    with pytest.raises(ValueError, match="made_by"):
        replace(permit, action=Action.DELETE_RELEASE)  # type: ignore[call-arg]


def test_a_permit_covers_its_action_and_row_only() -> None:
    row = Row(7)
    permit = judge(member(), Action.DELETE_RELEASE, Target(row, "x", Role.OWNER, 7), ALWAYS, NOW)
    assert isinstance(permit, Permit)

    permit.covers(Action.DELETE_RELEASE, row)
    permit.covers(Action.DELETE_RELEASE, Row(7))
    for action, subject in [
        (Action.UPLOAD_FILE, row),
        (Action.DELETE_RELEASE, Row(8)),
        (Action.DELETE_RELEASE, None),
    ]:
        with pytest.raises(PermitMismatch):
            permit.covers(action, subject)


def test_an_action_is_closed_unless_the_table_opens_it() -> None:
    needs = Needs("do something new", "things")

    assert needs.verified_email
    assert needs.second_factor
    assert needs.grant is None
    assert not needs.publishers


members = st.builds(
    member,
    confirmed_at=st.one_of(st.none(), st.just(NOW), st.just(NOW - timedelta(hours=1))),
    is_active=st.booleans(),
    has_verified_email=st.booleans(),
    factors=st.sampled_from([frozenset(), TOTP]),
    registered_at=st.sampled_from([datetime(year, 1, 1, tzinfo=UTC) for year in (2020, 2023, 2024, 2026)]),
)
targets = st.one_of(st.none(), st.builds(project, st.sampled_from([None, *Role])))


@given(members, st.sampled_from(Action), targets, st.sampled_from([ALWAYS, PYPI]))
def test_the_outcome_is_the_fold_of_its_steps(
    principal: Member, action: Action, target: Target | None, policy: Policy
) -> None:
    decision = judge(principal, action, target, policy, NOW)

    stopping = [step for step in decision.steps if step.stops is not None]
    assert isinstance(decision, Denial) is bool(stopping)
    assert len(stopping) <= 1
    assert type(fold(decision.steps, action=action, principal=principal, target=target)) is type(decision)


@given(members, st.sampled_from(Action), targets)
def test_without_a_second_factor_nothing_is_allowed_that_asks_for_one(
    principal: Member, action: Action, target: Target | None
) -> None:
    bare = replace(principal, account=replace(principal.account, factors=frozenset()))

    decision = judge(bare, action, target, ALWAYS, NOW)

    assert isinstance(decision, Denial) or not action.needs.second_factor


def test_a_step_that_stops_makes_a_denial_whatever_comes_after() -> None:
    steps = [Step("a?", "yes"), Step("b?", "no", stops=Reason.NO_PERMISSION), Step("c?", "yes")]

    decision = fold(steps, action=Action.CREATE_TOKEN, principal=member(), target=None)

    assert isinstance(decision, Denial)
    assert decision.stopped_by is steps[1]


PERMITS = [
    (publisher(), Action.UPLOAD_FILE, project(None)),
    (publisher(), Action.UPLOAD_FILE, replace(project(None), takes_tokens=False)),
    (publisher(), Action.UPLOAD_FILE, with_key_rule(None)),
    (holder(networks=("198.51.100.0/24",), origin=Origin("198.51.100.9")), Action.UPLOAD_FILE, project(Role.OWNER)),
    (holder(networks=("2001:db8::/32",), origin=Origin("2001:db8::9")), Action.UPLOAD_FILE, project(Role.OWNER)),
    (holder(networks=("192.0.2.1/32",), origin=Origin("::ffff:192.0.2.1")), Action.UPLOAD_FILE, project(Role.OWNER)),
    (holder(grants=frozenset({Grant.YANK})), Action.YANK_RELEASE, project(Role.MAINTAINER)),
    (holder(project_ids=frozenset(), creates_project=True), Action.CREATE_PROJECT, None),
    (member(), Action.YANK_RELEASE, archived(Role.MAINTAINER)),
    (member(), Action.VIEW_RELEASES, replace(project(Role.MAINTAINER), status=QUARANTINED)),
    (member(), Action.LEAVE_PROJECT, replace(project(Role.MAINTAINER), status=QUARANTINED)),
    (member(factors=frozenset({Factor.WEBAUTHN})), Action.YANK_RELEASE, with_key_rule(Role.OWNER)),
    (member(), Action.LEAVE_PROJECT, with_key_rule(Role.MAINTAINER)),
    (member(is_administrator=True), Action.VIEW_REQUESTS, None),
]


@pytest.mark.parametrize(("principal", "action", "target"), PERMITS)
def test_what_looks_like_a_refusal_and_is_none(principal: Principal, action: Action, target: Target | None) -> None:
    decision = decide(principal, action, target)

    assert isinstance(decision, Permit), decision.reason


@pytest.mark.parametrize("address", ["", "unix:", "198.51.101.9", "::ffff:198.51.101.9", "2001:db8::9", "testclient"])
def test_an_address_that_is_none_lies_in_no_network(address: str) -> None:
    from_there = holder(networks=("198.51.100.0/24",), origin=Origin(address))

    assert isinstance(decide(from_there, Action.UPLOAD_FILE, project(Role.OWNER)), Denial)


def test_a_role_in_a_project_is_none_in_its_organization_and_the_other_way_round() -> None:
    as_owner, as_manager = project(Role.OWNER), replace(project(None), organization_role=OrganizationRole.MANAGER)

    assert isinstance(decide(member(), Action.VIEW_ORGANIZATION, as_owner), Denial)
    assert isinstance(decide(member(), Action.VIEW_RELEASES, as_manager), Denial)
    assert isinstance(decide(member(), Action.CREATE_TEAM, as_manager), Permit)


def test_what_would_help_names_the_key_and_the_network() -> None:
    away = holder(networks=("198.51.100.0/24",))

    assert what_would_help(member(), Action.YANK_RELEASE, with_key_rule(Role.OWNER), ALWAYS, NOW) == [
        "Add a passkey or security key."
    ]
    assert what_would_help(away, Action.UPLOAD_FILE, project(Role.OWNER), ALWAYS, NOW) == [
        "Use the token from a network that it is meant for."
    ]
