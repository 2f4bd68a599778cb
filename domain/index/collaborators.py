"""Who looks after a project together, and how people come and go."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session, contains_eager

from domain import journal, naming
from domain.index import invitations, keepers, organizations, parting, projects, transfers
from domain.index.announcements import announce
from domain.notices import Notices
from domain.policy.actions import Action
from domain.policy.decision import Permit
from domain.policy.targets import Role, with_article
from domain.problems import Problem
from models import ApiToken, Invitation, Project, ProjectRole, User, token_project
from models.user import username_key


@dataclass(frozen=True)
class Collaborator:
    """Somebody of a project's people. role: the greatest that they have in it.

    by: the team or organization that lends it; empty for one of their own.
    own: their own part, be it a lesser one; None where all is lent.
    """

    user: User
    role: Role
    by: str
    own: ProjectRole | None


@dataclass(frozen=True)
class Impact:
    """What ends with somebody's own part in a project: API tokens that name it reach it no longer, and open invitations
    by them. keeps: the role that a team or the organization lends them there; None for none."""

    tokens: int
    invitations: int
    keeps: Role | None


def of_project(db: Session, project: Project) -> list[ProjectRole]:
    """Everybody with a part of their own in the project: owners first, then by name."""
    parts = select(ProjectRole).join(ProjectRole.user).options(contains_eager(ProjectRole.user))
    by_role = parts.order_by(ProjectRole.role.desc(), User.username_key)
    return list(db.scalars(by_role.where(ProjectRole.project_id == project.id)))


def everybody_in(db: Session, project: Project) -> list[Collaborator]:
    """All who may act for the project, whatever lends them the role, and frozen accounts with a part of their own.
    Two statements."""
    own = {part.user_id: part for part in of_project(db, project)}
    found = [
        Collaborator(keeper.user, keeper.role, keeper.by, own.pop(keeper.user.id, None))
        for keeper in keepers.keepers_of(db, project)
    ]
    return [*found, *(Collaborator(part.user, Role[part.role.upper()], "", part) for part in own.values())]


def part_of(db: Session, project: Project, username: str) -> ProjectRole | None:
    """The part of their own of whoever has this name; None for none."""
    name = username.strip()
    if not naming.looks_like_name(name):
        return None
    parts = select(ProjectRole).join(ProjectRole.user).options(contains_eager(ProjectRole.user))
    return db.scalar(parts.where(ProjectRole.project_id == project.id, User.username_key == username_key(name)))


def impact_of_leaving(db: Session, project: Project, user: User, *, now: datetime) -> Impact:
    """What would end if somebody had no part of their own in the project any more."""
    keeps = keepers.lent_to(db, project, user.id)
    tokens = select(func.count()).select_from(token_project).join(ApiToken, ApiToken.id == token_project.c.token_id)
    theirs = tokens.where(token_project.c.project_id == project.id, ApiToken.user_id == user.id)
    sent = select(func.count()).where(Invitation.project_id == project.id, Invitation.invited_by_id == user.id)
    return Impact(
        tokens=(db.scalar(theirs) or 0) if keeps is None else 0,
        invitations=(db.scalar(sent.where(Invitation.expires_at > now)) or 0) if keeps is not Role.OWNER else 0,
        keeps=keeps,
    )


def invite(
    db: Session, permit: Permit, notices: Notices, project: Project, *, guest: str, role: Role, now: datetime
) -> Invitation:
    """Offer somebody a part in the project, for seven days. It gives them nothing until they accept.

    guest: a username, or an address: then whoever has proved that it is theirs may answer. Raises Problem at the field
    `username`: nobody of that name, in already, invited already. The caller counts the try in `throttle.INVITE`.
    """
    permit.covers(Action.INVITE_COLLABORATOR, project)
    projects.lock(db, permit, project)
    who = invitations.read_guest(db, guest, field="username")
    if who.user is not None and part_of(db, project, who.user.username) is not None:
        raise Problem(f"{who.name} has a role in {project.name} already.", field="username")
    invitation = invitations.add(db, permit, project, who, role=role.word, field="username", now=now)
    _record(db, permit, "project:invitation:sent", project, who.user, role=role.word, guest=who.name, now=now)
    invitations.tell_guest(db, permit, notices, "invitation", invitation, now=now)
    return invitation


def revoke(db: Session, permit: Permit, notices: Notices, project: Project, *, guest: str, now: datetime) -> None:
    """Take an open invitation back; whoever was invited is told. guest: the username or address.

    Raises Problem if there is none.
    """
    permit.covers(Action.REVOKE_INVITATION, project)
    projects.lock(db, permit, project)
    invitation = invitations.find_to(db, project, guest, now=now)
    if invitation is None:
        raise Problem("This invitation is not open any more: it was answered, revoked, or has expired.")
    who, role = invitations.guest_of(invitation), invitation.role
    _record(db, permit, "project:invitation:revoked", project, who.user, role=role, guest=who.name, now=now)
    invitations.tell_guest(db, permit, notices, "invitation-revoked", invitation, now=now)
    invitations.spend(db, invitation, now=now)


def accept(db: Session, permit: Permit, notices: Notices, invitation: Invitation, *, now: datetime) -> Project:
    """Take the part that was offered, and return the project. Its owners and the person are told.

    Raises Problem: the offer is not open any more, whoever made it owns the project no longer, or one has a part in it.
    """
    permit.covers(Action.ACCEPT_INVITATION, invitation)
    project, role, host_id = _project_of(invitation), invitation.role, invitation.invited_by_id
    locked = select(Project).where(Project.id == project.id).with_for_update(key_share=True)
    if db.scalar(locked.execution_options(populate_existing=True)) is None:
        raise projects.Gone(project.name)
    user = keepers.hold(db, permit.account.user_id)
    invitations.spend(db, invitation, now=now)
    is_owner = projects.role_of(db, project, host_id) is Role.OWNER
    invitations.check_host(db.get_one(User, host_id), project, is_owner=is_owner)
    if (part := part_of(db, project, user.username)) is not None:
        raise Problem(f"You are {with_article(part.role)} of {project.name} already. Its owners can change that.")
    invitations.drop_others(db, project, user.id)
    owners = keepers.owners_of(db, project)
    db.add(ProjectRole(project_id=project.id, user_id=user.id, role=role, since=now))
    db.flush()
    _record(db, permit, "project:collaborator:added", project, user, role=role, now=now)
    announce(db, permit, notices, "invitation-accepted", owners, project=project, now=now, role=role)
    announce(db, permit, notices, "collaborator-added", [user], project=project, now=now, role=role)
    return project


def decline(db: Session, permit: Permit, notices: Notices, invitation: Invitation, *, now: datetime) -> None:
    """Turn the offer down; whoever made it is told. Raises Problem if it is not open any more."""
    permit.covers(Action.DECLINE_INVITATION, invitation)
    project, host, guest = _project_of(invitation), invitation.invited_by, invitations.guest_of(invitation).name
    invitations.record_decline(db, permit, invitation, "project:invitation:declined", now=now, project=project.name)
    invitations.spend(db, invitation, now=now)
    facts = {"project": project, "organization": None, "guest": guest}
    notices.tell(db, host, "invitation-declined", now=now, **facts)


def change_role(
    db: Session, permit: Permit, notices: Notices, project: Project, *, username: str, role: Role, now: datetime
) -> None:
    """Make a maintainer an owner, or an owner a maintainer. They and the owners are told.

    Raises Problem: no part of their own, that role already, the last owner, or a frozen account that would own.
    """
    permit.covers(Action.CHANGE_ROLE, project)
    projects.lock(db, permit, project)
    part = _part(db, project, username)
    user, was = part.user, part.role
    if was == role.word:
        raise Problem(f"{user.username} is {with_article(role.word)} already.", field="role")
    if role is Role.OWNER and not user.is_active:
        raise Problem(f"{user.username} is frozen, and cannot own a project.", field="role")
    owners = keepers.owners_of(db, project)
    if role is not Role.OWNER:
        _check_not_last(db, project, user)
    part.role = role.word
    _end_of_role(db, permit, notices, project, user, now=now)
    _record(db, permit, "project:collaborator:role_changed", project, user, role=role.word, was=was, now=now)
    people = {one.id: one for one in (*owners, user)}.values()
    values = {"person": user.username, "role": role.word, "was": was}
    announce(db, permit, notices, "collaborator-role-changed", people, project=project, now=now, **values)


def remove(db: Session, permit: Permit, notices: Notices, project: Project, *, username: str, now: datetime) -> None:
    """Take somebody's own part in the project away. Raises Problem if they have none, or are its last owner."""
    permit.covers(Action.REMOVE_COLLABORATOR, project)
    projects.lock(db, permit, project)
    _end_part(db, permit, notices, project, username, now=now)


