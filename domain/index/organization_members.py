"""Who belongs to an organization, and how people come and go."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, delete, select, true
from sqlalchemy.orm import Session, contains_eager, joinedload

from domain import journal, naming
from domain.index import invitations, organizations, parting, teams
from domain.index.announcements import announce_in
from domain.notices import Notices
from domain.policy.actions import Action
from domain.policy.decision import Permit
from domain.policy.targets import OrganizationRole
from domain.problems import Problem
from models import Invitation, Organization, OrganizationMember, PendingPublisher, Project, User
from models.user import username_key

PAGE = 50
MAX_ADDRESS = 254


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


def invitations_of(db: Session, organization: Organization, *, now: datetime) -> list[Invitation]:
    """The organization's open invitations, oldest first, each with whom it is to and who sent it."""
    sent = invitations.open_at(now).where(Invitation.organization_id == organization.id)
    return list(db.scalars(sent.options(joinedload(Invitation.user), joinedload(Invitation.invited_by))))


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

    guest: a username, or an address: then whoever has proved that it is theirs may answer, and nobody learns here
    whether anybody has. Raises Problem: nobody of that name, in already, invited already. The caller counts the try in
    `throttle.INVITE`.
    """
    permit.covers(Action.INVITE_MEMBER, organization)
    lock(db, permit, organization, OrganizationRole.OWNER)
    here = Invitation.organization_id == organization.id
    db.execute(delete(Invitation).where(here, Invitation.expires_at <= now))
    typed = guest.strip()
    address = typed if "@" in typed else None
    user = _guest(db, organization, typed) if address is None else None
    _check_address(address)
    is_theirs = Invitation.address_key == address.lower() if address else Invitation.user_id == (user.id if user else 0)
    if db.scalar(select(Invitation.id).where(here, is_theirs)) is not None:
        raise Problem(f"{typed} is invited already and has not answered yet.", field="guest")
    invitation = Invitation(
        organization=organization,
        user=user,
        address=address,
        address_key=address.lower() if address else None,
        role=role.word,
        invited_by_id=permit.account.user_id,
        created_at=now,
        expires_at=now + invitations.INVITATION_LASTS,
    )
    db.add(invitation)
    db.flush()
    told: dict[str, object] = {"guest": user.username if user else address, "role": role.word}
    record(db, permit, "organization:invitation:sent", organization, user, told, now=now)
    _send_invitation(db, permit, notices, invitation, now=now)
    return invitation


def revoke(db: Session, permit: Permit, organization: Organization, *, invitation_id: int, now: datetime) -> str:
    """Take an open invitation back; to whom it was. Raises Problem if there is none of that number."""
    permit.covers(Action.REVOKE_MEMBER_INVITATION, organization)
    lock(db, permit, organization, OrganizationRole.OWNER)
    open_ones = invitations.open_at(now).where(Invitation.organization_id == organization.id)
    invitation = db.scalar(open_ones.where(Invitation.id == invitation_id))
    if invitation is None:
        raise Problem("This invitation is not open any more: it was answered, revoked, or has expired.")
    user, guest = invitation.user, invitation.user.username if invitation.user else invitation.address or ""
    db.delete(invitation)
    db.flush()
    record(db, permit, "organization:invitation:revoked", organization, user, {"guest": guest}, now=now)
    return guest


def accept(db: Session, permit: Permit, notices: Notices, invitation: Invitation, *, now: datetime) -> Organization:
    """Take the part that was offered, and return the organization. Its owners and the person are told.

    Raises Problem if the offer is not open any more, or if one belongs to the organization already.
    """
    permit.covers(Action.ACCEPT_INVITATION, invitation)
    organization, role = _answer(db, invitation, now=now)
    user, owners = db.get_one(User, permit.account.user_id), owners_of(db, organization)
    if organizations.role_of(db, organization, user.id) is not None:
        raise Problem(f"You belong to {organization.name} already.")
    db.add(OrganizationMember(organization=organization, user=user, role=role, since=now))
    db.flush()
    record(db, permit, "organization:member:added", organization, user, {"role": role}, now=now)
    values = {"person": user.username, "role": role}
    people = [*owners, user]
    announce_in(db, permit, notices, "member-added", people, organization=organization, now=now, **values)
    return organization


def decline(db: Session, permit: Permit, invitation: Invitation, *, now: datetime) -> None:
    """Turn the offer down. Raises Problem if it is not open any more."""
    permit.covers(Action.DECLINE_INVITATION, invitation)
    organization, _ = _answer(db, invitation, now=now)
    user = db.get_one(User, permit.account.user_id)
    record(db, permit, "organization:invitation:declined", organization, user, {}, now=now)


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
    there = select(Organization).where(Organization.id == organization.id).with_for_update()
    if db.scalar(there.execution_options(populate_existing=True)) is None:
        raise Problem("This organization is gone: somebody deleted it.")
    held = organizations.role_of(db, organization, permit.account.user_id)
    if held is None or held < least:
        raise Problem(f"You are no longer {with_article(least.word)} of {organization.name}.")


def with_article(role: str) -> str:
    """A role as a sentence has it: "an owner", "a manager"."""
    return f"an {role}" if role.startswith("o") else f"a {role}"


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


def _guest(db: Session, organization: Organization, name: str) -> User:
    user = None
    if naming.looks_like_name(name):
        user = db.scalar(select(User).where(User.username_key == username_key(name), User.is_active))
    if user is None:
        raise Problem("There is nobody of that name on this index. Check the spelling.", field="guest")
    if organizations.role_of(db, organization, user.id) is not None:
        raise Problem(f"{user.username} belongs to {organization.name} already.", field="guest")
    return user


def _check_address(address: str | None) -> None:
    if address is None:
        return
    left, _, right = address.partition("@")
    fits = len(address) <= MAX_ADDRESS and address.isprintable() and " " not in address and "@" not in right
    if not (fits and left and "." in right.strip(".")):
        raise Problem("This is neither a username nor an email address.", field="guest")


def _send_invitation(db: Session, permit: Permit, notices: Notices, invitation: Invitation, *, now: datetime) -> None:
    """By mail to the address that was invited, or to whom it is to: not to an address that may be somebody else's."""
    facts: dict[str, object] = {
        "organization": invitation.organization,
        "role": invitation.role,
        "until": invitation.expires_at,
    }
    facts["by"] = permit.account.username
    if invitation.address is not None:
        notices.send(db, "organization-invitation", to=invitation.address, user_id=None, now=now, **facts)
    elif invitation.user is not None and invitation.user.has_verified_email:
        notices.tell(db, invitation.user, "organization-invitation", now=now, **facts)


def _answer(db: Session, invitation: Invitation, *, now: datetime) -> tuple[Organization, str]:
    """Spend an open invitation to an organization, once; what it was for, and which part it offers."""
    organization, role = invitation.organization, invitation.role
    assert organization is not None  # noqa: S101 - one to a project is answered elsewhere
    db.execute(select(Organization.id).where(Organization.id == organization.id).with_for_update())
    invitations.spend(db, invitation, now=now)
    return organization, role


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
