"""How people come to a project and go: nobody unasked, nobody twice, and never the last owner."""

from datetime import timedelta
from functools import partial

import pytest
import sqlalchemy as sa
from flask import Flask

from adapters.clock import SettableClock
from domain.identity import tokens
from domain.index import collaborators, invitations
from domain.notices import Letter, Notices
from domain.policy.actions import Action
from domain.policy.decision import Permit
from domain.policy.principals import Origin
from domain.policy.targets import Role
from domain.problems import Problem
from models import Event, Invitation, Mail, Project, ProjectRole, User, db
from tests.browsing import wiring_of
from tests.builders import People
from tests.permits import permit_for
from tests.races import at_once


class Table:
    """The domain's functions with permits of their own, for tests to read like sentences."""

    def __init__(self, notices: Notices, clock: SettableClock) -> None:
        self._notices, self._clock = notices, clock

    def invite(self, owner: User, project: Project, username: str, role: Role = Role.MAINTAINER) -> Invitation:
        permit = self._permit(owner, Action.INVITE_COLLABORATOR, project)
        now = self._clock.now()
        return collaborators.invite(db.session(), permit, self._notices, project, username=username, role=role, now=now)

    def accept(self, user: User, invitation: Invitation) -> None:
        permit = self._permit(user, Action.ACCEPT_INVITATION, invitation)
        collaborators.accept(db.session(), permit, self._notices, invitation, now=self._clock.now())

    def decline(self, user: User, invitation: Invitation) -> None:
        permit = self._permit(user, Action.DECLINE_INVITATION, invitation)
        collaborators.decline(db.session(), permit, invitation, now=self._clock.now())

    def revoke(self, owner: User, project: Project, username: str) -> None:
        permit = self._permit(owner, Action.REVOKE_INVITATION, project)
        collaborators.revoke(db.session(), permit, project, username=username, now=self._clock.now())

    def remove(self, owner: User, project: Project, username: str) -> None:
        permit = self._permit(owner, Action.REMOVE_COLLABORATOR, project)
        now = self._clock.now()
        collaborators.remove(db.session(), permit, self._notices, project, username=username, now=now)

    def leave(self, user: User, project: Project) -> None:
        permit = self._permit(user, Action.LEAVE_PROJECT, project)
        collaborators.leave(db.session(), permit, self._notices, project, now=self._clock.now())

    def _permit(self, user: User, action: Action, subject: Project | Invitation) -> Permit:
        return permit_for(user, action, subject, now=self._clock.now())


@pytest.fixture
def table(notices: Notices, clock: SettableClock) -> Table:
    return Table(notices, clock)


def people_of(project: Project) -> list[tuple[str, str]]:
    return [(part.user.username, part.role) for part in collaborators.of_project(db.session(), project)]


def letters(notices: Notices) -> list[Letter]:
    return [notices.read(mail) for mail in db.session.scalars(sa.select(Mail).order_by(Mail.id))]


def events() -> list[tuple[str, int | None, int | None]]:
    rows = db.session.scalars(sa.select(Event).order_by(Event.id))
    return [(event.tag, event.actor_id, event.user_id) for event in rows]


def test_an_invitation_gives_nothing_until_it_is_accepted(
    people: People, table: Table, notices: Notices, clock: SettableClock
) -> None:
    ana, bo = people.a_member("ana"), people.a_member("bo")
    acme = people.a_project("acme-utils", ana)

    invitation = table.invite(ana, acme, " Bo ")
    before = people_of(acme)
    table.accept(bo, invitation)

    assert before == [("ana", "owner")]
    assert people_of(acme) == [("ana", "owner"), ("bo", "maintainer")]
    assert invitations.to_user(db.session(), bo.id, now=clock.now()) == []
    assert events() == [
        ("project:invitation:sent", ana.id, bo.id),
        ("project:collaborator:added", bo.id, bo.id),
    ]
    sent = letters(notices)
    assert [(letter.notice, letter.to) for letter in sent] == [
        ("invitation", "bo@mail.example"),
        ("invitation-accepted", "ana@mail.example"),
        ("collaborator-added", "bo@mail.example"),
    ]
    assert "http://localhost:8000/manage/projects/" in sent[0].text
    assert "29 Nov 2026, 14:05 UTC" in sent[0].text
    assert "bo accepted an invitation and is now a maintainer of acme-utils" in sent[1].text
    assert "If this was not you, " in sent[2].text


