"""How people come to a project and go: nobody unasked, nobody twice, and never the last owner."""

from datetime import timedelta
from functools import partial

import pytest
import sqlalchemy as sa
from flask import Flask

from adapters.clock import SettableClock
from domain.identity import account_deletion, tokens
from domain.index import collaborators, invitations, keepers, ownership, transfers
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
        return collaborators.invite(db.session(), permit, self._notices, project, guest=username, role=role, now=now)

    def accept(self, user: User, invitation: Invitation) -> None:
        permit = self._permit(user, Action.ACCEPT_INVITATION, invitation)
        collaborators.accept(db.session(), permit, self._notices, invitation, now=self._clock.now())

    def decline(self, user: User, invitation: Invitation) -> None:
        permit = self._permit(user, Action.DECLINE_INVITATION, invitation)
        collaborators.decline(db.session(), permit, self._notices, invitation, now=self._clock.now())

    def revoke(self, owner: User, project: Project, username: str) -> None:
        permit = self._permit(owner, Action.REVOKE_INVITATION, project)
        collaborators.revoke(db.session(), permit, self._notices, project, guest=username, now=self._clock.now())

    def change(self, owner: User, project: Project, username: str, role: Role) -> None:
        permit, now = self._permit(owner, Action.CHANGE_ROLE, project), self._clock.now()
        collaborators.change_role(db.session(), permit, self._notices, project, username=username, role=role, now=now)

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
    assert invitations.of_place(db.session(), acme, now=clock.now()) == []
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
    with pytest.raises(Problem, match="not open any more"):
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
        assert words[0] == f"You no longer have the role in tool-{number} that this asks for."
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


def test_a_maintainer_is_made_an_owner_and_everybody_concerned_is_told(
    people: People, table: Table, notices: Notices
) -> None:
    ana, bo = people.a_member("ana"), people.a_member("bo")
    acme = people.a_project("acme-utils", ana, maintainers=(bo,))

    table.change(ana, acme, "BO", Role.OWNER)

    assert people_of(acme) == [("ana", "owner"), ("bo", "owner")]
    assert [(letter.notice, letter.to) for letter in letters(notices)] == [
        ("collaborator-role-changed", "ana@mail.example"),
        ("collaborator-role-changed", "bo@mail.example"),
    ]
    assert events()[-1] == ("project:collaborator:role_changed", ana.id, bo.id)


def test_whoever_is_an_owner_no_longer_has_invited_and_offered_in_vain(
    people: People, table: Table, clock: SettableClock
) -> None:
    ana, bo, cleo = people.a_member("ana"), people.a_member("bo"), people.a_member("cleo")
    acme = people.a_project("acme-utils", ana, maintainers=(bo,))
    table.change(ana, acme, "bo", Role.OWNER)
    table.invite(bo, acme, "cleo")
    people.a_transfer(acme, cleo, by=bo)
    token, _ = people.a_token(bo, projects=(acme,))

    table.change(ana, acme, "bo", Role.MAINTAINER)

    assert invitations.to_user(db.session(), cleo.id, now=clock.now()) == []
    assert transfers.of_project(db.session(), acme, now=clock.now()) is None
    db.session.expire_all()
    assert token.projects == [acme]  # a maintainer uploads, too


@pytest.mark.parametrize(
    ("username", "role", "words"),
    [
        ("ana", Role.MAINTAINER, "needs an owner"),
        ("ana", Role.OWNER, "ana is an owner already"),
        ("bo", Role.MAINTAINER, "bo is a maintainer already"),
        ("ice", Role.OWNER, "is frozen"),
        ("cleo", Role.OWNER, "Nobody of that name"),
        ("\0", Role.OWNER, "Nobody of that name"),
    ],
)
def test_a_role_that_cannot_be_given_is_refused(
    people: People, table: Table, username: str, role: Role, words: str
) -> None:
    ana, bo, ice = people.a_member("ana"), people.a_member("bo"), people.a_user("ice").verified().frozen().build()
    people.a_member("cleo")
    acme = people.a_project("acme-utils", ana, maintainers=(bo, ice))
    before = people_of(acme)

    with pytest.raises(Problem, match=words):
        table.change(ana, acme, username, role)

    assert people_of(acme) == before


