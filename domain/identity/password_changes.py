"""How a password is replaced: by its owner, or through a link in a mail when it was forgotten."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from adapters.breaches import Breaches
from adapters.secretbox import SecretBox
from domain import addresses, journal
from domain.identity import account_names, accounts, browsers, ceremonies, emails, throttle
from domain.identity.ceremonies import Begun, Purpose
from domain.identity.passwords import PasswordHasher, check_new_password
from domain.identity.throttle import (
    PASSWORD_AFTER_KEY,
    PASSWORD_OF_ACCOUNT,
    PRESENCE,
    RESET_FROM_ADDRESS,
    RESET_MAIL,
    TooMany,
)
from domain.notices import Notices
from domain.policy.actions import Action
from domain.policy.decision import Permit
from domain.policy.principals import Origin
from domain.problems import Problem
from models import Email, User, begin_writing

CURRENT_FIELD = "password"
RESET_REQUESTED = "account:password:reset_requested"


class LinkOver(Problem):
    """The link of a mail does not work, or no longer."""

    def __init__(self) -> None:
        super().__init__(
            "This link does not work any more: it was used before, it is too old, you have signed in or changed the "
            "password since, or a part of it is missing. Ask for a new one."
        )


def change_password(
    db: Session,
    permit: Permit,
    hasher: PasswordHasher,
    breaches: Breaches,
    notices: Notices,
    *,
    current: str,
    new: str,
    now: datetime,
) -> None:
    """Replace the password of whoever is signed in. Other browsers are signed out, and all verified addresses told.

    Raises Problem at the field: the current password is wrong, the new one weak or leaked, or too many tries.
    """
    permit.covers(Action.CHANGE_PASSWORD)
    user = db.get_one(User, permit.member.account.user_id)
    user_id, kept_hash, about = user.id, user.password_hash, _guesses_about(user)
    begin_writing(db)  # judging a password takes its time; nobody else shall wait for our lock meanwhile
    check_new_password(new, about=about, breaches=breaches)
    throttle.take(db, (PRESENCE, str(user_id)), now=now)
    if not hasher.verify(kept_hash, current):
        origin = permit.principal.origin
        journal.refuse(db, "account:password:change_refused", now=now, origin=origin, actor_id=user_id)
        raise Problem("This is not your current password.", field=CURRENT_FIELD)
    new_hash = hasher.hash(new)
    user = db.get_one(User, user_id, with_for_update={"key_share": True})
    _replace(db, notices, user, new_hash, tag="account:password:changed", origin=permit.principal.origin, now=now)
    browsers.sign_out_others(db, user_id, kept=permit.member.session_id)


def request_reset(
    db: Session, box: SecretBox, notices: Notices, *, identifier: str, origin: Origin, now: datetime
) -> None:
    """Mail the link that sets a new password, if there is an account of that username or address.

    It goes to verified addresses only; an address that is not gets a mail that explains, without a link. The caller
    learns nothing: not by an answer, and hardly by the time, because a mail is written for nobody, too.
    Raises TooMany only for the network address, whoever was asked for.
    """
    throttle.take(db, (RESET_FROM_ADDRESS, origin.address), now=now)
    email = _addressee(db, identifier)
    user_id = email.user_id if email is not None else None
    try:
        throttle.take(db, (RESET_MAIL, str(user_id) if user_id else accounts.key_of_nobody(identifier)), now=now)
    except TooMany:
        details = {"sent": "nothing, for it was asked too often"}
        journal.refuse(db, RESET_REQUESTED, now=now, origin=origin, actor_id=None, user_id=user_id, details=details)
        return
    attempt = db.begin_nested()
    _mail_reset(db, box, notices, email, origin=origin, now=now)
    if email is None:
        attempt.rollback()


def account_of_link(db: Session, box: SecretBox, token: str, *, now: datetime) -> User:
    """Whose password a link would set. Raises LinkOver."""
    return _open(db, box, token, now=now)[1]


def reset_password(
    db: Session,
    hasher: PasswordHasher,
    breaches: Breaches,
    box: SecretBox,
    notices: Notices,
    *,
    token: str,
    new: str,
    origin: Origin,
    now: datetime,
) -> User:
    """Set a new password through a link, which is spent, with all other such links of the account.

    Nobody is signed in by it, and every browser is signed out. Second factors stay as they are: whoever holds the
    mailbox alone still cannot come in. Raises LinkOver, or Problem at the field for a weak or leaked password.
    """
    user = account_of_link(db, box, token, now=now)
    about = _guesses_about(user)
    begin_writing(db)
    check_new_password(new, about=about, breaches=breaches)
    new_hash = hasher.hash(new)
    begun, user = _open(db, box, token, now=now)
    db.refresh(user, with_for_update={"key_share": True})  # two links used at once wait for each other here
    if not ceremonies.spend(db, begun, now=now):
        raise LinkOver
    ceremonies.abandon(db, Purpose.SET_UP_ADMIN, user_id=user.id)
    _replace(db, notices, user, new_hash, tag="account:password:reset", origin=origin, now=now)
    browsers.sign_out_others(db, user.id, kept=None)
    return user


def _replace(
    db: Session, notices: Notices, user: User, new_hash: str, *, tag: str, origin: Origin, now: datetime
) -> None:
    user.password_hash, user.password_changed_at = new_hash, now
    for budget in (PASSWORD_OF_ACCOUNT, PASSWORD_AFTER_KEY, PRESENCE):
        throttle.clear(db, budget, str(user.id))
    journal.record(db, tag, now=now, origin=origin, actor_id=user.id)
    notices.tell(db, user, "password-changed", now=now, origin=origin)


def _open(db: Session, box: SecretBox, token: str, *, now: datetime) -> tuple[Begun, User]:
    for purpose in (Purpose.RESET_PASSWORD, Purpose.SET_UP_ADMIN):
        begun = ceremonies.look_up(db, box, purpose, token, now=now)
        user = db.get(User, begun.user_id) if begun else None
        if begun is not None and user is not None and user.is_active:
            return begun, user
    raise LinkOver


def _addressee(db: Session, identifier: str) -> Email | None:
    """The address that was typed, or that of the account whose username was; None where there is nobody to write to."""
    try:
        key = addresses.parse(identifier, field=emails.FIELD).key
    except Problem:
        user = accounts.find(db, identifier)
        found = next(iter(sorted(user.emails, key=_worth)), None) if user else None
    else:
        typed = select(Email).where(Email.address_key == key).order_by(Email.verified_at.is_(None), Email.id)
        found = db.scalar(typed.limit(1))
    return found if found is not None and found.user.is_active else None


def _worth(email: Email) -> tuple[bool, bool]:
    """Verified addresses come first, and among them the primary one."""
    return email.verified_at is None, not email.is_primary


def _mail_reset(
    db: Session, box: SecretBox, notices: Notices, email: Email | None, *, origin: Origin, now: datetime
) -> None:
    """The link, or to an unverified address why there is none; for nobody the same work, which is undone."""
    to, user_id, username = (email.address, email.user_id, email.user.username) if email else ("nobody", None, "nobody")
    is_verified = email is None or email.verified_at is not None
    if is_verified:
        token = ceremonies.begin(db, box, Purpose.RESET_PASSWORD, now=now, payload={}, user_id=user_id)
        notices.send(
            db, "password-reset", to=to, user_id=user_id, now=now, username=username, token=token, origin=origin
        )
    else:
        notices.send(db, "password-reset-unverified", to=to, user_id=user_id, now=now, origin=origin)
    details = {"sent": "a link" if is_verified else "why there is none"}
    journal.record(db, RESET_REQUESTED, now=now, origin=origin, actor_id=None, user_id=user_id, details=details)


def _guesses_about(user: User) -> list[str]:
    return account_names.guesses_about(user.username, user.full_name, [email.address for email in user.emails])
