"""Who belongs to an organization, and how people come and go."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, delete, select, true
from sqlalchemy.orm import Session, contains_eager

from domain import journal
from domain.index import invitations, keepers, organizations, parting, teams
from domain.index.announcements import announce_in
from domain.notices import Notices
from domain.policy.actions import Action
from domain.policy.decision import Permit
from domain.policy.targets import OrganizationRole, with_article
from domain.problems import Problem
from models import Invitation, Organization, OrganizationMember, PendingPublisher, Project, User
from models.user import username_key

PAGE = 50


@dataclass(frozen=True)
class Leaf:
    """One page of an organization's people. next: what `after` the next page begins; None where this is the last."""

    members: list[OrganizationMember]
    next: str | None


def leaf(db: Session, organization: Organization, *, after: str = "", most: int = PAGE) -> Leaf:
    """The people of an organization by name: those behind the key `after`."""
    behind = User.username_key > after if after.isascii() and after.isprintable() else true()
    parts = _parts(organization).where(behind).order_by(User.username_key)
    rows = list(db.scalars(parts.limit(most + 1)))
    return Leaf(rows[:most], next=rows[most - 1].user.username_key if len(rows) > most else None)


def part_of(db: Session, organization: Organization, username: str) -> OrganizationMember | None:
    """The part of whoever has this name; None for none."""
    name = username.strip()
    if not (name.isascii() and name.isprintable()):  # nobody has such a name, and PostgreSQL takes no NUL
        return None
    return db.scalar(_parts(organization).where(User.username_key == username_key(name)))


def owners_of(db: Session, organization: Organization) -> list[User]:
    """The owners who can act, by name: a frozen account looks after nothing."""
    is_owner = OrganizationMember.role == OrganizationRole.OWNER.word
    owners = _parts(organization).where(is_owner, User.is_active).order_by(User.username_key)
    return [part.user for part in db.scalars(owners)]


def everybody_in(db: Session, organization: Organization) -> list[User]:
    """All who belong to the organization and can act, by name."""
    active = _parts(organization).where(User.is_active).order_by(User.username_key)
    return [part.user for part in db.scalars(active)]


def invite(
    db: Session,
    permit: Permit,
    notices: Notices,
    organization: Organization,
    *,
    guest: str,
    role: OrganizationRole,
    now: datetime,
) -> Invitation:
    """Offer somebody a part in the organization, for seven days. It gives them nothing until they accept.

    guest: a username, or an address: then whoever has proved that it is theirs may answer. Raises Problem at the field
    `guest`: nobody of that name, in already, invited already. The caller counts the try in `throttle.INVITE`.
    """
    permit.covers(Action.INVITE_MEMBER, organization)
    lock(db, permit, organization, OrganizationRole.OWNER)
    who = invitations.read_guest(db, guest, field="guest")
    if who.user is not None and organizations.role_of(db, organization, who.user.id) is not None:
        raise Problem(f"{who.name} belongs to {organization.name} already.", field="guest")
    invitation = invitations.add(db, permit, organization, who, role=role.word, field="guest", now=now)
    told: dict[str, object] = {"guest": who.name, "role": role.word}
    record(db, permit, "organization:invitation:sent", organization, who.user, told, now=now)
    invitations.tell_guest(db, permit, notices, "organization-invitation", invitation, now=now)
    return invitation


def revoke(
    db: Session, permit: Permit, notices: Notices, organization: Organization, *, guest: str, now: datetime
) -> None:
    """Take an open invitation back; whoever was invited is told. guest: the username or address.

    Raises Problem if there is none.
    """
    permit.covers(Action.REVOKE_MEMBER_INVITATION, organization)
    lock(db, permit, organization, OrganizationRole.OWNER)
    invitation = invitations.find_to(db, organization, guest, now=now)
    if invitation is None:
        raise Problem("This invitation is not open any more: it was answered, revoked, or has expired.")
    who = invitations.guest_of(invitation)
    record(db, permit, "organization:invitation:revoked", organization, who.user, {"guest": who.name}, now=now)
    invitations.tell_guest(db, permit, notices, "invitation-revoked", invitation, now=now)
    invitations.spend(db, invitation, now=now)


