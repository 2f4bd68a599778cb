"""Projects that are offered to a person or an organization, who take them (`takeovers`) or not.

Locks are taken in the order organizations, project, the receiver's account, offer.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy import Select, delete, select
from sqlalchemy.orm import Session

from domain import journal
from domain.index import organizations, projects
from domain.index.announcements import announce
from domain.index.keepers import find_person, owners_of
from domain.index.names import is_typed
from domain.notices import Notices
from domain.policy.actions import Action
from domain.policy.decision import Permit
from domain.policy.targets import Role, Target
from domain.problems import Problem
from models import Organization, Project, ProjectRole, Transfer, User

LASTS = timedelta(days=7)


class NotOpen(Problem):
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
    Raises Problem at the field: nobody of that name, an owner already, another name typed; and where an offer is open,
    the role was lost, or the project is gone.
    The caller counts the try in `throttle.OFFER`.
    """
    permit.covers(Action.TRANSFER_PROJECT, project)
    if not is_typed(confirmation, project.normalized_name):
        raise Problem(f"That is not the name of the project. Type {project.name} to hand it over.", field="confirm")
    lock_organizations(db, project.organization_id)
    projects.lock(db, permit, project)
    db.execute(delete(Transfer).where(Transfer.project_id == project.id, Transfer.expires_at <= now))
    if (other := of_project(db, project, now=now)) is not None:
        raise Problem(f"{project.name} is offered to {receiver_of(other)} already. Withdraw that first.")
    transfer = Transfer(project=project, offered_by_id=permit.account.user_id, created_at=now, expires_at=now + LASTS)
    if is_organization:
        transfer.to_organization = _organization(db, project, receiver)
    else:
        transfer.to_user = _person(db, permit, project, receiver)
    db.add(transfer)
    db.flush()
    record(db, permit, "offered", transfer, now=now)
    values = {**named(transfer), "until": transfer.expires_at}
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
        raise NotOpen(project)
    told = [*owners_of(db, project), *_receivers(db, transfer)]
    _end(db, permit, notices, transfer, "withdrawn", told, now=now)


def decline(db: Session, permit: Permit, notices: Notices, transfer: Transfer, *, now: datetime) -> None:
    """Turn down a project that was offered to oneself. Its owners are told. Raises Problem if it is no longer open."""
    permit.covers(Action.DECLINE_TRANSFER, transfer)
    _end(db, permit, notices, transfer, "declined", owners_of(db, transfer.project), now=now)


def decline_into(db: Session, permit: Permit, notices: Notices, transfer: Transfer, *, now: datetime) -> None:
    """Turn down a project that was offered to an organization, in its name."""
    permit.covers(Action.DECLINE_PROJECT, transfer)
    told = [*owners_of(db, transfer.project), *_receivers(db, transfer)]
    _end(db, permit, notices, transfer, "declined", told, now=now)


def decline_all_into(
    db: Session, permit: Permit, notices: Notices, organization: Organization, *, now: datetime
) -> None:
    """Turn down whatever is offered to an organization that is deleted. The projects' owners are told."""
    permit.covers(Action.DELETE_ORGANIZATION, organization)
    for transfer in to_organization(db, organization, now=now):
        _end(db, permit, notices, transfer, "declined", owners_of(db, transfer.project), now=now)


def end_with(db: Session, permit: Permit, notices: Notices, project: Project, *, now: datetime) -> None:
    """End the project's open offer, if there is one, because what the permit's holder does leaves nothing to take:
    the project goes, or whoever offered it owns it no longer. Whoever could have taken it is told."""
    transfer = of_project(db, project, now=now)
    if transfer is not None:
        _end(db, permit, notices, transfer, "void", _receivers(db, transfer), now=now)


def sweep(db: Session, *, now: datetime) -> None:
    """Remove offers that were not answered in time."""
    db.execute(delete(Transfer).where(Transfer.expires_at <= now))


def _open(now: datetime) -> Select[Transfer]:
    return select(Transfer).where(Transfer.expires_at > now).order_by(Transfer.id)


def lock_organizations(db: Session, *organization_ids: int | None) -> None:
    """Lock them all at once and in one order: two projects that change places must not wait for each other."""
    ids = [one for one in organization_ids if one is not None]
    if ids:
        there = select(Organization.id).where(Organization.id.in_(ids)).order_by(Organization.id)
        db.execute(there.with_for_update(key_share=True))


def use_up(db: Session, transfer: Transfer, *, now: datetime) -> None:
    project = transfer.project
    spent = db.scalar(
        delete(Transfer)
        .where(Transfer.id == transfer.id, Transfer.expires_at > now)
        .returning(Transfer.id)
        .execution_options(synchronize_session=False)
    )
    if spent is None:
        raise NotOpen(project)
    db.expunge(transfer)


def _end(
    db: Session, permit: Permit, notices: Notices, transfer: Transfer, how: str, told: Iterable[User], *, now: datetime
) -> None:
    project, values = transfer.project, {**named(transfer), "how": how}
    people = {user.id: user for user in told}.values()
    record(db, permit, how, transfer, now=now)
    use_up(db, transfer, now=now)
    announce(db, permit, notices, "transfer-ended", people, project=project, now=now, **values)


def named(transfer: Transfer) -> dict[str, object]:
    """Who gets it, in the words of the mails."""
    return {"receiver": receiver_of(transfer), "organization": transfer.to_organization}


def _receivers(db: Session, transfer: Transfer) -> list[User]:
    """Who can answer: an address that may be somebody else's gets no mail at a stranger's wish."""
    if transfer.to_organization is not None:
        return organizations.owners_of(db, transfer.to_organization)
    user = transfer.to_user
    return [user] if user is not None and user.has_verified_email else []


def _person(db: Session, permit: Permit, project: Project, name: str) -> User:
    user = find_person(db, name, field="receiver")
    if user.id == permit.account.user_id and project.organization is None:
        raise Problem(f"{project.name} is yours already. Name somebody else.", field="receiver")
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


def record(db: Session, permit: Permit, what: str, transfer: Transfer, *, now: datetime) -> None:
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