def test_two_owners_who_demote_each_other_at_once_leave_one(either_app: Flask, clock: SettableClock) -> None:
    people = People(either_app, clock)
    ana, bo = people.a_member("ana"), people.a_member("bo")
    both = [(ana.id, "bo"), (bo.id, "ana")]

    def demote(actor_id: int, project_id: int, username: str) -> None:
        actor, project = db.session.get_one(User, actor_id), db.session.get_one(Project, project_id)
        Table(wiring_of(either_app).notices, clock).change(actor, project, username, Role.MAINTAINER)

    for number in range(5):
        project = people.a_project(f"tool-{number}", ana)
        project.roles.append(ProjectRole(user_id=bo.id, role="owner", since=clock.now()))
        db.session.commit()
        changes = [partial(demote, actor_id, project.id, username) for actor_id, username in both]
        db.session.rollback()

        refusals = at_once(either_app, *changes)

        assert refusals.count(None) == 1
        assert sorted(role for _, role in people_of(project)) == ["maintainer", "owner"]
        db.session.rollback()


def test_the_last_owner_of_an_organizations_project_may_leave_it_to_the_organization(
    people: People, table: Table
) -> None:
    ana, bo = people.a_member("ana"), people.a_member("bo")
    acme = people.a_project("acme-utils", ana)
    acme.organization = people.an_organization("tide-office", bo)
    db.session.commit()

    table.leave(ana, acme)

    assert people_of(acme) == []
    assert [user.username for user in keepers.owners_of(db.session(), acme)] == ["bo"]


def test_everybody_is_listed_with_what_lends_them_their_role(people: People) -> None:
    ana, bo, cy, dan = (people.a_member(name) for name in ("ana", "bo", "cy", "dan"))
    ice = people.a_user("ice").verified().frozen().build()
    office = people.an_organization("tide-office", bo, members=(cy, dan))
    acme = people.a_project("acme-utils", ana, maintainers=(bo, dan, ice))
    acme.organization = office
    people.a_team("Crew", office, members=(cy, dan), projects=((acme, "owner"),))

    found = collaborators.everybody_in(db.session(), acme)

    listed = [(each.user.username, each.role.word, each.by, each.own.role if each.own else None) for each in found]
    assert listed == [
        ("ana", "owner", "", "owner"),
        ("bo", "owner", "tide-office", "maintainer"),
        ("cy", "owner", "Crew", None),
        ("dan", "owner", "Crew", "maintainer"),
        ("ice", "maintainer", "", "maintainer"),
    ]


def test_what_a_team_lends_is_not_taken_away_here(people: People, table: Table) -> None:
    ana, cy = people.a_member("ana"), people.a_member("cy")
    office = people.an_organization("tide-office", ana, members=(cy,))
    acme = people.an_organizations_project("acme-utils", office)
    people.a_team("Crew", office, members=(cy,), projects=((acme, "maintainer"),))

    with pytest.raises(Problem, match="Crew lends cy the role in acme-utils: change it there"):
        table.remove(ana, acme, "cy")


def test_an_address_is_invited_and_whoever_proves_it_may_answer(
    people: People, table: Table, notices: Notices, clock: SettableClock
) -> None:
    ana = people.a_member("ana")
    acme = people.a_project("acme-utils", ana)

    invitation = table.invite(ana, acme, "New@Mail.example")

    letter = letters(notices)[0]
    assert (letter.notice, letter.to) == ("invitation", "New@mail.example")
    assert "with an account that has this address" in " ".join(letter.text.split())
    other = people.a_user("other").verified().also("new@mail.example").with_totp().build()
    assert invitations.to_user(db.session(), other.id, now=clock.now()) == []
    new = people.a_user("new").verified().with_totp().build()
    table.accept(new, invitation)
    assert people_of(acme) == [("ana", "owner"), ("new", "maintainer")]


@pytest.mark.parametrize(
    "guest",
    [
        "@",
        "a@b",
        "a b@mail.example",
        "a@@mail.example",
        "x" * 250 + "@a.example",
        "a\0@b.c",
        "one@mail.example, two@mail.example",
        "<ana@mail.example>",
        '"a, b"@mail.example',
    ],
)
def test_what_is_no_address_is_refused_at_its_field(people: People, table: Table, guest: str) -> None:
    ana = people.a_member("ana")
    acme = people.a_project("acme-utils", ana)

    with pytest.raises(Problem, match="address") as refused:
        table.invite(ana, acme, guest)

    assert refused.value.field == "username"


def test_an_address_is_invited_once(people: People, table: Table) -> None:
    ana = people.a_member("ana")
    acme = people.a_project("acme-utils", ana)
    table.invite(ana, acme, "new@mail.example")

    with pytest.raises(Problem, match="is invited already"):
        table.invite(ana, acme, "NEW@mail.example")


def test_an_invited_address_is_told_when_the_invitation_is_revoked(
    people: People, table: Table, notices: Notices
) -> None:
    ana = people.a_member("ana")
    acme = people.a_project("acme-utils", ana)
    table.invite(ana, acme, "new@mail.example")

    table.revoke(ana, acme, "New@mail.example")

    assert [(letter.notice, letter.to) for letter in letters(notices)[1:]] == [
        ("invitation-revoked", "new@mail.example")
    ]


