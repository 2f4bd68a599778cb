"""Accounts: signing up, and finding out whether somebody who signs in is who they say."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from adapters.breaches import Breaches
from adapters.secretbox import SecretBox
from domain import addresses, journal
from domain.addresses import Address
from domain.identity import account_names, ceremonies, emails, guesses, throttle
from domain.identity.account_deletion import is_retired
from domain.identity.ceremonies import Purpose
from domain.identity.passwords import PasswordHasher, check_new_password
from domain.identity.throttle import (
    PASSWORD_AFTER_KEY,
    PASSWORD_FROM_ADDRESS,
    PASSWORD_OF_ACCOUNT,
    REGISTER,
    Budget,
    TooMany,
)
from domain.notices import Notices
from domain.policy.actions import Action
from domain.policy.decision import Permit
from domain.policy.principals import Origin
from domain.problems import Problem
from models import Email, User, begin_writing
from models.user import username_key

NOT_SIGNED_IN = "account:sign_in:failed"
WRONG_PASSWORD = "wrong password"  # noqa: S105 - a reason in the journal


@dataclass(frozen=True)
class Registration:
    """What somebody who signs up wrote of themselves, unchecked."""

    username: str
    address: str
    password: str = field(repr=False)
    full_name: str = ""


class NotRegistered(Problem):
    """A registration at fault; `problems` has one refusal for each field."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__(" ".join(problem.message for problem in problems))
        self.problems = problems


class WrongCredentials(Problem):
    """No such account, or not its password: which of them is never told."""

    def __init__(self) -> None:
        super().__init__("Username or password is wrong. Type both again, or set a new password.")


class AccountFrozen(Problem):
    """The password was right, but the account is frozen."""

    def __init__(self) -> None:
        super().__init__("This account is frozen. Ask an administrator of this index.")


def register(
    db: Session,
    hasher: PasswordHasher,
    breaches: Breaches,
    box: SecretBox,
    notices: Notices,
    registration: Registration,
    *,
    origin: Origin,
    now: datetime,
) -> User:
    """Make an account with an unverified address, and mail the link that verifies it.

    Raises NotRegistered with everything that is at fault, or TooMany. Usernames are public, and so a taken one is said
    to be taken; whether an address is taken is for the mail to tell.
    """
    begin_writing(db)  # judging a password takes its time; nobody else shall wait for our lock meanwhile
    _refuse_faults(db, breaches, registration)
    throttle.take(db, (REGISTER, origin.address), now=now)
    user = _add_account(
        db,
        username=registration.username,
        address=addresses.parse(registration.address, field=emails.FIELD),
        full_name=account_names.clean_full_name(registration.full_name),
        password_hash=hasher.hash(registration.password),
        now=now,
    )
    emails.send_verification(db, box, notices, user.emails[0], now=now)
    journal.record(db, "account:user:registered", now=now, origin=origin, actor_id=user.id)
    return user


def create_administrator(
    db: Session, permit: Permit, box: SecretBox, *, username: str, address: str, now: datetime
) -> str:
    """Make an administrator's account, without a password; returns the handle of the link that sets one.

    The address counts as verified: whoever has the shell could verify it anyway. Raises Problem.
    """
    permit.covers(Action.CREATE_ADMINISTRATOR)
    account_names.check_username(username)
    parsed = addresses.parse(address, field=emails.FIELD)
    if emails.holder_of(db, parsed.key) is not None:
        raise Problem(f"{parsed.text} belongs to another account.", field=emails.FIELD)
    user = _add_account(db, username=username, address=parsed, full_name="", password_hash=None, now=now)
    user.is_admin = True
    user.emails[0].verified_at = now
    journal.record(
        db,
        "operator:administrator:created",
        now=now,
        origin=permit.principal.origin,
        actor_id=None,
        user_id=user.id,
        details={"username": user.username},
    )
    return ceremonies.begin(db, box, Purpose.SET_UP_ADMIN, now=now, payload={}, user_id=user.id)


def find(db: Session, identifier: str) -> User | None:
    """The account behind a username or an email address: one who verified it, else the only one whose primary
    address it is."""
    identifier = identifier.strip()
    if account_names.looks_like_username(identifier):
        return db.scalar(select(User).where(User.username_key == username_key(identifier)))
    try:
        key = addresses.parse(identifier, field=emails.FIELD).key
    except Problem:
        return None
    holder = emails.holder_of(db, key)
    if holder is not None:
        return holder.user
    claims = db.scalars(select(Email).where(Email.address_key == key, Email.is_primary).limit(2)).all()
    return claims[0].user if len(claims) == 1 else None


def authenticate(
    db: Session, hasher: PasswordHasher, *, identifier: str, password: str, origin: Origin, now: datetime
) -> User:
    """The account whose username or address, and password, these are. A second factor may still be missing.

    The try is counted first and committed, in one budget however the account is named. Raises WrongCredentials,
    TooMany, or AccountFrozen, which only the right password brings to light. Whether there is such an account makes no
    difference to the work.
    """
    user = find(db, identifier)
    user_id, kept_hash = (user.id, user.password_hash) if user else (None, None)
    budget_key = str(user_id) if user_id else key_of_nobody(identifier)
    spending = PASSWORD_OF_ACCOUNT, budget_key
    return _with_password(db, hasher, user_id, kept_hash, password, spending=spending, origin=origin, now=now)


