"""Connecting an authenticator app, from the first scan to the code that proves it."""

import secrets
from collections.abc import Callable
from datetime import datetime

from sqlalchemy.orm import Session

from adapters.secretbox import SecretBox
from domain.identity import ceremonies, factors, throttle, totp
from domain.identity.ceremonies import Begun, Purpose
from domain.notices import Notices
from domain.policy.actions import Action
from domain.policy.decision import Permit
from domain.problems import Problem
from models import TotpApp, begin_writing

MAX_APPS = 5  # each further app is one more right answer for whoever guesses
LABEL = "My phone"


class SetUpOver(Problem):
    """The secret on the page no longer waits: connected or dropped in another tab, or too old."""

    def __init__(self) -> None:
        super().__init__(
            "This set-up is over: it was finished or started again in another tab, or is older than 30 minutes. "
            "If your app has an entry that you find no use for, remove it there."
        )


def begin_totp(
    db: Session,
    permit: Permit,
    box: SecretBox,
    *,
    now: datetime,
    random_bytes: Callable[[int], bytes] = secrets.token_bytes,
) -> Begun:
    """What this browser is connecting: the secret (base32, `payload["secret"]`) begun earlier while it waits, 30
    minutes long, else a new one, in a transaction that begins here.

    So it stays the same over reloads, wrong codes and second tabs: every QR code on a screen works.
    Raises Problem if the account has five apps.
    """
    permit.covers(Action.ENROL_TOTP)
    user_id, session_id = permit.account.user_id, permit.member.session_id
    waiting = _pending(db, permit, box, now=now)
    if waiting is not None:
        return waiting
    begin_writing(db)
    factors.lock(db, user_id)  # two tabs opened at once show one secret
    _check_room(db, user_id)
    waiting = _pending(db, permit, box, now=now)
    if waiting is None:
        payload = {"secret": totp.new_secret(random_bytes)}
        ceremonies.begin(db, box, Purpose.TOTP, now=now, payload=payload, user_id=user_id, session_id=session_id)
        waiting = _pending(db, permit, box, now=now)
    assert waiting is not None  # noqa: S101 - begun just above
    return waiting


def drop_pending(db: Session, permit: Permit) -> None:
    """Forget the secret that waits in this browser; `begin_totp` makes a new one."""
    permit.covers(Action.ENROL_TOTP)
    member = permit.member
    ceremonies.abandon(db, Purpose.TOTP, user_id=member.account.user_id, session_id=member.session_id)


def confirm_totp(
    db: Session, permit: Permit, box: SecretBox, notices: Notices, *, code: str, label: str, now: datetime
) -> TotpApp:
    """Connect the waiting app, proved by a code that it shows, and make recovery codes if there are none.

    The account's other browsers are signed out: they may have signed in without a second factor.
    label: what the owner calls it; empty for the next free "My phone".
    Raises Problem at its field: a malformed or wrong code, too many of them, a name that is taken; SetUpOver.
    """
    permit.covers(Action.ENROL_TOTP)
    user_id = permit.account.user_id
    digits, wanted = totp.clean_code(code), factors.clean_name(label)
    throttle.take(db, (throttle.SECOND_FACTOR, str(user_id)), now=now)
    user = factors.lock(db, user_id)
    waiting = _pending(db, permit, box, now=now)
    if waiting is None:
        raise SetUpOver
    _check_room(db, user_id)
    wanted = wanted or factors.free_label(db, user_id, LABEL)
    factors.check_free(db, user_id, wanted)
    secret = waiting.payload["secret"]
    step = totp.matching_step(secret, code=digits, now=now)
    if step is None:
        raise Problem(totp.why_refused([secret], code=digits, now=now), field=totp.FIELD)
    if not ceremonies.spend(db, waiting, now=now):
        raise SetUpOver
    throttle.clear(db, throttle.SECOND_FACTOR, str(user_id))
    app = _new_app(box, secret, user_id=user_id, label=wanted, step=step, now=now)
    factors.welcome(db, permit, box, notices, user, app, now=now)
    return app


def _pending(db: Session, permit: Permit, box: SecretBox, *, now: datetime) -> Begun | None:
    member = permit.member
    return ceremonies.current(
        db, box, Purpose.TOTP, user_id=member.account.user_id, session_id=member.session_id, now=now
    )


def _check_room(db: Session, user_id: int) -> None:
    if len(factors.apps_of(db, user_id)) >= MAX_APPS:
        raise Problem(f"You have {MAX_APPS} apps, which is the most. Remove one that you no longer use.")


def _new_app(box: SecretBox, secret: str, *, user_id: int, label: str, step: int, now: datetime) -> TotpApp:
    public_id = factors.new_public_id()
    context = factors.secret_context(user_id=user_id, public_id=public_id)
    return TotpApp(
        public_id=public_id,
        user_id=user_id,
        label=label,
        secret_sealed=box.seal(secret.encode(), context=context),
        last_step=step,  # the code that proved it is spent: it does not sign in as well
        added_at=now,
        last_used_at=now,
    )
