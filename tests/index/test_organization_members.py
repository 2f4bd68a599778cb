"""How people of an organization come and go: never without an owner, also when two act at once."""

import secrets
from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from adapters.clock import SettableClock
from domain.index import organization_members, organization_requests
from domain.index.organization_requests import OPEN
from domain.notices import Notices
from domain.policy.actions import Action
from domain.policy.targets import OrganizationRole
from domain.problems import Problem
from models import (
    ApiToken,
    Event,
    Invitation,
    Mail,
    Organization,
    OrganizationMember,
    OrganizationRequest,
    PendingPublisher,
    TeamMember,
    User,
    db,
)
from tests.browsing import wiring_of
from tests.builders import People
from tests.permits import permit_for
from tests.races import at_once


def parts() -> dict[str, str]:
    db.session.expire_all()
    return {part.user.username: part.role for part in db.session.scalars(sa.select(OrganizationMember))}


def change(
    actor: User,
    organization: Organization,
    username: str,
    role: OrganizationRole,
    notices: Notices,
    clock: SettableClock,
) -> None:
    now = clock.now()
    permit = permit_for(actor, Action.CHANGE_MEMBER_ROLE, organization, now=now)
    organization_members.change_role(db.session(), permit, notices, organization, username=username, role=role, now=now)


def remove(actor: User, organization: Organization, username: str, notices: Notices, clock: SettableClock) -> None:
    now = clock.now()
    permit = permit_for(actor, Action.REMOVE_MEMBER, organization, now=now)
    organization_members.remove(db.session(), permit, notices, organization, username=username, now=now)


def what_hangs_on(people: People, organization: Organization, bo: User, clock: SettableClock) -> None:
    """A team, a token for two projects of the organization, an invitation and a pending publisher, all of bo's."""
    tides = people.an_organizations_project("tide-tables", organization)
    buoys = people.an_organizations_project("buoys", organization)
    people.a_team("Crew", organization, members=(bo,), projects=((tides, "maintainer"),))
    people.a_token(bo, projects=(tides, buoys))
    now = clock.now()
    until = now + timedelta(days=7)
    cy = people.a_member("cy")
    offer = Invitation(organization_id=organization.id, user_id=cy.id, invited_by_id=bo.id, role="member")
    offer.created_at, offer.expires_at = now, until
    waiting = PendingPublisher(project_name="new", normalized_name="new", lookalike_key="new", user_id=bo.id)
    waiting.organization_id, waiting.created_at, waiting.expires_at = organization.id, now, until
    waiting.provider, waiting.issuer, waiting.facts = "github", "https://token.example", {}
    waiting.fingerprint, waiting.place = secrets.token_hex(32), "acme/new"
    db.session.add_all([offer, waiting])
    db.session.commit()


def left() -> tuple[int, list[str], int, int]:
    """Team members, the projects of the token, invitations and pending publishers that are left."""
    db.session.expire_all()
    reached = [project.name for project in db.session.scalars(sa.select(ApiToken)).one().projects]
    counts = [len(db.session.scalars(sa.select(table)).all()) for table in (TeamMember, Invitation, PendingPublisher)]
    return counts[0], reached, counts[1], counts[2]


def test_whoever_is_removed_leaves_teams_tokens_and_offers_behind(
    people: People, notices: Notices, clock: SettableClock
) -> None:
    ana, bo = people.a_member("ana"), people.a_member("bo")
    acme = people.an_organization("acme", ana, members=(bo,))
    what_hangs_on(people, acme, bo, clock)

    remove(ana, acme, "BO", notices, clock)
    db.session.commit()

    assert parts() == {"ana": "owner"}
    assert left() == (0, [], 0, 0)
    told = [(mail.notice, mail.to) for mail in db.session.scalars(sa.select(Mail).order_by(Mail.id))]
    assert told == [
        ("member-removed", "ana@mail.example"),
        ("removed-from-organization", "bo@mail.example"),
    ]
    event = db.session.scalars(sa.select(Event)).one()
    assert (event.tag, event.actor_id, event.user_id) == ("organization:member:removed", ana.id, bo.id)
    assert event.organization_id == acme.id


def test_an_owner_who_becomes_a_member_keeps_what_teams_lend(
    people: People, notices: Notices, clock: SettableClock
) -> None:
    ana, bo = people.a_member("ana"), people.a_member("bo")
    acme = people.an_organization("acme", ana, members=(bo,))
    change(ana, acme, "bo", OrganizationRole.OWNER, notices, clock)
    what_hangs_on(people, acme, bo, clock)

    change(ana, acme, "bo", OrganizationRole.MEMBER, notices, clock)
    db.session.commit()

    assert parts() == {"ana": "owner", "bo": "member"}
    assert left() == (1, ["tide-tables"], 0, 0)


def test_an_owner_can_give_the_ownership_up_once_another_has_it(
    people: People, notices: Notices, clock: SettableClock
) -> None:
    ana, bo = people.a_member("ana"), people.a_member("bo")
    acme = people.an_organization("acme", ana, members=(bo,))

    with pytest.raises(Problem, match=r"acme needs an owner, and ana is the only one\."):
        change(ana, acme, "ana", OrganizationRole.MEMBER, notices, clock)
    with pytest.raises(Problem, match=r"acme needs an owner, and ana is the only one\."):
        remove(ana, acme, "ana", notices, clock)
    change(ana, acme, "bo", OrganizationRole.OWNER, notices, clock)
    change(ana, acme, "ana", OrganizationRole.MEMBER, notices, clock)

    assert parts() == {"ana": "member", "bo": "owner"}