def authenticate_after_key(
    db: Session, hasher: PasswordHasher, user_id: int, *, password: str, origin: Origin, now: datetime
) -> User:
    """The same for somebody whose key answered just now without checking its owner: the password is the other half.

    Out of a budget that only the holder of the key can spend, so that no stranger's guesses stand in the way. Whose
    account it is was told by the key already, so that a wrong password may be called that.
    """
    kept_hash, spending = db.get_one(User, user_id).password_hash, (PASSWORD_AFTER_KEY, str(user_id))
    try:
        return _with_password(db, hasher, user_id, kept_hash, password, spending=spending, origin=origin, now=now)
    except WrongCredentials:
        raise Problem("This is not your password.", field="password") from None


def _with_password(
    db: Session,
    hasher: PasswordHasher,
    user_id: int | None,
    kept_hash: str | None,
    password: str,
    *,
    spending: tuple[Budget, str],
    origin: Origin,
    now: datetime,
) -> User:
    """The account, if the password is its. The same work is done for nobody: `user_id` None.

    Its row stays locked until the caller commits, so that a change of password or factors that is made meanwhile finds
    the session that begins here, and ends it.
    """
    try:
        throttle.take(db, spending, (PASSWORD_FROM_ADDRESS, origin.address), now=now)
    except TooMany:
        _note_failure(db, user_id, guesses.TOO_MANY, origin=origin, now=now)
        raise
    if not hasher.verify(kept_hash, password) or user_id is None or kept_hash is None:
        _note_failure(db, user_id, WRONG_PASSWORD, origin=origin, now=now)
        raise WrongCredentials
    user = db.get_one(User, user_id, with_for_update={"key_share": True}, populate_existing=True)
    if user.password_hash != kept_hash and not hasher.verify(user.password_hash, password):  # replaced meanwhile
        _note_failure(db, user_id, WRONG_PASSWORD, origin=origin, now=now)
        raise WrongCredentials
    if not user.is_active:
        _note_failure(db, user_id, "the account is frozen", origin=origin, now=now)
        raise AccountFrozen
    throttle.clear(db, *spending)
    throttle.refund(db, PASSWORD_FROM_ADDRESS, origin.address)
    if user.password_hash == kept_hash and hasher.needs_rehash(kept_hash):
        user.password_hash = hasher.hash(password)
    return user


def edit_profile(db: Session, permit: Permit, *, full_name: str, public_email: str, now: datetime) -> None:
    """Change what the account says of its owner. Raises Problem at the field.

    public_email: the proved address that everybody may see; empty for none. No mail tells of it: nobody else can be
    harmed by it, and the history has it.
    """
    permit.covers(Action.EDIT_PROFILE)
    user = db.get_one(User, permit.member.account.user_id)
    proved = {email.address: email for email in user.emails if email.verified_at is not None}
    if public_email and public_email not in proved:
        raise Problem("Choose one of your verified addresses, or none.", field="public_email")
    user.full_name = account_names.clean_full_name(full_name)
    for email in user.emails:
        email.is_public = bool(public_email) and email.address == public_email and email.verified_at is not None
    journal.record(db, "account:profile:edited", now=now, origin=permit.principal.origin, actor_id=user.id)


def _refuse_faults(db: Session, breaches: Breaches, registration: Registration) -> None:
    about = account_names.guesses_about(registration.username, registration.full_name, [registration.address])
    checks: list[Callable[[], object]] = [
        lambda: account_names.check_username(registration.username),
        lambda: account_names.clean_full_name(registration.full_name),
        lambda: addresses.parse(registration.address, field=emails.FIELD),
        lambda: check_new_password(registration.password, about=about, breaches=breaches),
        lambda: _check_free(db, registration.username),
    ]
    problems = []
    for check in checks:
        try:
            check()
        except Problem as problem:
            problems.append(problem)
    if problems:
        raise NotRegistered(problems)


def _check_free(db: Session, username: str) -> None:
    key = username_key(username)
    if not account_names.looks_like_username(username):
        return
    if db.scalar(select(User.id).where(User.username_key == key)) or is_retired(db, key):
        raise _taken()


def _taken() -> Problem:
    return Problem("This username is taken. Choose another one.", field="username")


def _add_account(
    db: Session, *, username: str, address: Address, full_name: str, password_hash: str | None, now: datetime
) -> User:
    if is_retired(db, username_key(username)):
        raise NotRegistered([_taken()])
    user = User(
        username=username,
        username_key=username_key(username),
        full_name=full_name,
        password_hash=password_hash,
        password_changed_at=now,
        registered_at=now,
    )
    user.emails = [Email(address=address.text, address_key=address.key, is_primary=True, added_at=now)]
    try:
        with db.begin_nested():  # two people may choose one name in the same moment
            db.add(user)
    except IntegrityError:
        raise NotRegistered([_taken()]) from None
    return user


def key_of_nobody(identifier: str) -> str:
    """The key of a budget for a name that nobody has, so that a spent one tells nothing either."""
    folded = identifier.strip().lower().encode("utf-8", "replace")
    return "nobody:" + hashlib.sha256(folded).hexdigest()[:32]


def _note_failure(db: Session, user_id: int | None, reason: str, *, origin: Origin, now: datetime) -> None:
    """What was typed is not kept: people type passwords into the wrong field."""
    journal.refuse(
        db, NOT_SIGNED_IN, now=now, origin=origin, actor_id=None, user_id=user_id, details={"reason": reason}
    )
