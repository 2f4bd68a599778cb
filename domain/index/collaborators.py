"""Who looks after a project together, and how people come and go."""

from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session, contains_eager

from domain import journal
from domain.index import invitations, parting
from domain.index.announcements import announce
from domain.notices import Notices
from domain.policy.actions import Action
from domain.policy.decision import Permit
from domain.policy.targets import Role
from domain.problems import Problem
from models import Invitation, Project, ProjectRole, User
from models.user import username_key


class _Nobody(Problem):
    def __init__(self) -> None:
        super().__init__("There is nobody of that name on this index. Check the spelling.", field="username")


def of_project(db: Session, project: Project) -> list[ProjectRole]:
    """Everybody with a part in the project: owners first, then by name."""
    parts = select(ProjectRole).join(ProjectRole.user).options(contains_eager(ProjectRole.user))
    by_role = parts.order_by(ProjectRole.role.desc(), User.username_key)
    return list(db.scalars(by_role.where(ProjectRole.project_id == project.id)))


def part_of(db: Session, project: Project, username: str) -> ProjectRole | None:
    """The part of whoever has this name; None for none."""
    try:
        return _part(db, project, _user(db, username))
    except Problem:
        return None


def invitations_of(db: Session, project: Project, *, now: datetime) -> list[Invitation]:
    """The project's open invitations, oldest first."""
    return list(db.scalars(invitations.open_at(now).where(Invitation.project_id == project.id)))


def invite(
    db: Session, permit: Permit, notices: Notices, project: Project, *, username: str, role: Role, now: datetime
) -> Invitation:
    """Offer somebody a part in the project, for seven days. It gives them nothing until they accept.

    Raises Problem: nobody of that name (which the public user pages tell, too), in already, invited already.
    The caller counts the try in `throttle.INVITE`.
    """
    permit.covers(Action.INVITE_COLLABORATOR, project)
    _lock(db, project)
    user = _user(db, username)
    if not user.is_active:
        raise _Nobody
    if _part(db, project, user) is not None:
        raise Problem(f"{user.username} has a role in {project.name} already.", field="username")
    db.execute(delete(Invitation).where(Invitation.project_id == project.id, Invitation.expires_at <= now))
    if _open_to(db, project, user, now=now) is not None:
        raise Problem(f"{user.username} is invited already and has not answered yet.", field="username")
    invitation = Invitation(
        project=project,
        user=user,
        role=role.word,
        invited_by_id=permit.account.user_id,
        created_at=now,
        expires_at=now + invitations.INVITATION_LASTS,
    )
    db.add(invitation)
    db.flush()
    _record(db, permit, "project:invitation:sent", project, user, role=role.word, now=now)
    if user.has_verified_email:  # an address that may be somebody else's gets no mail at a stranger's wish
        until = invitation.expires_at
        announce(db, permit, notices, "invitation", [user], project=project, now=now, role=role.word, until=until)
    return invitation


def revoke(db: Session, permit: Permit, project: Project, *, username: str, now: datetime) -> None:
    """Take an open invitation back. Raises Problem if there is none for that name."""
    permit.covers(Action.REVOKE_INVITATION, project)
    _lock(db, project)
    user = _user(db, username)
    invitation = _open_to(db, project, user, now=now)
    if invitation is None:
        raise Problem(f"{user.username} has no open invitation: it was answered, revoked, or has expired.")
    db.delete(invitation)
    _record(db, permit, "project:invitation:revoked", project, user, role=invitation.role, now=now)


def accept(db: Session, permit: Permit, notices: Notices, invitation: Invitation, *, now: datetime) -> Project:
    """Take the part that was offered, and return the project. Its owners and the person are told.

    Raises Problem if the offer is not open any more.
    """
    permit.covers(Action.ACCEPT_INVITATION, invitation)
    project, user, role = _answer(db, permit, invitation, now=now)
    owners = _owners(db, project)
    db.add(ProjectRole(project_id=project.id, user_id=user.id, role=role, since=now))
    _record(db, permit, "project:collaborator:added", project, user, role=role, now=now)
    announce(db, permit, notices, "invitation-accepted", owners, project=project, now=now, role=role)
    announce(db, permit, notices, "collaborator-added", [user], project=project, now=now, role=role)
    return project


