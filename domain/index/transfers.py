"""Projects that are handed over: offered to a person or an organization, and taken or not.

Whoever hands a project over no longer owns it by themselves; other owners and maintainers stay. Locks are taken in the
order organizations, project, the receiver's account, offer.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy import Select, delete, select
from sqlalchemy.orm import Session

from domain import journal, naming
from domain.index import organizations, projects, teams
from domain.index.announcements import announce
from domain.index.keepers import hold, keepers_of, owners_of
from domain.index.names import normalize
from domain.notices import Notices
from domain.policy.actions import Action
from domain.policy.decision import Permit
from domain.policy.targets import OrganizationRole, ProjectStatus, Role, Target
from domain.problems import Problem
from models import Organization, Project, ProjectRole, Transfer, User
from models.user import username_key

LASTS = timedelta(days=7)


class _NotOpen(Problem):
    def __init__(self, project: Project) -> None:
        super().__init__(f"{project.name} is not offered any more: it was answered, withdrawn, or the week is over.")


def find(db: Session, transfer_id: int) -> Transfer | None:
    """The offer of this number, open or not."""
    return db.get(Transfer, transfer_id)


def target_of(transfer: Transfer) -> Target:
    """An offer to a person, as the target of their answer."""
    return Target(transfer, transfer.project.name, owner_id=transfer.to_user_id)


def of_project(db: Session, project: Project, *, now: datetime) -> Transfer | None:
    """The project's open offer; None if there is none."""
    return db.scalar(_open(now).where(Transfer.project_id == project.id))


def to_user(db: Session, user_id: int, *, now: datetime) -> list[Transfer]:
    """What is offered to somebody, oldest first."""
    return list(db.scalars(_open(now).where(Transfer.to_user_id == user_id)))


def to_organization(db: Session, organization: Organization, *, now: datetime) -> list[Transfer]:
    """What is offered to an organization, oldest first."""
    return list(db.scalars(_open(now).where(Transfer.to_organization_id == organization.id)))


def receiver_of(transfer: Transfer) -> str:
    """Whom a project is offered to, by name."""
    receiver = transfer.to_user or transfer.to_organization
    assert receiver is not None  # noqa: S101 - the table has a constraint
    return receiver.username if isinstance(receiver, User) else receiver.name


def offer(
    db: Session,
    permit: Permit,
    notices: Notices,
    project: Project,
    *,
    receiver: str,
    is_organization: bool,
    confirmation: str,
    now: datetime,
) -> Transfer:
    """Offer a project to a person or an organization, for seven days. It changes nothing until they take it.

    receiver: a username or an organization's name. confirmation: the project's name as the person typed it.
    Raises Problem at the field: nobody of that name, an owner already, another name typed; and where an offer is open.
    The caller counts the try in `throttle.INVITE`.
    """
    permit.covers(Action.TRANSFER_PROJECT, project)
    if normalize(confirmation.strip()) != project.normalized_name:
        raise Problem(f"That is not the name of the project. Type {project.name} to hand it over.", field="confirm")
    _lock_organizations(db, project.organization_id)
    projects.lock(db, permit, project)
    _check_right(db, project, permit.account.user_id)
    db.execute(delete(Transfer).where(Transfer.project_id == project.id, Transfer.expires_at <= now))
    if (other := of_project(db, project, now=now)) is not None:
        raise Problem(f"{project.name} is offered to {receiver_of(other)} already. Withdraw that first.")
    transfer = Transfer(project=project, offered_by_id=permit.account.user_id, created_at=now, expires_at=now + LASTS)
    if is_organization:
        transfer.to_organization = _organization(db, project, receiver)
    else:
        transfer.to_user = _person(db, project, receiver)
    db.add(transfer)
    db.flush()
    _record(db, permit, "offered", transfer, now=now)
    values = {**_named(transfer), "until": transfer.expires_at}
    announce(db, permit, notices, "transfer-pending", owners_of(db, project), project=project, now=now, **values)
    others = [user for user in _receivers(db, transfer) if user.id != permit.account.user_id]
    announce(db, permit, notices, "transfer-offered", others, project=project, now=now, **values)
    return transfer


def withdraw(db: Session, permit: Permit, notices: Notices, project: Project, *, now: datetime) -> None:
    """Keep the project after all. Every owner may; all of them and the receiver are told. Raises Problem if no offer is
    open."""
    permit.covers(Action.WITHDRAW_TRANSFER, project)
    projects.lock(db, permit, project)
    transfer = of_project(db, project, now=now)
    if transfer is None:
        raise _NotOpen(project)
    told = [*owners_of(db, project), *_receivers(db, transfer)]
    _end(db, permit, notices, transfer, "withdrawn", told, now=now)


