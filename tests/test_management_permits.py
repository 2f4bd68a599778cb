"""A permit is good for its action and its row: every function of the domain that manages something refuses another."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask import current_app

from adapters.clock import SettableClock
from adapters.storage import BlobStore
from domain.identity import account_deletion, token_rotation, tokens
from domain.index import (
    collaborators,
    issuers,
    organization_members,
    organization_projects,
    organization_requests,
    organization_settings,
    pending_publishers,
    project_settings,
    projects,
    publishers,
    removals,
    reservations,
    takeovers,
    teams,
    transfers,
    yanks,
)
from domain.index.organization_facts import Facts
from domain.index.organization_requests import Wish
from domain.index.publisher_identities import GITHUB
from domain.notices import Notices
from domain.policy.actions import (
    ADMINISTRATION,
    ORGANIZATIONS,
    PEOPLE,
    PROJECTS,
    PUBLISHERS,
    RELEASES,
    TOKENS,
    Action,
)
from domain.policy.decision import Permit, PermitMismatch
from domain.policy.targets import OrganizationRole, Role, Subject
from models import (
    ApiToken,
    Base,
    DeletedRelease,
    Event,
    Invitation,
    Issuer,
    Organization,
    OrganizationMember,
    OrganizationRequest,
    PendingPublisher,
    Project,
    ProjectRole,
    Release,
    Team,
    Transfer,
    TrustedPublisher,
    User,
    db,
)
from tests.browsing import wiring_of
from tests.builders import People
from tests.permits import permit_for


@dataclass(frozen=True)
class Scene:
    """Everything twice, so that a permit for one can be tried on the other."""

    ana: User
    bo: User
    project: Project
    release: Release
    yanked: Release
    removed: DeletedRelease
    token: ApiToken
    invitation: Invitation
    organization: Organization
    team: Team  # with bo, who is in the organization, and a role in `lent`
    lent: Project
    wish: OrganizationRequest
    publisher: TrustedPublisher
    archived: Project
    offered: Project  # by ana to bo
    to_ana: Transfer
    to_office: Transfer
    waits: PendingPublisher
    waits_there: PendingPublisher
    issuer: Issuer
    spare: Organization  # without projects; dan owns it, too
    asked: OrganizationRequest


def store_of(removed: DeletedRelease) -> BlobStore:
    """The store, with something for each file that was deleted."""
    store = wiring_of(current_app).store
    for file in removed.files:
        store.put_bytes(file.sha256, b"a wheel")
    return store


Call = Callable[[Permit, Scene, Notices, SettableClock], object]

JOB = {"owner": "acme", "repository": "buoy", "workflow": "release.yml"}
CALLS: dict[str, tuple[Action, Callable[[Scene], Subject | None], Call]] = {
    "mint a token": (
        Action.CREATE_TOKEN,
        lambda scene: None,
        lambda permit, scene, notices, clock: tokens.mint(
            db.session(),
            permit,
            notices,
            tokens.Wanted("new", expires_at=None),
            held=projects.held,
            longest=None,
            now=clock.now(),
        ),
    ),
    "remove a token": (
        Action.REMOVE_TOKEN,
        lambda scene: scene.token,
        lambda permit, scene, notices, clock: tokens.remove(
            db.session(), permit, notices, scene.token, now=clock.now()
        ),
    ),
    "give a token a new secret": (
        Action.ROTATE_TOKEN,
        lambda scene: scene.token,
        lambda permit, scene, notices, clock: token_rotation.rotate(
            db.session(),
            permit,
            notices,
            scene.token,
            replaces="",
            overlap=timedelta(hours=1),
            longest=None,
            now=clock.now(),
        ),
    ),
    "end the former secret of a token": (
        Action.ROTATE_TOKEN,
        lambda scene: scene.token,
        lambda permit, scene, notices, clock: token_rotation.end_former(
            db.session(), permit, notices, scene.token, now=clock.now()
        ),
    ),
    "remove all tokens": (
        Action.REMOVE_ALL_TOKENS,
        lambda scene: None,
        lambda permit, scene, notices, clock: tokens.remove_all(db.session(), permit, notices, now=clock.now()),
    ),
    "delete one's account": (
        Action.DELETE_ACCOUNT,
        lambda scene: None,
        lambda permit, scene, notices, clock: account_deletion.delete_account(
            db.session(), permit, notices, confirmation="ana", owned_alone=lambda db, user_id: [], now=clock.now()
        ),
    ),
    "reserve a name": (
        Action.RESERVE_PROJECT,
        lambda scene: None,
        lambda permit, scene, notices, clock: reservations.reserve(
            db.session(), permit, notices, name="buoy", now=clock.now()
        ),
    ),
    "create a project by upload": (
        Action.CREATE_PROJECT,
        lambda scene: None,
        lambda permit, scene, notices, clock: reservations.create_by_upload(
            db.session(), permit, notices, name="buoy", now=clock.now()
        ),
    ),
    "delete a release": (
        Action.DELETE_RELEASE,
        lambda scene: scene.release,
        lambda permit, scene, notices, clock: removals.delete_release(
            db.session(), permit, notices, scene.release, confirmation="1.0", now=clock.now()
        ),
    ),
    "delete a file": (
        Action.DELETE_FILE,
        lambda scene: scene.release.files[0],
        lambda permit, scene, notices, clock: removals.delete_file(
            db.session(), permit, notices, scene.release.files[0], confirmation=scene.project.name, now=clock.now()
        ),
    ),
    "restore": (
        Action.RESTORE_RELEASE,
        lambda scene: scene.removed,
        lambda permit, scene, notices, clock: removals.restore(
            db.session(), permit, store_of(scene.removed), notices, scene.removed, now=clock.now()
        ),
    ),
    "yank": (
        Action.YANK_RELEASE,
        lambda scene: scene.release,
        lambda permit, scene, notices, clock: yanks.yank(
            db.session(), permit, notices, scene.release, reason="", now=clock.now()
        ),
    ),
    "take a yank back": (
        Action.UNYANK_RELEASE,
        lambda scene: scene.yanked,
        lambda permit, scene, notices, clock: yanks.unyank(
            db.session(), permit, notices, scene.yanked, now=clock.now()
        ),
    ),
    "invite": (
        Action.INVITE_COLLABORATOR,
        lambda scene: scene.project,
        lambda permit, scene, notices, clock: collaborators.invite(
            db.session(), permit, notices, scene.project, guest="cleo", role=Role.OWNER, now=clock.now()
        ),
    ),
    "revoke": (
        Action.REVOKE_INVITATION,
        lambda scene: scene.project,
        lambda permit, scene, notices, clock: collaborators.revoke(
            db.session(), permit, notices, scene.project, guest="bo", now=clock.now()
        ),
    ),
    "accept": (
        Action.ACCEPT_INVITATION,
        lambda scene: scene.invitation,
        lambda permit, scene, notices, clock: collaborators.accept(
            db.session(), permit, notices, scene.invitation, now=clock.now()
        ),
    ),
    "decline": (
        Action.DECLINE_INVITATION,
        lambda scene: scene.invitation,
        lambda permit, scene, notices, clock: collaborators.decline(
            db.session(), permit, notices, scene.invitation, now=clock.now()
        ),
    ),
    "change somebody's role": (
        Action.CHANGE_ROLE,
        lambda scene: scene.project,
        lambda permit, scene, notices, clock: collaborators.change_role(
            db.session(), permit, notices, scene.project, username="dan", role=Role.MAINTAINER, now=clock.now()
        ),
    ),
    "remove somebody": (
        Action.REMOVE_COLLABORATOR,
        lambda scene: scene.project,
        lambda permit, scene, notices, clock: collaborators.remove(
            db.session(), permit, notices, scene.project, username="dan", now=clock.now()
        ),
    ),
    "leave": (
        Action.LEAVE_PROJECT,
        lambda scene: scene.project,
        lambda permit, scene, notices, clock: collaborators.leave(
            db.session(), permit, notices, scene.project, now=clock.now()
        ),
    ),
    "reserve a name for an organization": (
        Action.CREATE_ORGANIZATION_PROJECT,
        lambda scene: scene.organization,
        lambda permit, scene, notices, clock: organization_projects.reserve(
            db.session(), permit, notices, scene.organization, name="buoy", now=clock.now()
        ),
    ),
    "give a project back": (
        Action.REMOVE_ORGANIZATION_PROJECT,
        lambda scene: scene.lent,
        lambda permit, scene, notices, clock: organization_projects.give_back(
            db.session(), permit, notices, scene.lent, now=clock.now()
        ),
    ),
    "create a team": (
        Action.CREATE_TEAM,
        lambda scene: scene.organization,
        lambda permit, scene, notices, clock: teams.create(
            db.session(), permit, scene.organization, name="Watch", now=clock.now()
        ),
    ),
    "rename a team": (
        Action.RENAME_TEAM,
        lambda scene: scene.team,
        lambda permit, scene, notices, clock: teams.rename(
            db.session(), permit, scene.team, name="Watch", now=clock.now()
        ),
    ),
    "delete a team": (
        Action.DELETE_TEAM,
        lambda scene: scene.team,
        lambda permit, scene, notices, clock: teams.remove(db.session(), permit, notices, scene.team, now=clock.now()),
    ),
    "add to a team": (
        Action.ADD_TEAM_MEMBER,
        lambda scene: scene.team,
        lambda permit, scene, notices, clock: teams.add_member(
            db.session(), permit, notices, scene.team, username="ana", now=clock.now()
        ),
    ),
    "remove from a team": (
        Action.REMOVE_TEAM_MEMBER,
        lambda scene: scene.team,
        lambda permit, scene, notices, clock: teams.remove_member(
            db.session(), permit, notices, scene.team, username="bo", now=clock.now()
        ),
    ),
    "set a team's role": (
        Action.SET_TEAM_ROLE,
        lambda scene: scene.team,
        lambda permit, scene, notices, clock: teams.set_role(
            db.session(),
            permit,
            notices,
            scene.team,
            project_name=scene.lent.name,
            role=Role.OWNER,
            now=clock.now(),
        ),
    ),
    "remove a team's role": (
        Action.REMOVE_TEAM_ROLE,
        lambda scene: scene.team,
        lambda permit, scene, notices, clock: teams.remove_role(
            db.session(), permit, notices, scene.team, project_name=scene.lent.name, now=clock.now()
        ),
    ),
    "ask for an organization": (
        Action.REQUEST_ORGANIZATION,
        lambda scene: None,
        lambda permit, scene, notices, clock: organization_requests.make(
            db.session(), permit, notices, Wish("buoys", Facts("Buoys", "", ""), "w" * 32), now=clock.now()
        ),
    ),
    "approve a request": (
        Action.DECIDE_REQUEST,
        lambda scene: scene.wish,
        lambda permit, scene, notices, clock: organization_requests.approve(
            db.session(), permit, notices, scene.wish, now=clock.now()
        ),
    ),
    "decline a request": (
        Action.DECIDE_REQUEST,
        lambda scene: scene.wish,
        lambda permit, scene, notices, clock: organization_requests.decline(
            db.session(), permit, notices, scene.wish, text="No.", now=clock.now()
        ),
    ),
    "withdraw a request": (
        Action.WITHDRAW_REQUEST,
        lambda scene: scene.wish,
        lambda permit, scene, notices, clock: organization_requests.withdraw(
            db.session(), permit, scene.wish, now=clock.now()
        ),
    ),
    "invite to an organization": (
        Action.INVITE_MEMBER,
        lambda scene: scene.organization,
        lambda permit, scene, notices, clock: organization_members.invite(
            db.session(),
            permit,
            notices,
            scene.organization,
            guest="cleo",
            role=OrganizationRole.MEMBER,
            now=clock.now(),
        ),
    ),
    "change a member's role": (
        Action.CHANGE_MEMBER_ROLE,
        lambda scene: scene.organization,
        lambda permit, scene, notices, clock: organization_members.change_role(
            db.session(),
            permit,
            notices,
            scene.organization,
            username="bo",
            role=OrganizationRole.MANAGER,
            now=clock.now(),
        ),
    ),
    "remove a member": (
        Action.REMOVE_MEMBER,
        lambda scene: scene.organization,
        lambda permit, scene, notices, clock: organization_members.remove(
            db.session(), permit, notices, scene.organization, username="bo", now=clock.now()
        ),
    ),
    "edit an organization": (
        Action.EDIT_ORGANIZATION,
        lambda scene: scene.organization,
        lambda permit, scene, notices, clock: organization_settings.edit(
            db.session(), permit, notices, scene.organization, Facts("Another", "", ""), now=clock.now()
        ),
    ),
    "add a trusted publisher": (
        Action.ADD_PUBLISHER,
        lambda scene: scene.project,
        lambda permit, scene, notices, clock: publishers.add(
            db.session(),
            permit,
            notices,
            scene.project,
            provider=GITHUB,
            values={"owner": "acme", "repository": "another", "workflow": "release.yml"},
            now=clock.now(),
        ),
    ),
    "remove a trusted publisher": (
        Action.REMOVE_PUBLISHER,
        lambda scene: scene.publisher,
        lambda permit, scene, notices, clock: publishers.remove(
            db.session(), permit, notices, scene.publisher, now=clock.now()
        ),
    ),
    "archive a project": (
        Action.ARCHIVE_PROJECT,
        lambda scene: scene.project,
        lambda permit, scene, notices, clock: project_settings.archive(
            db.session(), permit, notices, scene.project, now=clock.now()
        ),
    ),
    "open a project again": (
        Action.UNARCHIVE_PROJECT,
        lambda scene: scene.archived,
        lambda permit, scene, notices, clock: project_settings.unarchive(
            db.session(), permit, notices, scene.archived, now=clock.now()
        ),
    ),
    "delete a project": (
        Action.DELETE_PROJECT,
        lambda scene: scene.project,
        lambda permit, scene, notices, clock: project_settings.remove(
            db.session(), permit, notices, scene.project, confirmation=scene.project.name, now=clock.now()
        ),
    ),
    "offer a project": (
        Action.TRANSFER_PROJECT,
        lambda scene: scene.project,
        lambda permit, scene, notices, clock: transfers.offer(
            db.session(),
            permit,
            notices,
            scene.project,
            receiver="cleo",
            is_organization=False,
            confirmation=scene.project.name,
            now=clock.now(),
        ),
    ),
    "keep an offered project": (
        Action.WITHDRAW_TRANSFER,
        lambda scene: scene.offered,
        lambda permit, scene, notices, clock: transfers.withdraw(
            db.session(), permit, notices, scene.offered, now=clock.now()
        ),
    ),
    "take a project over": (
        Action.ACCEPT_TRANSFER,
        lambda scene: scene.to_ana,
        lambda permit, scene, notices, clock: takeovers.accept(
            db.session(), permit, notices, scene.to_ana, now=clock.now()
        ),
    ),
    "decline a project": (
        Action.DECLINE_TRANSFER,
        lambda scene: scene.to_ana,
        lambda permit, scene, notices, clock: transfers.decline(
            db.session(), permit, notices, scene.to_ana, now=clock.now()
        ),
    ),
    "take a project into an organization": (
        Action.ACCEPT_PROJECT,
        lambda scene: scene.to_office,
        lambda permit, scene, notices, clock: takeovers.accept_into(
            db.session(), permit, notices, scene.to_office, now=clock.now()
        ),
    ),
    "decline a project for an organization": (
        Action.DECLINE_PROJECT,
        lambda scene: scene.to_office,
        lambda permit, scene, notices, clock: transfers.decline_into(
            db.session(), permit, notices, scene.to_office, now=clock.now()
        ),
    ),
    "take trusted publishers only": (
        Action.CHANGE_UPLOADERS,
        lambda scene: scene.project,
        lambda permit, scene, notices, clock: publishers.set_uploaders(
            db.session(), permit, notices, scene.project, takes_tokens=False, now=clock.now()
        ),
    ),
    "make a project private": (
        Action.CHANGE_READERS,
        lambda scene: scene.project,
        lambda permit, scene, notices, clock: project_settings.change_readers(
            db.session(), permit, notices, scene.project, is_private=True, now=clock.now()
        ),
    ),
    "have a publisher wait": (
        Action.ADD_PENDING_PUBLISHER,
        lambda scene: None,
        lambda permit, scene, notices, clock: pending_publishers.add(
            db.session(), permit, notices, project_name="buoy", provider=GITHUB, values=JOB, now=clock.now()
        ),
    ),
    "have a publisher wait no longer": (
        Action.REMOVE_PENDING_PUBLISHER,
        lambda scene: scene.waits,
        lambda permit, scene, notices, clock: pending_publishers.remove(
            db.session(), permit, notices, scene.waits, now=clock.now()
        ),
    ),
    "have a publisher wait for an organization": (
        Action.ADD_ORGANIZATION_PUBLISHER,
        lambda scene: scene.organization,
        lambda permit, scene, notices, clock: pending_publishers.add_for_organization(
            db.session(),
            permit,
            notices,
            scene.organization,
            project_name="buoy",
            provider=GITHUB,
            values=JOB,
            now=clock.now(),
        ),
    ),
    "have a publisher wait for an organization no longer": (
        Action.REMOVE_ORGANIZATION_PUBLISHER,
        lambda scene: scene.waits_there,
        lambda permit, scene, notices, clock: pending_publishers.remove_of_organization(
            db.session(), permit, notices, scene.waits_there, now=clock.now()
        ),
    ),
    "add an issuer": (
        Action.ADD_ISSUER,
        lambda scene: None,
        lambda permit, scene, notices, clock: issuers.add(
            db.session(),
            permit,
            notices,
            kind="oidc",
            name="New forge",
            url="https://new.example",
            allows_private=False,
            now=clock.now(),
        ),
    ),
    "remove an issuer": (
        Action.REMOVE_ISSUER,
        lambda scene: scene.issuer,
        lambda permit, scene, notices, clock: issuers.remove(
            db.session(), permit, notices, scene.issuer, now=clock.now()
        ),
    ),
    "revoke an invitation to an organization": (
        Action.REVOKE_MEMBER_INVITATION,
        lambda scene: scene.organization,
        lambda permit, scene, notices, clock: organization_members.revoke(
            db.session(), permit, notices, scene.organization, guest="dan", now=clock.now()
        ),
    ),
    "leave an organization": (
        Action.LEAVE_ORGANIZATION,
        lambda scene: scene.spare,
        lambda permit, scene, notices, clock: organization_members.leave(
            db.session(), permit, notices, scene.spare, now=clock.now()
        ),
    ),
    "delete an organization": (
        Action.DELETE_ORGANIZATION,
        lambda scene: scene.spare,
        lambda permit, scene, notices, clock: organization_settings.remove(
            db.session(), permit, notices, scene.spare, confirmation=scene.spare.name, now=clock.now()
        ),
    ),
    "answer a question": (
        Action.ANSWER_QUESTION,
        lambda scene: scene.asked,
        lambda permit, scene, notices, clock: organization_requests.answer(
            db.session(), permit, notices, scene.asked, text="Because.", now=clock.now()
        ),
    ),
}

EVERY_CALL = pytest.mark.parametrize("name", CALLS)


def scenes(people: People) -> tuple[Scene, Scene]:
    """Two of everything; ana owns both projects, together with dan."""
    ana, bo, dan = people.an_administrator("ana"), people.a_member("bo"), people.a_member("dan")
    people.an_administrator("root")
    people.a_member("cleo")
    found = []
    for name in ("acme-utils", "tide-tables"):
        project = people.a_project(name, dan, maintainers=(ana,))
        organization = people.an_organization(f"{name}-office", ana, members=(bo,))
        lent = people.an_organizations_project(f"{name}-lent", organization)
        db.session.add(ProjectRole(project_id=lent.id, user_id=dan.id, role="owner", since=lent.created_at))
        found.append(
            Scene(
                ana=ana,
                bo=bo,
                project=project,
                release=people.a_release(project, "1.0", by=ana),
                yanked=people.a_release(project, "0.8", by=ana, yanked_at=ana.registered_at),
                removed=people.a_removal(project, "0.9", by=ana),
                token=people.a_rotated_token(ana, f"for {name}")[0],
                invitation=people.an_invitation(project, bo, by=ana),
                organization=_inviting(organization, dan, ana),
                team=people.a_team("Crew", organization, members=(bo,), projects=((lent, "maintainer"),)),
                lent=lent,
                wish=people.a_request(f"{name}-club", ana),
                publisher=people.a_publisher(project),
                archived=_archived(people.a_project(f"{name}-attic", ana)),
                offered=people.a_transfer(people.a_project(f"{name}-old", ana), bo, by=ana).project,
                to_ana=people.a_transfer(people.a_project(f"{name}-gift", bo), ana, by=bo),
                to_office=people.a_transfer(people.a_project(f"{name}-loan", bo), organization, by=bo),
                waits=people.a_pending(f"{name}-next", dan),
                waits_there=people.a_pending(f"{name}-then", dan, organization=organization),
                issuer=people.an_issuer(f"https://{name}.example"),
                spare=_with_owner(people.an_organization(f"{name}-spare", ana), dan),
                asked=people.a_request(f"{name}-guild", dan, status="asked", question="Why?"),
            )
        )
    for role in db.session.scalars(sa.select(ProjectRole)):
        role.role = "owner"
    db.session.commit()
    return found[0], found[1]


def _archived(project: Project) -> Project:
    project.status = "archived"
    return project


def _inviting(organization: Organization, guest: User, host: User) -> Organization:
    at = organization.created_at
    invited = {"organization_id": organization.id, "user_id": guest.id, "invited_by_id": host.id}
    db.session.add(Invitation(role="member", created_at=at, expires_at=at + timedelta(days=7), **invited))
    return organization


def _with_owner(organization: Organization, user: User) -> Organization:
    part = {"organization_id": organization.id, "user_id": user.id, "role": "owner"}
    db.session.add(OrganizationMember(since=organization.created_at, **part))
    return organization


def contents() -> list[object]:
    """Every row of every table."""
    db.session.flush()
    return [tuple(row) for table in Base.metadata.sorted_tables for row in db.session.execute(table.select())]


@EVERY_CALL
def test_the_right_permit_is_taken(people: People, notices: Notices, clock: SettableClock, name: str) -> None:
    action, subject, call = CALLS[name]
    scene, _ = scenes(people)
    before = contents()

    who = scene.bo if name == "accept" else scene.ana  # whoever owns it already accepts no invitation to it
    call(permit_for(who, action, subject(scene), now=clock.now()), scene, notices, clock)

    assert contents() != before
    assert db.session.scalars(sa.select(Event.actor_id)).all() != [], "it leaves no event"


MANAGED = {PROJECTS, TOKENS, RELEASES, PEOPLE, ORGANIZATIONS, PUBLISHERS, ADMINISTRATION}
TRIED_ELSEWHERE = {
    Action.UPLOAD_FILE,  # by files, in tests/index/test_publish.py
    Action.EXCHANGE_IDENTITY,  # by CI jobs, which are judged within the exchange, in tests/web/test_mint_token.py
    Action.IMPORT_FILES,  # by the operator, in tests/web/test_import_folder.py
    Action.LIMIT_PROJECT,  # by the operator, in tests/web/test_project_limits.py
}


def test_every_action_that_changes_something_is_tried_here() -> None:
    changes = {each for each in Action if each.needs.group in MANAGED and not each.name.startswith("VIEW_")}

    assert changes - TRIED_ELSEWHERE <= {action for action, _, _ in CALLS.values()}


@EVERY_CALL
def test_a_permit_for_anything_else_is_refused(
    people: People, notices: Notices, clock: SettableClock, name: str
) -> None:
    action, subject, call = CALLS[name]
    scene, other = scenes(people)
    now, before = clock.now(), contents()
    wrong = [
        permit_for(scene.ana, Action.VIEW_ACCOUNT, subject(scene), now=now),
        permit_for(scene.ana, action, subject(other) or other.project, now=now),
    ]

    for permit in wrong:
        with pytest.raises(PermitMismatch):
            call(permit, scene, notices, clock)

    assert contents() == before
