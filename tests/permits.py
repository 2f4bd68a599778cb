"""Permits for tests of the domain: asked of the judge, as the gate does, for people who exist."""

from datetime import date, datetime

from domain.identity.standing import standing_of
from domain.policy.actions import Action
from domain.policy.decision import Permit
from domain.policy.judge import judge
from domain.policy.principals import Member, Origin, Principal
from domain.policy.rules import Policy
from domain.policy.targets import OrganizationRole, Role, Subject, Target
from models import User, db

ORIGIN = Origin("203.0.113.7", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0")
EVERYONE = Policy.from_dates(new_users_from=date.min, everyone_from=None)


def member_of(user: User, *, now: datetime) -> Member:
    """Somebody in a browser who has just confirmed that it is them."""
    account = standing_of(db.session(), user.id)
    assert account is not None
    return Member(ORIGIN, account, session_id=1, confirmed_at=now)


def permit_for(user: User, action: Action, subject: Subject | None = None, *, now: datetime) -> Permit:
    """The permit of somebody who owns the subject, or the project or the organization that it belongs to."""
    if subject is None:
        return permit_of(member_of(user, now=now), action, now=now)
    owner = OrganizationRole.OWNER
    target = Target(subject, "it", role=Role.OWNER, project_id=1, organization_role=owner, owner_id=user.id)
    return permit_of(member_of(user, now=now), action, target, now=now)


def permit_of(principal: Principal, action: Action, target: Target | None = None, *, now: datetime) -> Permit:
    """The judge's permit; the test fails if there is none."""
    decision = judge(principal, action, target, EVERYONE, now)
    assert isinstance(decision, Permit), decision.reason
    return decision