def decline(db: Session, permit: Permit, invitation: Invitation, *, now: datetime) -> None:
    """Turn the offer down. Raises Problem if it is not open any more."""
    permit.covers(Action.DECLINE_INVITATION, invitation)
    project, user, role = _answer(db, permit, invitation, now=now)
    _record(db, permit, "project:invitation:declined", project, user, role=role, now=now)


def remove(db: Session, permit: Permit, notices: Notices, project: Project, *, username: str, now: datetime) -> None:
    """Take somebody's part in the project away. Raises Problem if they have none, or are its last owner."""
    permit.covers(Action.REMOVE_COLLABORATOR, project)
    _end_part(db, permit, notices, project, username, now=now)


def leave(db: Session, permit: Permit, notices: Notices, project: Project, *, now: datetime) -> None:
    """Give one's own part in the project up. Raises Problem if one is its last owner."""
    permit.covers(Action.LEAVE_PROJECT, project)
    _end_part(db, permit, notices, project, permit.account.username, now=now)


def _open_to(db: Session, project: Project, user: User, *, now: datetime) -> Invitation | None:
    to_them = invitations.open_at(now).where(Invitation.project_id == project.id, Invitation.user_id == user.id)
    return db.scalar(to_them)


def _lock(db: Session, project: Project) -> None:
    """Have all changes to a project's people wait for each other: two owners who remove one another must not both."""
    db.execute(select(Project.id).where(Project.id == project.id).with_for_update())


def _user(db: Session, username: str) -> User:
    if not username.isprintable():  # PostgreSQL takes no NUL, not even to look for
        raise _Nobody
    user = db.scalar(select(User).where(User.username_key == username_key(username.strip())))
    if user is None:
        raise _Nobody
    return user


def _part(db: Session, project: Project, user: User) -> ProjectRole | None:
    part = select(ProjectRole).where(ProjectRole.project_id == project.id, ProjectRole.user_id == user.id)
    return db.scalar(part)


def _owners(db: Session, project: Project) -> list[User]:
    """The owners who can act: a frozen account looks after nothing."""
    parts = (ProjectRole.project_id == project.id) & (ProjectRole.role == Role.OWNER.word)
    return list(db.scalars(select(User).join(ProjectRole).where(parts, User.is_active).order_by(User.id)))


def _answer(db: Session, permit: Permit, invitation: Invitation, *, now: datetime) -> tuple[Project, User, str]:
    """Spend an open invitation to a project, once; what it was for, who answers, and which part it offers."""
    project, role = invitation.project, invitation.role
    assert project is not None  # noqa: S101 - one to an organization is answered elsewhere
    guest = invitation.user or db.get_one(User, permit.account.user_id)
    _lock(db, project)
    invitations.spend(db, invitation, now=now)
    return project, guest, role


def _end_part(db: Session, permit: Permit, notices: Notices, project: Project, username: str, *, now: datetime) -> None:
    _lock(db, project)
    user = _user(db, username)
    part = _part(db, project, user)
    if part is None:
        raise Problem(f"{user.username} has no role in {project.name}.")
    owners = _owners(db, project)
    if owners == [user]:
        raise Problem(
            f"{project.name} needs an owner, and {user.username} is the only one. Invite another owner first."
        )
    db.delete(part)
    parting.end_of_role(db, project, user)
    _record(db, permit, "project:collaborator:removed", project, user, role=part.role, now=now)
    others = [owner for owner in owners if owner.id != user.id]
    person = user.username
    announce(db, permit, notices, "collaborator-removed", others, project=project, now=now, person=person)
    announce(db, permit, notices, "removed-from-project", [user], project=project, now=now)


def _record(db: Session, permit: Permit, event: str, project: Project, user: User, *, role: str, now: datetime) -> None:
    journal.record(
        db,
        event,
        now=now,
        origin=permit.principal.origin,
        actor_id=permit.account.user_id,
        user_id=user.id,
        project_id=project.id,
        details={"project": project.name, "role": role},
    )
