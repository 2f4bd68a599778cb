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
    organization_members,
    organization_projects,
    organization_requests,
    organization_settings,
    projects,
    publishers,
    removals,
    reservations,
    teams,
    yanks,
)
from domain.index.organization_facts import Facts
from domain.index.organization_requests import Wish
from domain.index.publisher_identities import GITHUB
from domain.notices import Notices
from domain.policy.actions import Action
from domain.policy.decision import Permit, PermitMismatch
from domain.policy.targets import OrganizationRole, Role, Subject
from models import (
    ApiToken,
    Base,
    DeletedRelease,
    Invitation,
    Organization,
    OrganizationRequest,
    Project,
    ProjectRole,
    Release,
    Team,
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


def store_of(removed: DeletedRelease) -> BlobStore:
    """The store, with something for each file that was deleted."""
    store = wiring_of(current_app).store
    for file in removed.files:
        store.put_bytes(file.sha256, b"a wheel")
    return store


Call = Callable[[Permit, Scene, Notices, SettableClock], object]

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
                organization=organization,
                team=people.a_team("Crew", organization, members=(bo,), projects=((lent, "maintainer"),)),
                lent=lent,
                wish=people.a_request(f"{name}-club", ana),
                publisher=people.a_publisher(project),
            )
        )
    for role in db.session.scalars(sa.select(ProjectRole)):
        role.role = "owner"
    db.session.commit()
    return found[0], found[1]


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
