"""Invitations to a project or an organization: whom they are to, and how they come and end."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Select, delete, or_, select
from sqlalchemy.orm import Session, joinedload

from domain import addresses, journal
from domain.index import keepers
from domain.notices import Notices
from domain.policy.decision import Permit
from domain.policy.principals import Origin
from domain.policy.targets import Target
from domain.problems import Problem
from models import Email, Invitation, Organization, Project, User

INVITATION_LASTS = timedelta(days=7)

Place = Project | Organization


@dataclass(frozen=True)
class Guest:
    """Whom an invitation is to: an account, or an address, which nobody here need have."""

    user: User | None
    address: str | None

    @property
    def name(self) -> str:
        """The username or the address."""
        return self.user.username if self.user is not None else self.address or ""


def find(db: Session, invitation_id: int, *, user_id: int) -> Invitation | None:
    """The invitation of this number if it is this account's to answer, open or not; else None."""
    return db.scalar(select(Invitation).where(Invitation.id == invitation_id, _is_to(user_id)))


def target_of(invitation: Invitation, user_id: int) -> Target:
    """An invitation as the target of an answer. user_id: whose it is to answer, as `find` knows."""
    organization = invitation.organization or (invitation.project.organization if invitation.project else None)
    return Target(
        invitation,
        name_of(invitation),
        owner_id=user_id,
        asks_for_key=organization.name if organization is not None and organization.asks_for_key else None,
    )


def name_of(invitation: Invitation) -> str:
    """What it invites to, by name."""
    place = invitation.project or invitation.organization
    assert place is not None  # noqa: S101 - the table has a constraint
    return place.name


def guest_of(invitation: Invitation) -> Guest:
    """Whom an invitation is to."""
    return Guest(invitation.user, invitation.address)


def open_at(now: datetime) -> Select[Invitation]:
    """Invitations that can still be answered, oldest first."""
    return select(Invitation).where(Invitation.expires_at > now).order_by(Invitation.id)


def of_place(db: Session, place: Place, *, now: datetime) -> list[Invitation]:
    """The open invitations to a project or an organization, oldest first, each with whom it is to and who sent it."""
    sent = open_at(now).where(_is_of(place))
    return list(db.scalars(sent.options(joinedload(Invitation.user), joinedload(Invitation.invited_by))))


def to_user(db: Session, user_id: int, *, now: datetime) -> list[Invitation]:
    """Somebody's open invitations, oldest first, those to proved addresses of theirs included."""
    return list(db.scalars(open_at(now).where(_is_to(user_id))))


def read_guest(db: Session, typed: str, *, field: str) -> Guest:
    """Whom somebody means by a username or an email address. Raises Problem at the field: nobody of that name, which
    the public user pages tell, too; whether anybody has an address is told to nobody."""
    typed = typed.strip()
    if "@" not in typed:
        return Guest(keepers.find_person(db, typed, field=field), None)
    return Guest(None, addresses.parse(typed, field=field).text)


def add(db: Session, permit: Permit, place: Place, guest: Guest, *, role: str, field: str, now: datetime) -> Invitation:
    """Write an invitation for seven days. Raises Problem at the field if one is open already. The caller holds the
    place's lock."""
    db.execute(delete(Invitation).where(_is_of(place), Invitation.expires_at <= now))
    if find_to(db, place, guest.name, now=now) is not None:
        raise Problem(f"{guest.name} is invited already and has not answered yet.", field=field)
    invitation = Invitation(
        user=guest.user,
        address=guest.address,
        address_key=guest.address.lower() if guest.address else None,
        role=role,
        invited_by_id=permit.account.user_id,
        created_at=now,
        expires_at=now + INVITATION_LASTS,
    )
    if isinstance(place, Project):
        invitation.project = place
    else:
        invitation.organization = place
    db.add(invitation)
    db.flush()
    return invitation


def find_to(db: Session, place: Place, name: str, *, now: datetime) -> Invitation | None:
    """The place's open invitation to this username or address; None if there is none."""
    name = name.strip().lower()
    if not name.isprintable():  # PostgreSQL takes no NUL, not even to look for
        return None
    user_id = select(User.id).where(User.username_key == name).scalar_subquery()
    is_to = or_(Invitation.user_id == user_id, Invitation.address_key == name)
    return db.scalar(open_at(now).where(_is_of(place), is_to))


def tell_guest(
    db: Session, permit: Permit, notices: Notices, notice: str, invitation: Invitation, *, now: datetime
) -> None:
    """Mail whoever is invited, with what the permit's holder did; not to an address that may be somebody else's.

    The templates know the place as `project` or `organization`, the other one being None.
    """
    facts: dict[str, object] = {
        "project": invitation.project,
        "organization": invitation.organization,
        "role": invitation.role,
        "until": invitation.expires_at,
        "by": permit.account.username,
    }
    if invitation.address is not None:
        notices.send(db, notice, to=invitation.address, user_id=None, now=now, **facts)
    elif invitation.user is not None and invitation.user.has_verified_email:
        notices.tell(db, invitation.user, notice, now=now, **facts)


def record_decline(
    db: Session, permit: Permit, invitation: Invitation, event: str, *, now: datetime, **details: object
) -> None:
    """Write that an invitation was turned down. Whose an address is stays unsaid in the history of the place: there the
    event has nobody, and the person's own history has one of its own."""
    origin, actor_id = permit.principal.origin, permit.account.user_id
    place = {"project_id": invitation.project_id, "organization_id": invitation.organization_id}
    facts = {"guest": guest_of(invitation).name, **details}
    if invitation.address is None:
        journal.record(db, event, now=now, origin=origin, actor_id=actor_id, details=facts, **place)
        return
    journal.record(db, event, now=now, origin=Origin(), actor_id=None, details=facts, **place)
    journal.record(db, event, now=now, origin=origin, actor_id=actor_id, details=facts)


def spend(db: Session, invitation: Invitation, *, now: datetime) -> None:
    """Use an open invitation up, once. Raises Problem if it is not open any more."""
    name = name_of(invitation)
    spent = db.scalar(
        delete(Invitation)
        .where(Invitation.id == invitation.id, Invitation.expires_at > now)
        .returning(Invitation.id)
        .execution_options(synchronize_session=False)
    )
    if spent is None:
        raise Problem(f"The invitation to {name} is not open any more. Ask its owners for a new one.")
    db.expunge(invitation)


def check_host(host: User, place: Place, *, is_owner: bool) -> None:
    """Raise Problem if whoever has invited may not let anybody in any more."""
    if not (host.is_active and is_owner):
        raise Problem(f"{host.username} may no longer invite to {place.name}. Ask its owners for a new invitation.")


def drop_others(db: Session, place: Place, user_id: int) -> None:
    """End what else invites somebody to a place where they have just come in."""
    db.execute(delete(Invitation).where(_is_of(place), _is_to(user_id)).execution_options(synchronize_session=False))


def sweep(db: Session, *, now: datetime) -> None:
    """Remove invitations that were not answered in time."""
    db.execute(delete(Invitation).where(Invitation.expires_at <= now))


def _is_to(user_id: int) -> ColumnElement[bool]:
    proved = select(Email.address_key).where(Email.user_id == user_id, Email.verified_at.is_not(None))
    return or_(Invitation.user_id == user_id, Invitation.address_key.in_(proved))


def _is_of(place: Place) -> ColumnElement[bool]:
    return Invitation.project_id == place.id if isinstance(place, Project) else Invitation.organization_id == place.id