def decline(db: Session, permit: Permit, notices: Notices, transfer: Transfer, *, now: datetime) -> None:
    """Turn down a project that was offered to oneself. Its owners are told. Raises Problem if it is no longer open."""
    permit.covers(Action.DECLINE_TRANSFER, transfer)
    _end(db, permit, notices, transfer, "declined", owners_of(db, transfer.project), now=now)


def decline_into(db: Session, permit: Permit, notices: Notices, transfer: Transfer, *, now: datetime) -> None:
    """Turn down a project that was offered to an organization, in its name."""
    permit.covers(Action.DECLINE_PROJECT, transfer)
    _end(db, permit, notices, transfer, "declined", owners_of(db, transfer.project), now=now)


def accept(db: Session, permit: Permit, notices: Notices, transfer: Transfer, *, now: datetime) -> Project:
    """Take over a project that was offered to oneself, and return it. Everybody who had or has a part in it is told.

    Raises Problem if the offer is not open any more, or whoever made it may no longer give the project away.
    """
    permit.covers(Action.ACCEPT_TRANSFER, transfer)
    project = transfer.project
    _lock_organizations(db, project.organization_id)
    _lock_project(db, transfer)
    receiver = hold(db, permit.account.user_id)
    named = _named(transfer)
    before = _spend(db, permit, transfer, now=now)
    project.organization = None
    part = db.scalar(
        select(ProjectRole).where(ProjectRole.project_id == project.id, ProjectRole.user_id == receiver.id)
    )
    if part is None:
        db.add(ProjectRole(project_id=project.id, user_id=receiver.id, role=Role.OWNER.word, since=now))
    else:
        part.role = Role.OWNER.word
    _settle(db, permit, notices, project, before, named, now=now)
    return project


def accept_into(db: Session, permit: Permit, notices: Notices, transfer: Transfer, *, now: datetime) -> Project:
    """Take a project into an organization, whose owners own it from now on; otherwise as `accept`."""
    permit.covers(Action.ACCEPT_PROJECT, transfer)
    project, organization = transfer.project, transfer.to_organization
    assert organization is not None  # noqa: S101 - one to a person is answered elsewhere
    _lock_organizations(db, project.organization_id, organization.id)
    organizations.lock(db, permit, organization, OrganizationRole.MANAGER)
    _lock_project(db, transfer)
    named = _named(transfer)
    before = _spend(db, permit, transfer, now=now)
    _record_leaving(db, permit, project, now=now)
    project.organization = organization
    _settle(db, permit, notices, project, before, named, now=now)
    return project


def sweep(db: Session, *, now: datetime) -> None:
    """Remove offers that were not answered in time."""
    db.execute(delete(Transfer).where(Transfer.expires_at <= now))


def _open(now: datetime) -> Select[Transfer]:
    return select(Transfer).where(Transfer.expires_at > now).order_by(Transfer.id)


def _lock_organizations(db: Session, *organization_ids: int | None) -> None:
    """All at once and in one order: two projects that change places must not wait for each other."""
    ids = [one for one in organization_ids if one is not None]
    if ids:
        db.execute(select(Organization.id).where(Organization.id.in_(ids)).order_by(Organization.id).with_for_update())


def _lock_project(db: Session, transfer: Transfer) -> None:
    """Lock the project, and see that it still stands as it did when its organization was locked."""
    project, organization_id = transfer.project, transfer.project.organization_id
    locked = select(Project).where(Project.id == project.id).with_for_update()
    if db.scalar(locked.execution_options(populate_existing=True)) is None:
        raise projects.Gone(project.name)
    if project.organization_id != organization_id:
        raise _NotOpen(project)
    if project.status == ProjectStatus.QUARANTINED.value:
        raise Problem(f"{project.name} is quarantined, and stays with its owners until that is over.")


def _check_right(db: Session, project: Project, user_id: int) -> None:
    """See once more that somebody may give the project away; the judge asked the same before the project was locked."""
    role, organization_role = projects.parts_of(db, project, user_id)
    if role is not Role.OWNER or (project.organization_id and organization_role is not OrganizationRole.OWNER):
        raise Problem(f"Whoever offers {project.name} may no longer give it away. Ask its owners.")