def test_a_frozen_account_neither_becomes_an_owner_nor_counts_as_one(
    people: People, notices: Notices, clock: SettableClock
) -> None:
    ana, ice = people.a_member("ana"), people.a_user("ice").verified().frozen().build()
    acme = people.an_organization("acme", ana, members=(ice,))

    with pytest.raises(Problem, match=r"ice is frozen, and cannot own an organization\."):
        change(ana, acme, "ice", OrganizationRole.OWNER, notices, clock)
    part = db.session.scalars(sa.select(OrganizationMember).where(OrganizationMember.user_id == ice.id)).one()
    part.role = "owner"
    db.session.commit()
    with pytest.raises(Problem, match="ana is the only one"):
        remove(ana, acme, "ana", notices, clock)


@pytest.mark.parametrize("username", ["ghost", "", "b\0o", "é", "cy"])
def test_nobody_is_removed_who_is_not_there(
    people: People, notices: Notices, clock: SettableClock, username: str
) -> None:
    ana = people.a_member("ana")
    people.a_member("cy")
    acme = people.an_organization("acme", ana)

    with pytest.raises(Problem, match=r"Nobody of that name belongs to acme\."):
        remove(ana, acme, username, notices, clock)


def test_of_two_owners_who_demote_each_other_at_once_one_stays(either_app: Flask, clock: SettableClock) -> None:
    people, notices = People(either_app, clock), wiring_of(either_app).notices
    ana, bo = people.a_member("ana"), people.a_member("bo")
    acme = people.an_organization("acme", ana, members=(bo, people.a_member("cy")))
    change(ana, acme, "bo", OrganizationRole.OWNER, notices, clock)
    change(ana, acme, "cy", OrganizationRole.OWNER, notices, clock)
    db.session.commit()
    ids, organization_id = (ana.id, bo.id), acme.id
    db.session.rollback()

    def demote(actor_id: int, username: str) -> None:
        actor, there = db.session.get_one(User, actor_id), db.session.get_one(Organization, organization_id)
        change(actor, there, username, OrganizationRole.MEMBER, notices, clock)

    refusals = at_once(either_app, lambda: demote(ids[0], "bo"), lambda: demote(ids[1], "ana"))

    assert sorted(refusal.message if refusal else "" for refusal in refusals) == [
        "",
        "You are no longer an owner of acme.",
    ]
    assert sorted(parts().values()) == ["member", "owner", "owner"]


def test_of_two_last_owners_who_leave_at_once_one_stays(either_app: Flask, clock: SettableClock) -> None:
    people, notices = People(either_app, clock), wiring_of(either_app).notices
    ana, bo = people.a_member("ana"), people.a_member("bo")
    acme = people.an_organization("acme", ana, members=(bo,))
    change(ana, acme, "bo", OrganizationRole.OWNER, notices, clock)
    db.session.commit()
    ids, organization_id = (ana.id, bo.id), acme.id
    db.session.rollback()

    def leave(actor_id: int) -> None:
        actor, there = db.session.get_one(User, actor_id), db.session.get_one(Organization, organization_id)
        permit = permit_for(actor, Action.LEAVE_ORGANIZATION, there, now=clock.now())
        organization_members.leave(db.session(), permit, notices, there, now=clock.now())

    refusals = at_once(either_app, lambda: leave(ids[0]), lambda: leave(ids[1]))

    assert len([refusal for refusal in refusals if refusal]) == 1
    assert list(parts().values()) == ["owner"]


def test_of_two_administrators_who_decide_at_once_one_wins(either_app: Flask, clock: SettableClock) -> None:
    people, notices = People(either_app, clock), wiring_of(either_app).notices
    roots = [people.an_administrator(name).id for name in ("root", "rob")]
    wish_id = people.a_request("tide-club", people.a_member("ana")).id
    rival_id = people.a_request("Tide.Club", people.a_member("bo")).id
    db.session.rollback()

    def decide(admin_id: int, request_id: int) -> None:
        admin = db.session.get_one(User, admin_id)
        request = organization_requests.find(db.session(), request_id)
        assert request is not None
        permit = permit_for(admin, Action.DECIDE_REQUEST, request, now=clock.now())
        organization_requests.approve(db.session(), permit, notices, request, now=clock.now())

    refusals = at_once(
        either_app,
        lambda: decide(roots[0], wish_id),
        lambda: decide(roots[1], wish_id),
        lambda: decide(roots[1], rival_id),
    )

    assert len([refusal for refusal in refusals if refusal]) == 2
    assert len(db.session.scalars(sa.select(Organization)).all()) == 1
    assert list(parts().values()) == ["owner"]
    statuses = set(db.session.scalars(sa.select(OrganizationRequest.status)))
    assert statuses == {"approved", OPEN}  # the rival is another name, too like it: it waits for a decision