def accept(db: Session, permit: Permit, notices: Notices, invitation: Invitation, *, now: datetime) -> Organization:
    """Take the part that was offered, and return the organization. Its owners and the person are told.

    Raises Problem: the offer is not open any more, whoever made it is no owner any more, or one belongs to it already.
    """
    permit.covers(Action.ACCEPT_INVITATION, invitation)
    organization, role, host_id = _organization_of(invitation), invitation.role, invitation.invited_by_id
    db.execute(select(Organization.id).where(Organization.id == organization.id).with_for_update(key_share=True))
    user = keepers.hold(db, permit.account.user_id)
    invitations.spend(db, invitation, now=now)
    is_owner = organizations.role_of(db, organization, host_id) is OrganizationRole.OWNER
    invitations.check_host(db.get_one(User, host_id), organization, is_owner=is_owner)
    if organizations.role_of(db, organization, user.id) is not None:
        raise Problem(f"You belong to {organization.name} already.")
    invitations.drop_others(db, organization, user.id)
    owners = owners_of(db, organization)
    db.add(OrganizationMember(organization=organization, user=user, role=role, since=now))
    db.flush()
    record(db, permit, "organization:member:added", organization, user, {"role": role}, now=now)
    values = {"person": user.username, "role": role}
    people = [*owners, user]
    announce_in(db, permit, notices, "member-added", people, organization=organization, now=now, **values)
    return organization


def decline(db: Session, permit: Permit, notices: Notices, invitation: Invitation, *, now: datetime) -> None:
    """Turn the offer down; whoever made it is told. Raises Problem if it is not open any more."""
    permit.covers(Action.DECLINE_INVITATION, invitation)
    organization, host = _organization_of(invitation), invitation.invited_by
    guest, event = invitations.guest_of(invitation).name, "organization:invitation:declined"
    invitations.record_decline(db, permit, invitation, event, now=now, organization=organization.name)
    invitations.spend(db, invitation, now=now)
    facts = {"project": None, "organization": organization, "guest": guest}
    notices.tell(db, host, "invitation-declined", now=now, **facts)


def change_role(
    db: Session,
    permit: Permit,
    notices: Notices,
    organization: Organization,
    *,
    username: str,
    role: OrganizationRole,
    now: datetime,
) -> None:
    """Make somebody an owner, a manager or a member. They and the owners are told.

    Raises Problem: nobody of that name there, that role already, the last owner, or a frozen account that would own.
    """
    permit.covers(Action.CHANGE_MEMBER_ROLE, organization)
    lock(db, permit, organization, OrganizationRole.OWNER)
    part = _part(db, organization, username)
    user, was = part.user, part.role
    if was == role.word:
        raise Problem(f"{user.username} is {with_article(role.word)} already.", field="role")
    if role is OrganizationRole.OWNER and not user.is_active:
        raise Problem(f"{user.username} is frozen, and cannot own an organization.", field="role")
    owners = owners_of(db, organization)
    if was == OrganizationRole.OWNER.word:
        _check_not_last(organization, user, owners)
    part.role = role.word
    db.flush()
    if role is not OrganizationRole.OWNER:
        _end_offers(db, organization, user)
        owned = select(Project.id).where(Project.organization_id == organization.id)
        parting.drop_lost(db, owned, select(User.id).where(User.id == user.id))
    record(db, permit, "organization:member:role_changed", organization, user, {"role": role.word, "was": was}, now=now)
    people = {one.id: one for one in (*owners, user)}.values()
    values = {"person": user.username, "role": role.word, "was": was}
    announce_in(db, permit, notices, "member-role-changed", people, organization=organization, now=now, **values)