def leave(db: Session, permit: Permit, notices: Notices, project: Project, *, now: datetime) -> None:
    """Give one's own part in the project up. Raises Problem if one has none, or is its last owner."""
    permit.covers(Action.LEAVE_PROJECT, project)
    projects.lock(db, permit, project)
    _end_part(db, permit, notices, project, permit.account.username, now=now)


def _project_of(invitation: Invitation) -> Project:
    assert invitation.project is not None  # noqa: S101 - one to an organization is answered elsewhere
    return invitation.project


def _part(db: Session, project: Project, username: str) -> ProjectRole:
    part = part_of(db, project, username)
    if part is not None:
        return part
    name = username_key(username.strip())
    for keeper in keepers.keepers_of(db, project):
        if keeper.user.username_key == name:
            raise Problem(f"{keeper.by} lends {keeper.user.username} the role in {project.name}: change it there.")
    raise Problem(f"Nobody of that name has a role in {project.name}.", field="username")


def _check_not_last(db: Session, project: Project, user: User) -> None:
    """A frozen account looks after nothing; where an organization has an owner who can act, it looks after the rest."""
    if project.organization is not None and organizations.owners_of(db, project.organization):
        return
    owners = (ProjectRole.project_id == project.id) & (ProjectRole.role == Role.OWNER.word)
    others = select(User.id).join(ProjectRole).where(owners, User.is_active, User.id != user.id)
    if db.scalar(others.limit(1)) is None:
        raise Problem(
            f"{project.name} needs an owner, and {user.username} is the only one. Make somebody else an owner first."
        )


