"""What a finished sign-in leaves behind, and one that was never finished."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from sqlalchemy import select
from sqlalchemy.orm import Session

from adapters.secretbox import SecretBox
from domain import journal
from domain.identity import browsers, ceremonies, sessions, throttle
from domain.identity.accounts import NOT_SIGNED_IN, WRONG_PASSWORD
from domain.identity.browsers import Met
from domain.identity.ceremonies import Begun, Purpose
from domain.identity.handles import digest
from domain.identity.standing import standing_of
from domain.identity.throttle import NEW_BROWSER_MAIL, UNFINISHED_MAIL, TooMany
from domain.notices import Notices
from domain.policy.principals import Origin
from models import Event, User

SIGNED_IN = "account:sign_in:succeeded"
WORTH_TELLING = 3  # wrong passwords before a right one
MOST_COUNTED = 100  # whoever keeps guessing must not make a sign-in slow
# Attackers with a leaked password added second factors of their own to accounts that their owners had forgotten.
UNSEEN_FOR = timedelta(days=90)


class Method(Enum):
    """How somebody proved who they are: in words, and whether a fake page could have had that proof from them."""

    REGISTRATION = ("registration", False)
    PASSWORD = ("password", True)
    APP = ("authenticator app", True)
    RECOVERY_CODE = ("recovery code", True)
    SECURITY_KEY = ("security key", False)
    PASSKEY = ("passkey", False)
    TRUSTED_BROWSER = ("trusted browser", False)

    def __init__(self, words: str, is_phishable: bool) -> None:
        self.words = words
        self.is_phishable = is_phishable

    @property
    def in_full(self) -> str:
        """With the password that stands before it."""
        return f"password and {self.words}" if self in (Method.APP, Method.RECOVERY_CODE) else self.words

    @property
    def proves_presence(self) -> bool:
        """Whether the person was there just now with all that they have: a browser that is trusted proves less."""
        return self is not Method.TRUSTED_BROWSER


@dataclass(frozen=True)
class Arrival:
    """Somebody who is in. failures: how many wrong passwords came before."""

    browser: Met
    failures: int
    confirmed_at: datetime | None
    lasts: timedelta


def complete(
    db: Session, notices: Notices, user: User, *, method: Method, handle: str | None, origin: Origin, now: datetime
) -> Arrival:
    """Write down that somebody has fully signed in; links for a forgotten password die by it.

    handle: what the browser's own cookie holds, if it has one. The owner is told by mail of three wrong passwords
    before, and of a browser that the account has not seen, unless what opened it cannot be had by a fake page.
    """
    last, standing = _last_sign_in(db, user.id), standing_of(db, user.id)
    is_bare = standing is not None and not standing.has_second_factor
    if is_bare and now - (last.at if last else user.registered_at) > UNSEEN_FOR:
        user.address_proof_due_since = now
    failures = _failures_since(db, user.id, last.id if last else 0)
    ceremonies.abandon(db, Purpose.RESET_PASSWORD, user_id=user.id)
    browser = browsers.meet(db, user.id, handle, origin=origin, now=now)
    journal.record(db, SIGNED_IN, now=now, origin=origin, actor_id=user.id, details={"method": method.words})
    if failures >= WORTH_TELLING:
        notices.tell(db, user, "sign-in-after-failures", now=now, origin=origin, failures=failures)
    if browser.is_new and method.is_phishable:
        notices.tell(db, user, "sign-in-from-new-browser", now=now, origin=origin, method=method.in_full)
    return Arrival(
        browser=browser,
        failures=failures,
        confirmed_at=now if method.proves_presence else None,
        lasts=sessions.longest(is_admin=user.is_admin),
    )


def begin_second_step(db: Session, box: SecretBox, user: User, *, origin: Origin, now: datetime) -> str:
    """Remember that somebody knew the password, until `finish_second_step`; returns the handle for that.

    It is bound to no session, for whoever means ill would end theirs.
    """
    payload = {"address": origin.address, "user_agent": origin.user_agent}
    return ceremonies.begin(db, box, Purpose.SECOND_STEP, now=now, payload=payload, user_id=user.id)


def finish_second_step(db: Session, box: SecretBox, handle: str, *, user_id: int, now: datetime) -> None:
    """The second factor of this account followed. Harmless if there was nothing to remember, or another's: nobody
    hides that they know a password by signing in to an account of their own."""
    begun = ceremonies.look_up(db, box, Purpose.SECOND_STEP, handle, now=now)
    if begun is not None and begun.user_id == user_id:
        ceremonies.spend(db, begun, now=now)


def tell_of_unfinished(db: Session, box: SecretBox, notices: Notices, *, now: datetime) -> None:
    """Warn whoever's password was typed without the second factor that belongs to it, once a day. Commits."""
    for begun in ceremonies.take_lapsed(db, box, Purpose.SECOND_STEP, now=now):
        user = db.get(User, begun.user_id)
        if user is None:
            continue
        origin = Origin(begun.payload["address"], begun.payload["user_agent"])
        tag = "account:sign_in:unfinished"
        journal.record(db, tag, now=now, origin=origin, actor_id=None, user_id=user.id)
        db.commit()
        try:
            throttle.take(db, (UNFINISHED_MAIL, str(user.id)), now=now)
        except TooMany:
            continue
        notices.tell(db, db.get_one(User, begun.user_id), "sign-in-unfinished", now=begun.created_at, origin=origin)
        db.commit()