def remove(
    db: Session, permit: Permit, notices: Notices, organization: Organization, *, username: str, now: datetime
) -> None:
    """Take somebody's part in the organization away, with all that hung on it. Raises Problem if they have none, or
    are its last owner."""
    permit.covers(Action.REMOVE_MEMBER, organization)
    lock(db, permit, organization, OrganizationRole.OWNER)
    _end_part(db, permit, notices, organization, username, now=now)


def leave(db: Session, permit: Permit, notices: Notices, organization: Organization, *, now: datetime) -> None:
    """Give one's own part in the organization up. Raises Problem if one is its last owner."""
    permit.covers(Action.LEAVE_ORGANIZATION, organization)
    lock(db, permit, organization, OrganizationRole.MEMBER)
    _end_part(db, permit, notices, organization, permit.account.username, now=now)


def lock(db: Session, permit: Permit, organization: Organization, least: OrganizationRole) -> None:
    """Have all changes to an organization wait for each other, and look again whether the permit's holder has the
    role that it was given for: two owners who remove one another must not both. Raises Problem if it is gone."""
    there = select(Organization).where(Organization.id == organization.id).with_for_update(key_share=True)
    if db.scalar(there.execution_options(populate_existing=True)) is None:
        raise Problem("This organization is gone: somebody deleted it.")
    held = organizations.role_of(db, organization, permit.account.user_id)
    if held is None or held < least:
        raise Problem(f"You are no longer {with_article(least.word)} of {organization.name}.")


def record(
    db: Session,
    permit: Permit,
    event: str,
    organization: Organization,
    user: User | None,
    details: dict[str, object],
    *,
    now: datetime,
) -> None:
    """Write an event about an organization. user: whom it concerns; None for whoever did it."""
    journal.record(
        db,
        event,
        now=now,
        origin=permit.principal.origin,
        actor_id=permit.account.user_id,
        user_id=user.id if user is not None else None,
        organization_id=organization.id,
        details={"organization": organization.name, **details},
    )


def _organization_of(invitation: Invitation) -> Organization:
    assert invitation.organization is not None  # noqa: S101 - one to a project is answered elsewhere
    return invitation.organization


def _parts(organization: Organization) -> Select[OrganizationMember]:
    parts = select(OrganizationMember).join(OrganizationMember.user).options(contains_eager(OrganizationMember.user))
    return parts.where(OrganizationMember.organization_id == organization.id)


def _part(db: Session, organization: Organization, username: str) -> OrganizationMember:
    part = part_of(db, organization, username)
    if part is None:
        raise Problem(f"Nobody of that name belongs to {organization.name}.", field="username")
    return part


def _end_offers(db: Session, organization: Organization, user: User) -> None:
    """Nobody comes in at the word of somebody who owns no longer, and no identity that they trusted makes a project."""
    sent = (Invitation.invited_by_id == user.id) & (Invitation.organization_id == organization.id)
    db.execute(delete(Invitation).where(sent))
    waiting = (PendingPublisher.user_id == user.id) & (PendingPublisher.organization_id == organization.id)
    db.execute(delete(PendingPublisher).where(waiting))


def _check_not_last(organization: Organization, user: User, owners: list[User]) -> None:
    if owners == [user]:
        raise Problem(
            f"{organization.name} needs an owner, and {user.username} is the only one."
            " Make somebody else an owner first."
        )


def _end_part(
    db: Session, permit: Permit, notices: Notices, organization: Organization, username: str, *, now: datetime
) -> None:
    part = _part(db, organization, username)
    user, role, owners = part.user, part.role, owners_of(db, organization)
    _check_not_last(organization, user, owners)
    db.delete(part)
    _end_offers(db, organization, user)
    teams.forget_member(db, organization, user)
    record(db, permit, "organization:member:removed", organization, user, {"role": role}, now=now)
    others, person = [owner for owner in owners if owner.id != user.id], user.username
    announce_in(db, permit, notices, "member-removed", others, organization=organization, now=now, person=person)
    announce_in(db, permit, notices, "removed-from-organization", [user], organization=organization, now=now)