def test_from_where_something_was_done_is_told_to_nobody_else(people: People, table: Table, notices: Notices) -> None:
    ana, bo = people.a_member("ana"), people.a_member("bo")
    acme = people.a_project("acme-utils", ana, maintainers=(bo,))

    table.remove(ana, acme, "bo")

    told = {letter.to: "203.0.113.7" in letter.text + letter.html for letter in letters(notices)}
    assert told == {"ana@mail.example": True, "bo@mail.example": False}


@pytest.mark.parametrize("username", ["ghost", "", "bo\0", "b" * 5000, "bo\nbo", "cleo"])
def test_nobody_is_invited_who_is_not_there(people: People, table: Table, username: str) -> None:
    ana = people.a_member("ana")
    people.a_user("cleo").verified().frozen().build()
    acme = people.a_project("acme-utils", ana)

    with pytest.raises(Problem, match="nobody of that name") as refusal:
        table.invite(ana, acme, username)

    assert refusal.value.field == "username"


def test_nobody_is_invited_who_is_in_already_or_was_asked(people: People, table: Table) -> None:
    ana, bo, _ = people.a_member("ana"), people.a_member("bo"), people.a_member("cleo")
    acme = people.a_project("acme-utils", ana, maintainers=(bo,))
    table.invite(ana, acme, "cleo")

    for username, words in (("ana", "has a role"), ("bo", "has a role"), ("cleo", "is invited already")):
        with pytest.raises(Problem, match=words):
            table.invite(ana, acme, username)


def test_who_has_not_proved_an_address_is_invited_without_a_mail(
    people: People, table: Table, notices: Notices, clock: SettableClock
) -> None:
    ana, newt = people.a_member("ana"), people.a_user("newt").build()
    acme = people.a_project("acme-utils", ana)

    table.invite(ana, acme, "newt")

    assert letters(notices) == []
    assert len(invitations.to_user(db.session(), newt.id, now=clock.now())) == 1


def test_after_seven_days_an_invitation_is_over_and_can_be_sent_again(
    people: People, table: Table, clock: SettableClock
) -> None:
    ana, bo = people.a_member("ana"), people.a_member("bo")
    acme = people.a_project("acme-utils", ana)
    invitation = table.invite(ana, acme, "bo")

    clock.advance(timedelta(days=7))
    with pytest.raises(Problem, match="not open any more"):
        table.accept(bo, invitation)
    assert collaborators.invitations_of(db.session(), acme, now=clock.now()) == []
    table.accept(bo, table.invite(ana, acme, "bo", Role.OWNER))

    assert people_of(acme) == [("ana", "owner"), ("bo", "owner")]


def test_sweeping_removes_the_invitations_that_are_over(people: People, clock: SettableClock) -> None:
    ana, bo, cleo = people.a_member("ana"), people.a_member("bo"), people.a_member("cleo")
    acme = people.a_project("acme-utils", ana)
    people.an_invitation(acme, bo, by=ana)
    clock.advance(timedelta(days=6))
    people.an_invitation(acme, cleo, by=ana)

    clock.advance(timedelta(days=1))
    invitations.sweep(db.session(), now=clock.now())

    assert [invitation.user_id for invitation in db.session.scalars(sa.select(Invitation))] == [cleo.id]


def test_a_declined_or_revoked_invitation_is_gone(people: People, table: Table) -> None:
    ana, bo, cleo = people.a_member("ana"), people.a_member("bo"), people.a_member("cleo")
    acme = people.a_project("acme-utils", ana)
    first, second = table.invite(ana, acme, "bo"), table.invite(ana, acme, "cleo")

    table.decline(bo, first)
    table.revoke(ana, acme, "cleo")

    for user, invitation in ((bo, first), (cleo, second)):
        with pytest.raises(Problem, match="not open any more"):
            table.accept(user, invitation)
    with pytest.raises(Problem, match="no open invitation"):
        table.revoke(ana, acme, "bo")
    assert people_of(acme) == [("ana", "owner")]
    assert [tag for tag, _, _ in events()][2:] == ["project:invitation:declined", "project:invitation:revoked"]