def test_whoever_declines_tells_the_host(people: People, table: Table, notices: Notices) -> None:
    ana, bo = people.a_member("ana"), people.a_member("bo")
    acme = people.a_project("acme-utils", ana)

    table.decline(bo, table.invite(ana, acme, "bo"))

    assert [(letter.notice, letter.to) for letter in letters(notices)[1:]] == [
        ("invitation-declined", "ana@mail.example")
    ]


@pytest.mark.parametrize("lost", ["frozen", "demoted past the rules"])
def test_nobody_comes_in_at_the_word_of_somebody_who_lost_the_right(people: People, table: Table, lost: str) -> None:
    ana, bo, cy = people.a_member("ana"), people.a_member("bo"), people.a_member("cy")
    acme = people.a_project("acme-utils", ana)
    db.session.add(ProjectRole(project_id=acme.id, user_id=cy.id, role="owner", since=acme.created_at))
    invitation = table.invite(cy, acme, "bo")
    if lost == "frozen":
        cy.is_active = False
    else:
        db.session.execute(sa.update(ProjectRole).where(ProjectRole.user_id == cy.id).values(role="maintainer"))
    db.session.commit()

    with pytest.raises(Problem, match="cy may no longer invite"):
        table.accept(bo, invitation)


def test_a_part_is_not_given_twice(people: People, table: Table) -> None:
    ana, bo = people.a_member("ana"), people.a_member("bo")
    acme = people.a_project("acme-utils", ana)
    invitation = table.invite(ana, acme, "bo", Role.OWNER)
    db.session.add(ProjectRole(project_id=acme.id, user_id=bo.id, role="maintainer", since=acme.created_at))
    db.session.commit()

    with pytest.raises(Problem, match="a maintainer of acme-utils already"):
        table.accept(bo, invitation)


def test_whoever_comes_in_has_no_other_invitation(people: People, table: Table, clock: SettableClock) -> None:
    ana, bo = people.a_member("ana"), people.a_member("bo")
    acme = people.a_project("acme-utils", ana)
    table.invite(ana, acme, "bo@mail.example", Role.OWNER)

    table.accept(bo, table.invite(ana, acme, "bo"))

    assert invitations.to_user(db.session(), bo.id, now=clock.now()) == []


def test_two_invitations_at_once_are_one(either_app: Flask, clock: SettableClock) -> None:
    people = People(either_app, clock)
    ana, _ = people.a_member("ana"), people.a_member("bo")
    acme = people.a_project("acme-utils", ana)
    ana_id, acme_id = ana.id, acme.id
    db.session.rollback()

    def invite() -> None:
        owner, project = db.session.get_one(User, ana_id), db.session.get_one(Project, acme_id)
        Table(wiring_of(either_app).notices, clock).invite(owner, project, "bo")

    refusals = at_once(either_app, *[invite] * 4)

    assert refusals.count(None) == 1
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Invitation)) == 1


def test_an_account_deleted_while_it_accepts_leaves_no_part_behind(either_app: Flask, clock: SettableClock) -> None:
    people = People(either_app, clock)
    ana, bo = people.a_member("ana"), people.a_member("bo")
    acme = people.a_project("acme-utils", ana)
    bo_id, acme_id, invitation_id = bo.id, acme.id, people.an_invitation(acme, bo, by=ana).id
    db.session.rollback()
    found = wiring_of(either_app)

    def accept() -> None:
        user, invitation = db.session.get(User, bo_id), db.session.get(Invitation, invitation_id)
        if user is None or invitation is None:
            raise Problem("The gate answers 404.")
        Table(found.notices, clock).accept(user, invitation)

    def delete() -> None:
        user, now = db.session.get_one(User, bo_id), clock.now()
        account_deletion.delete_account(
            db.session(),
            permit_for(user, Action.DELETE_ACCOUNT, now=now),
            found.notices,
            confirmation="bo",
            owned_alone=ownership.owned_alone_for_good,
            now=now,
        )

    refusals = at_once(either_app, accept, delete)

    assert None in refusals
    assert people_of(db.session.get_one(Project, acme_id)) == [("ana", "owner")]
    assert db.session.get(User, bo_id) is None


def test_an_invited_address_is_the_same_in_each_spelling(people: People, table: Table, clock: SettableClock) -> None:
    ana = people.a_member("ana")
    acme = people.a_project("acme-utils", ana)

    table.invite(ana, acme, "Nora@Bücher.example")

    nora = people.a_user("nora").verified().also("nora@xn--bcher-kva.example", verified=True).with_totp().build()
    assert len(invitations.to_user(db.session(), nora.id, now=clock.now())) == 1