def must_confirm(db: Session, user: User, *, method: Method, handle: str | None, now: datetime) -> bool:
    """Whether this is a browser that the account has not seen, opened by what a fake page can have, and there is an
    address to ask at. For indexes that want such sign-ins confirmed by mail."""
    standing = standing_of(db, user.id)
    can_be_asked = standing is not None and standing.has_verified_email
    return method.is_phishable and can_be_asked and browsers.find(db, user.id, handle, now=now) is None


def ask_for_confirmation(
    db: Session,
    box: SecretBox,
    notices: Notices,
    user: User,
    *,
    method: Method,
    handle: str,
    destination: str,
    trust: bool,
    origin: Origin,
    now: datetime,
) -> None:
    """Mail the link that lets the browser with this handle in. Commits what was spent before. Raises TooMany.

    destination, trust: where to go on then, and whether that browser is to be trusted.
    """
    user_id, browser, since = user.id, digest(handle).hex(), user.password_changed_at.isoformat()
    db.commit()  # a code that was right is spent, whether or not the link is ever opened
    throttle.take(db, (NEW_BROWSER_MAIL, str(user_id)), now=now)
    user = db.get_one(User, user_id)
    assert user.primary_email is not None  # noqa: S101 - `must_confirm` has seen that it is verified
    payload = {"browser": browser, "method": method.name, "destination": destination, "trust": trust, "since": since}
    token = ceremonies.begin(db, box, Purpose.CONFIRM_BROWSER, now=now, payload=payload, user_id=user_id)
    journal.record(db, "account:sign_in:waiting", now=now, origin=origin, actor_id=None, user_id=user_id)
    to, username = user.primary_email.address, user.username
    notices.send(db, "confirm-browser", to=to, user_id=user_id, now=now, origin=origin, token=token, username=username)


@dataclass(frozen=True)
class Waiting:
    """A sign-in that waits for its link to be opened. is_here: in the browser that asked for it."""

    begun: Begun
    method: Method
    destination: str
    trust: bool
    is_here: bool


def waiting(db: Session, box: SecretBox, token: str, *, handle: str | None, now: datetime) -> Waiting | None:
    """What a link of `ask_for_confirmation` leads to; None if it is over."""
    begun = ceremonies.look_up(db, box, Purpose.CONFIRM_BROWSER, token, now=now)
    if begun is None or not _still_proves(db, begun):
        return None
    kept = begun.payload
    is_here = handle is not None and digest(handle).hex() == kept["browser"]
    return Waiting(begun, Method[kept["method"]], kept["destination"], kept["trust"], is_here)


def _still_proves(db: Session, begun: Begun) -> bool:
    """Whether what was given is still what the account asks for. A change voids the links that wait; but one that came
    between the proof and the mail found none."""
    user, kept = db.get_one(User, begun.user_id), begun.payload
    standing = standing_of(db, user.id)
    needs_more = standing is not None and standing.has_second_factor and kept["method"] == Method.PASSWORD.name
    return user.password_changed_at.isoformat() == kept["since"] and not needs_more


def _last_sign_in(db: Session, user_id: int) -> Event | None:
    last = select(Event).where(Event.user_id == user_id, Event.tag == SIGNED_IN)
    return db.scalar(last.order_by(Event.id.desc()).limit(1))


def _failures_since(db: Session, user_id: int, event_id: int) -> int:
    """The database leaves out what was no wrong password: as many tries that had to wait would hide those."""
    failed = select(Event.id).where(Event.user_id == user_id, Event.tag == NOT_SIGNED_IN, Event.id > event_id)
    wrong = failed.where(Event.details["reason"].as_string() == WRONG_PASSWORD)
    return len(db.scalars(wrong.limit(MOST_COUNTED)).all())