def _spend(db: Session, permit: Permit, transfer: Transfer, *, now: datetime) -> list[User]:
    """Use an open offer up, once, and take from whoever made it what they gave away; everybody who had a part."""
    project, giver = transfer.project, transfer.offered_by
    before = [keeper.user for keeper in keepers_of(db, project)]
    _record(db, permit, "accepted", transfer, now=now)
    _use_up(db, transfer, now=now)
    if not giver.is_active:
        raise Problem(f"Whoever offers {project.name} may no longer give it away. Ask its owners.")
    _check_right(db, project, giver.id)
    own = (ProjectRole.project_id == project.id) & (ProjectRole.user_id == giver.id)
    db.execute(delete(ProjectRole).where(own, ProjectRole.role == Role.OWNER.word))
    return before


def _use_up(db: Session, transfer: Transfer, *, now: datetime) -> None:
    project = transfer.project
    spent = db.scalar(
        delete(Transfer)
        .where(Transfer.id == transfer.id, Transfer.expires_at > now)
        .returning(Transfer.id)
        .execution_options(synchronize_session=False)
    )
    if spent is None:
        raise _NotOpen(project)
    db.expunge(transfer)


def _settle(
    db: Session,
    permit: Permit,
    notices: Notices,
    project: Project,
    before: list[User],
    named: dict[str, object],
    *,
    now: datetime,
) -> None:
    """End what hung on roles that are gone, and tell everybody who had a part in the project or has one now."""
    teams.forget_project(db, project)
    after = [keeper.user for keeper in keepers_of(db, project)]
    told = {user.id: user for user in [*before, *after]}.values()
    announce(db, permit, notices, "transfer-accepted", told, project=project, now=now, **named)


def _end(
    db: Session, permit: Permit, notices: Notices, transfer: Transfer, how: str, told: Iterable[User], *, now: datetime
) -> None:
    project, values = transfer.project, {**_named(transfer), "how": how}
    people = {user.id: user for user in told}.values()
    _record(db, permit, how, transfer, now=now)
    _use_up(db, transfer, now=now)
    announce(db, permit, notices, "transfer-ended", people, project=project, now=now, **values)


def _named(transfer: Transfer) -> dict[str, object]:
    """Who gets it, in the words of the mails."""
    return {"receiver": receiver_of(transfer), "organization": transfer.to_organization}


def _receivers(db: Session, transfer: Transfer) -> list[User]:
    """Who can answer: an address that may be somebody else's gets no mail at a stranger's wish."""
    if transfer.to_organization is not None:
        return organizations.owners_of(db, transfer.to_organization)
    user = transfer.to_user
    return [user] if user is not None and user.has_verified_email else []


def _person(db: Session, project: Project, name: str) -> User:
    name = name.strip()
    user = None
    if naming.looks_like_name(name):
        user = db.scalar(select(User).where(User.username_key == username_key(name), User.is_active))
    if user is None:
        raise Problem("There is nobody of that name on this index. Check the spelling.", field="receiver")
    own = select(ProjectRole.role).where(ProjectRole.project_id == project.id, ProjectRole.user_id == user.id)
    if db.scalar(own) == Role.OWNER.word:
        hint = "" if project.organization_id else " If you want to go, leave it to them on the page of its people."
        raise Problem(f"{user.username} is an owner of {project.name} already.{hint}", field="receiver")
    return user


def _organization(db: Session, project: Project, name: str) -> Organization:
    found = organizations.find(db, name.strip())
    if found is None:
        raise Problem("There is no organization of that name on this index. Check the spelling.", field="receiver")
    if found.id == project.organization_id:
        raise Problem(f"{project.name} belongs to {found.name} already.", field="receiver")
    return found


def _record(db: Session, permit: Permit, what: str, transfer: Transfer, *, now: datetime) -> None:
    """In the history of the project, of whom it concerns besides the doer, and of the organization that it comes to, or
    else belongs to."""
    project, actor_id = transfer.project, permit.account.user_id
    concerned = transfer.to_user_id if actor_id == transfer.offered_by_id else transfer.offered_by_id
    journal.record(
        db,
        f"project:transfer:{what}",
        now=now,
        origin=permit.principal.origin,
        actor_id=actor_id,
        user_id=concerned,
        project_id=project.id,
        organization_id=transfer.to_organization_id or project.organization_id,
        details={"project": project.name, "receiver": receiver_of(transfer)},
    )


def _record_leaving(db: Session, permit: Permit, project: Project, *, now: datetime) -> None:
    """For the history of the organization that loses a project to another one."""
    if project.organization is not None:
        journal.record(
            db,
            "organization:project:left",
            now=now,
            origin=permit.principal.origin,
            actor_id=permit.account.user_id,
            organization_id=project.organization_id,
            details={"project": project.name, "organization": project.organization.name},
        )