def _end_part(db: Session, permit: Permit, notices: Notices, project: Project, username: str, *, now: datetime) -> None:
    part = _part(db, project, username)
    user, role = part.user, part.role
    if role == Role.OWNER.word:
        _check_not_last(db, project, user)
    owners = keepers.owners_of(db, project)
    db.delete(part)
    _end_of_role(db, permit, notices, project, user, now=now)
    _record(db, permit, "project:collaborator:removed", project, user, role=role, now=now)
    others, person = [owner for owner in owners if owner.id != user.id], user.username
    announce(db, permit, notices, "collaborator-removed", others, project=project, now=now, person=person)
    announce(db, permit, notices, "removed-from-project", [user], project=project, now=now)


def _end_of_role(db: Session, permit: Permit, notices: Notices, project: Project, user: User, *, now: datetime) -> None:
    """End what hung on the role, and tell whoever an offer was made to that there is nothing to take any more."""
    db.flush()
    offer = transfers.of_project(db, project, now=now)
    is_owner = projects.role_of(db, project, user.id) is Role.OWNER
    if offer is not None and offer.offered_by_id == user.id and not is_owner:
        transfers.end_with(db, permit, notices, project, now=now)
    parting.end_of_role(db, project, user)


def _record(
    db: Session, permit: Permit, event: str, project: Project, user: User | None, *, now: datetime, **details: object
) -> None:
    """user: whom it concerns; None for whoever did it, or for an address that nobody need have."""
    journal.record(
        db,
        event,
        now=now,
        origin=permit.principal.origin,
        actor_id=permit.account.user_id,
        user_id=user.id if user is not None else None,
        project_id=project.id,
        details={"project": project.name, **details},
    )