def test_whoever_is_removed_loses_the_part_and_what_hung_on_it(
    people: People, table: Table, notices: Notices, clock: SettableClock
) -> None:
    ana, bo, cleo = people.a_member("ana"), people.a_member("bo"), people.a_member("cleo")
    acme, tide = people.a_project("acme-utils", ana), people.a_project("tide-tables", bo)
    table.accept(bo, table.invite(ana, acme, "bo", Role.OWNER))
    _, text = people.a_token(bo, projects=(acme, tide))
    table.invite(bo, acme, "cleo")
    sent = len(letters(notices))

    table.remove(ana, acme, "bo")

    assert people_of(acme) == [("ana", "owner")]
    assert invitations.to_user(db.session(), cleo.id, now=clock.now()) == []
    db.session.expire_all()
    holder = tokens.find(db.session(), text, origin=Origin())
    assert holder is not None
    assert holder.project_ids == {tide.id}
    assert [(letter.notice, letter.to) for letter in letters(notices)[sent:]] == [
        ("collaborator-removed", "ana@mail.example"),
        ("removed-from-project", "bo@mail.example"),
    ]
    assert "ana removed you from the project acme-utils" in letters(notices)[-1].text
    assert events()[-1] == ("project:collaborator:removed", ana.id, bo.id)


def test_a_maintainer_can_leave(people: People, table: Table, notices: Notices) -> None:
    ana, bo = people.a_member("ana"), people.a_member("bo")
    acme = people.a_project("acme-utils", ana, maintainers=(bo,))

    table.leave(bo, acme)

    assert people_of(acme) == [("ana", "owner")]
    assert "bo left the project acme-utils" in letters(notices)[0].text
    assert "You left the project acme-utils" in letters(notices)[1].text


def test_the_last_owner_can_neither_leave_nor_be_removed(people: People, table: Table) -> None:
    ana, bo = people.a_member("ana"), people.a_member("bo")
    acme = people.a_project("acme-utils", ana, maintainers=(bo,))

    with pytest.raises(Problem, match="needs an owner"):
        table.leave(ana, acme)
    with pytest.raises(Problem, match="needs an owner"):
        table.remove(ana, acme, "ana")

    assert ("ana", "owner") in people_of(acme)


def test_a_frozen_owner_does_not_count_as_one(people: People, table: Table) -> None:
    ana, ice = people.a_member("ana"), people.a_user("ice").verified().frozen().build()
    acme = people.a_project("acme-utils", ana)
    db.session.add(ProjectRole(project_id=acme.id, user_id=ice.id, role="owner", since=acme.created_at))

    with pytest.raises(Problem, match="needs an owner"):
        table.leave(ana, acme)
    table.remove(ana, acme, "ice")

    assert people_of(acme) == [("ana", "owner")]


@pytest.mark.parametrize("username", ["cleo", "ghost", "bo\0"])
def test_nobody_is_removed_who_has_no_part(people: People, table: Table, username: str) -> None:
    ana = people.a_member("ana")
    people.a_member("cleo")
    acme = people.a_project("acme-utils", ana)

    with pytest.raises(Problem):
        table.remove(ana, acme, username)


def test_two_owners_who_remove_each_other_at_once_leave_one(either_app: Flask, clock: SettableClock) -> None:
    people, now = People(either_app, clock), clock.now()
    ana, bo = people.a_member("ana"), people.a_member("bo")
    both = [(ana.id, "bo"), (bo.id, "ana")]

    def remove(actor_id: int, project_id: int, username: str) -> None:
        actor, project = db.session.get_one(User, actor_id), db.session.get_one(Project, project_id)
        Table(wiring_of(either_app).notices, clock).remove(actor, project, username)

    for number in range(5):
        project = people.a_project(f"tool-{number}", ana)
        project.roles.append(ProjectRole(user_id=bo.id, role="owner", since=now))
        db.session.commit()
        removals = [partial(remove, actor_id, project.id, username) for actor_id, username in both]
        db.session.rollback()

        refusals = at_once(either_app, *removals)

        words = [refusal.message for refusal in refusals if refusal is not None]
        assert len(words) == 1
        assert words[0].startswith(f"tool-{number} needs an owner")
        assert len(people_of(project)) == 1
        db.session.rollback()


def test_an_invitation_is_accepted_once_however_often_at_once(either_app: Flask, clock: SettableClock) -> None:
    people = People(either_app, clock)
    ana, bo = people.a_member("ana"), people.a_member("bo")
    acme = people.a_project("acme-utils", ana)
    bo_id, acme_id, invitation_id = bo.id, acme.id, people.an_invitation(acme, bo, by=ana).id
    db.session.remove()
    tries: list[Invitation | None] = []

    def accept() -> None:
        user, invitation = db.session.get_one(User, bo_id), db.session.get(Invitation, invitation_id)
        tries.append(invitation)
        if invitation is None:
            raise Problem("The gate answers 404.")
        Table(wiring_of(either_app).notices, clock).accept(user, invitation)

    refusals = at_once(either_app, *[accept] * 5)

    assert any(tries)
    assert refusals.count(None) == 1
    assert len(people_of(db.session.get_one(Project, acme_id))) == 2
