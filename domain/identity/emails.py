"""Email addresses of accounts: proving that they are theirs, adding, removing, choosing the primary one."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from adapters.secretbox import SecretBox
from domain import addresses, journal
from domain.addresses import Address
from domain.identity import ceremonies, throttle
from domain.identity.ceremonies import Begun, Purpose
from domain.identity.throttle import VERIFICATION_MAIL
from domain.notices import Notices
from domain.policy.actions import Action
from domain.policy.decision import Permit
from domain.problems import Problem
from models import Email, User

MAX_ADDRESSES = 10
FIELD = "email"

LINK_OVER = (
    "This link does not work any more: it was used before, it is older than 24 hours, or a part of it is missing. "
    "Have a new one sent."
)


def holder_of(db: Session, key: str) -> Email | None:
    """The verified address of that key, whoever has it."""
    return db.scalar(select(Email).where(Email.address_key == key, Email.verified_at.is_not(None)))


def send_verification(db: Session, box: SecretBox, notices: Notices, email: Email, *, now: datetime) -> None:
    """Mail the link that proves an address, good once and for 24 hours.

    If another account has proved the address, its owner is told instead, without a link: nobody who types somebody
    else's address learns anything from what happens here.
    """
    holder = holder_of(db, email.address_key)
    if holder is not None:
        notices.send(db, "address-in-use", to=holder.address, user_id=holder.user_id, now=now, holder=holder.user)
        return
    _send(db, box, notices, email, "verify-email", now=now)


def waiting_address(db: Session, permit: Permit, box: SecretBox, token: str, *, now: datetime) -> Email:
    """The address that a link is about to prove. Raises Problem, in words that tell nothing of other accounts."""
    return _waiting(db, permit, box, token, now=now)[1]


def verify(db: Session, permit: Permit, box: SecretBox, token: str, *, now: datetime) -> Email:
    """Take a link as proof that its address belongs to the account. The link is spent.

    Raises Problem: a link that is over or somebody else's, an address removed or proved by another account meanwhile.
    """
    begun, email = _waiting(db, permit, box, token, now=now)
    if not ceremonies.spend(db, begun, now=now):
        raise Problem(LINK_OVER)
    if email.is_primary:
        email.user.address_proof_due_since = None
    if email.verified_at is not None:
        _record(db, permit, "account:email:proved", email, now=now)
        return email
    try:
        with db.begin_nested():
            email.verified_at = now
    except IntegrityError:
        raise Problem(
            "This address was verified for another account meanwhile, and can belong to one only. "
            "Use another address here, or remove it there first."
        ) from None
    throttle.clear(db, VERIFICATION_MAIL, str(email.user_id))
    _record(db, permit, "account:email:verified", email, now=now)
    return email


def resend(db: Session, permit: Permit, box: SecretBox, notices: Notices, email: Email, *, now: datetime) -> None:
    """Send the link for an address again. Raises Problem: it is verified already, or too many were sent.

    A verified one can be proved again where that is due: the primary one of an account that nobody used for long.
    """
    permit.covers(Action.VERIFY_EMAIL, email)
    is_due = email.is_primary and permit.account.must_prove_address
    if email.verified_at is not None and not is_due:
        raise Problem(f"{email.address} is verified already.")
    throttle.take(db, (VERIFICATION_MAIL, str(email.user_id)), now=now)
    if email.verified_at is None:
        send_verification(db, box, notices, email, now=now)
    else:
        origin = permit.principal.origin
        _send(db, box, notices, email, "address-proof", now=now, origin=origin, address=email.address)


def add(db: Session, permit: Permit, box: SecretBox, notices: Notices, *, typed: str, now: datetime) -> Email:
    """Add an address, unverified, and mail the link. The account's other addresses are told.

    Raises Problem: no address, one that the account has, ten of them, or too many mails.
    """
    permit.covers(Action.ADD_EMAIL)
    address, user_id = addresses.parse(typed, field=FIELD), permit.member.account.user_id
    throttle.take(db, (VERIFICATION_MAIL, str(user_id)), now=now)
    user = _locked(db, user_id)
    if _own(user, address) is not None:
        raise Problem("This address is on your account already.", field=FIELD)
    if len(user.emails) >= MAX_ADDRESSES:
        raise Problem(f"You have {MAX_ADDRESSES} addresses, which is the most. Remove one first.", field=FIELD)
    if any(email.verified_at is not None for email in user.emails):
        notices.tell(db, user, "address-added", now=now, origin=permit.principal.origin, address=address.text)
    email = Email(address=address.text, address_key=address.key, is_primary=False, added_at=now)
    user.emails.append(email)
    db.flush()
    send_verification(db, box, notices, email, now=now)
    _record(db, permit, "account:email:added", email, now=now)
    return email


def remove(db: Session, permit: Permit, notices: Notices, email: Email, *, now: datetime) -> None:
    """Remove an address; all verified ones are told, it too. Raises Problem if it is the primary one."""
    permit.covers(Action.REMOVE_EMAIL, email)
    user = _locked_with(db, email)
    if email.is_primary:
        raise Problem("Your primary address cannot be removed. Make another one primary first.")
    _void_links(db, user)
    notices.tell(db, user, "address-removed", now=now, origin=permit.principal.origin, address=email.address)
    _record(db, permit, "account:email:removed", email, now=now)
    user.emails.remove(email)
    db.flush()


def make_primary(db: Session, permit: Permit, notices: Notices, email: Email, *, now: datetime) -> None:
    """Choose the address that notices go to; all verified addresses are told, the former one too.

    Raises Problem if it is not verified.
    """
    permit.covers(Action.CHANGE_PRIMARY_EMAIL, email)
    user = _locked_with(db, email)
    if email.verified_at is None:
        raise Problem(f"Verify {email.address} first, then make it primary.")
    if email.is_primary:
        return
    _move_primary(db, user, email)
    _void_links(db, user)
    _record(db, permit, "account:email:made_primary", email, now=now)
    notices.tell(db, user, "primary-address-changed", now=now, origin=permit.principal.origin, address=email.address)


def correct(db: Session, permit: Permit, box: SecretBox, notices: Notices, *, typed: str, now: datetime) -> Email:
    """Put another address in the place of the primary one, which was never verified, and mail the link.

    The old address hears nothing: nobody knows whose it is. Typing the same address has the link sent again; typing
    one that the account has verified makes that one primary.
    Raises Problem: no address, a primary one that is verified, or too many mails.
    """
    permit.covers(Action.CORRECT_EMAIL)
    address, user_id = addresses.parse(typed, field=FIELD), permit.member.account.user_id
    throttle.take(db, (VERIFICATION_MAIL, str(user_id)), now=now)
    user = _locked(db, user_id)
    wrong = user.primary_email
    if wrong is None or wrong.verified_at is not None:
        raise Problem("Your primary address is verified. Add another one, then make it primary.", field=FIELD)
    email = _own(user, address)
    if email is None:
        email = Email(address=address.text, address_key=address.key, is_primary=False, added_at=now)
        user.emails.append(email)
    if email is not wrong:
        _move_primary(db, user, email)
        user.emails.remove(wrong)
        db.flush()
        _record(db, permit, "account:email:corrected", email, now=now)
    if email.verified_at is None:
        send_verification(db, box, notices, email, now=now)
    return email


def _send(
    db: Session, box: SecretBox, notices: Notices, email: Email, notice: str, *, now: datetime, **values: object
) -> None:
    """Mail a link that proves the address."""
    payload = {"email_id": email.id, "address": email.address_key}
    token = ceremonies.begin(db, box, Purpose.VERIFY_EMAIL, now=now, payload=payload, user_id=email.user_id)
    username = email.user.username
    notices.send(db, notice, to=email.address, user_id=email.user_id, now=now, username=username, token=token, **values)


def _waiting(db: Session, permit: Permit, box: SecretBox, token: str, *, now: datetime) -> tuple[Begun, Email]:
    permit.covers(Action.VERIFY_EMAIL)
    begun = ceremonies.look_up(db, box, Purpose.VERIFY_EMAIL, token, now=now)
    if begun is None:
        raise Problem(LINK_OVER)
    user_id = permit.member.account.user_id
    if begun.user_id != user_id:
        raise Problem("This link was sent for another account. Sign in to that one, then open the link again.")
    email = db.get(Email, begun.payload["email_id"])
    # An id may be given again after its row has gone: the address must be the same one, too.
    if email is None or email.user_id != user_id or email.address_key != begun.payload["address"]:
        raise Problem("The address of this link is no longer on your account.")
    return begun, email


def _locked(db: Session, user_id: int) -> User:
    """The account, locked, so that its addresses stay as they are counted: PostgreSQL waits here, SQLite did before."""
    return db.get_one(User, user_id, with_for_update={"key_share": True}, populate_existing=True)


def _locked_with(db: Session, email: Email) -> User:
    """The same, for what is done to one of its addresses. Raises Problem if another request removed it meanwhile."""
    user = _locked(db, email.user_id)
    if email not in user.emails:
        raise Problem("This address was removed already.")
    return user


def _own(user: User, address: Address) -> Email | None:
    return next((email for email in user.emails if email.address_key == address.key), None)


def _move_primary(db: Session, user: User, email: Email) -> None:
    """In two statements: at no moment may an account have two primary addresses."""
    if user.primary_email is not None:
        user.primary_email.is_primary = False
        db.flush()
    email.is_primary = True
    db.flush()


def _void_links(db: Session, user: User) -> None:
    """Whoever still reads the former address must not find a way in there that was mailed before."""
    for purpose in (Purpose.RESET_PASSWORD, Purpose.CONFIRM_BROWSER):
        ceremonies.abandon(db, purpose, user_id=user.id)


def _record(db: Session, permit: Permit, tag: str, email: Email, *, now: datetime) -> None:
    journal.record(
        db,
        tag,
        now=now,
        origin=permit.principal.origin,
        actor_id=permit.member.account.user_id,
        details={"address": email.address},
    )
