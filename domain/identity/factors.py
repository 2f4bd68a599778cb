"""Second factors of an account: authenticator apps, from the first scan to removal."""

import secrets
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from sqlalchemy import delete, select, update
from sqlalchemy.engine import CursorResult
from sqlalchemy.orm import Session
from sqlalchemy.sql.dml import Delete, Update

from adapters.secretbox import SecretBox
from domain import journal
from domain.identity import ceremonies, recovery, sessions, throttle, totp
from domain.identity.ceremonies import Begun, Purpose
from domain.identity.labels import clean_label
from domain.notices import Notices
from domain.policy.actions import Action
from domain.policy.decision import Denial, Permit, Reason
from domain.policy.judge import judge
from domain.policy.principals import Member, Origin, Standing
from domain.policy.rules import Policy
from domain.problems import Problem
from models import TotpApp, User, begin_writing

MAX_APPS = 5  # each further app is one more right answer for whoever guesses
MAX_LABEL = 64
LABEL = "My phone"
LABEL_FIELD = "label"


class SetUpOver(Problem):
    """The secret on the page no longer waits: connected or dropped in another tab, or too old."""

    def __init__(self) -> None:
        super().__init__(
            "This set-up is over: it was finished or started again in another tab, or is older than 30 minutes. "
            "If your app has an entry that you find no use for, remove it there."
        )


def secret_context(*, user_id: int, public_id: str) -> str:
    """What an app's secret is sealed for: this row of this account, so that swapped rows do not open."""
    return f"totp:{user_id}:{public_id}"


def apps_of(db: Session, user_id: int) -> list[TotpApp]:
    """The account's authenticator apps, oldest first."""
    return list(db.scalars(select(TotpApp).where(TotpApp.user_id == user_id).order_by(TotpApp.id)))


def free_label(db: Session, user_id: int) -> str:
    """A name that no app of the account has yet: "My phone", "My phone 2" and so on."""
    taken = {app.label for app in apps_of(db, user_id)}
    numbered = [LABEL] + [f"{LABEL} {number}" for number in range(2, MAX_APPS + 2)]
    return next(label for label in numbered if label not in taken)


def must_stay(db: Session, app: TotpApp, account: Standing, policy: Policy, *, now: datetime) -> bool:
    """Whether this app is the account's last, and a rule would stop the account without it."""
    if any(other.id != app.id for other in apps_of(db, app.user_id)):
        return False
    return is_required(account, policy, now=now)


def is_required(account: Standing, policy: Policy, *, now: datetime) -> bool:
    """Whether a rule asks this account for a second factor: the judge is asked as if it had none."""
    bare = replace(account, factors=frozenset(), has_verified_email=True)
    member = Member(Origin(), bare, session_id=0, confirmed_at=now)
    decision = judge(member, Action.REMOVE_FACTOR, None, policy, now)
    return isinstance(decision, Denial) and decision.reason is Reason.TWO_FACTOR_REQUIRED


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
    _lock(db, user_id)  # two tabs opened at once show one secret
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
    digits, wanted = totp.clean_code(code), clean_label(label, most=MAX_LABEL, field=LABEL_FIELD)
    throttle.take(db, (throttle.SECOND_FACTOR, str(user_id)), now=now)
    user = _lock(db, user_id)
    waiting = _pending(db, permit, box, now=now)
    if waiting is None:
        raise SetUpOver
    _check_room(db, user_id)
    wanted = wanted or free_label(db, user_id)
    _check_label(db, user_id, wanted)
    secret = waiting.payload["secret"]
    step = totp.matching_step(secret, code=digits, now=now)
    if step is None:
        raise Problem(totp.why_refused([secret], code=digits, now=now), field=totp.FIELD)
    if not ceremonies.spend(db, waiting, now=now):
        raise SetUpOver
    throttle.clear(db, throttle.SECOND_FACTOR, str(user_id))
    app = _new_app(box, secret, user_id=user_id, label=wanted, step=step, now=now)
    db.add(app)
    recovery.make_first_codes(db, permit, box, user, now=now)
    sessions.end_all(db, user_id, but=permit.member.session_id)
    _record(db, permit, "account:totp:added", user, app=wanted, now=now)
    notices.tell(db, user, "factor-added", now=now, app=wanted, origin=permit.principal.origin)
    return app


def rename_totp(db: Session, permit: Permit, app: TotpApp, *, label: str, now: datetime) -> None:
    """Call an app something else. Raises Problem at the field if that is no name, or taken."""
    permit.covers(Action.RENAME_FACTOR, app)
    was, wanted = app.label, clean_label(label, most=MAX_LABEL, field=LABEL_FIELD)
    if not wanted:
        raise Problem("Type a name for this app.", field=LABEL_FIELD)
    if wanted == was:
        return
    user = _lock(db, app.user_id)
    _check_label(db, user.id, wanted)
    if _rows(db, update(TotpApp).where(TotpApp.id == app.id).values(label=wanted)) != 1:
        raise Problem("This app was removed meanwhile.")
    _record(db, permit, "account:totp:renamed", user, app=wanted, was=was, now=now)


def remove_totp(db: Session, permit: Permit, notices: Notices, app: TotpApp, *, policy: Policy, now: datetime) -> None:
    """Remove an app. The account's other browsers are signed out; with the last app go the recovery codes.

    Raises Problem if it is the last one and a rule asks for one, however many removals are under way at once.
    """
    permit.covers(Action.REMOVE_FACTOR, app)
    app_id, label = app.id, app.label
    user = _lock(db, permit.account.user_id)
    if must_stay(db, app, permit.account, policy, now=now):
        raise Problem(
            "This is your only second factor, and this index requires one. Add another app first, then remove this one."
        )
    if _rows(db, delete(TotpApp).where(TotpApp.id == app_id)) != 1:
        raise Problem("This app was removed already.")
    if not apps_of(db, user.id):
        recovery.void_codes(db, user)
    sessions.end_all(db, user.id, but=permit.member.session_id)
    _record(db, permit, "account:totp:removed", user, app=label, now=now)
    notices.tell(db, user, "factor-removed", now=now, app=label, origin=permit.principal.origin)


def reset_factors(db: Session, permit: Permit, notices: Notices, user: User, *, now: datetime) -> None:
    """For the operator, when all is lost: remove every app and recovery code, and end every session."""
    permit.covers(Action.RESET_FACTORS, user)
    _lock(db, user.id)
    labels = [app.label for app in apps_of(db, user.id)]
    db.execute(delete(TotpApp).where(TotpApp.user_id == user.id))
    recovery.void_codes(db, user)
    sessions.end_all(db, user.id)
    throttle.clear(db, throttle.SECOND_FACTOR, str(user.id))
    _record(db, permit, "operator:factors:reset", user, apps=labels, now=now)
    notices.tell(db, user, "factors-reset", now=now)


def _lock(db: Session, user_id: int) -> User:
    """The account's row, locked, so that what is counted stays so: PostgreSQL waits here, SQLite waited already."""
    return db.scalars(select(User).where(User.id == user_id).with_for_update()).one()


def _pending(db: Session, permit: Permit, box: SecretBox, *, now: datetime) -> Begun | None:
    member = permit.member
    return ceremonies.current(
        db, box, Purpose.TOTP, user_id=member.account.user_id, session_id=member.session_id, now=now
    )


def _check_room(db: Session, user_id: int) -> None:
    if len(apps_of(db, user_id)) >= MAX_APPS:
        raise Problem(f"You have {MAX_APPS} apps, which is the most. Remove one that you no longer use.")


def _check_label(db: Session, user_id: int, wanted: str) -> None:
    if any(app.label == wanted for app in apps_of(db, user_id)):
        raise Problem(f"You have an app named “{wanted}” already. Choose another name.", field=LABEL_FIELD)


def _new_app(box: SecretBox, secret: str, *, user_id: int, label: str, step: int, now: datetime) -> TotpApp:
    public_id = secrets.token_hex(8)
    return TotpApp(
        public_id=public_id,
        user_id=user_id,
        label=label,
        secret_sealed=box.seal(secret.encode(), context=secret_context(user_id=user_id, public_id=public_id)),
        last_step=step,  # the code that proved it is spent: it does not sign in as well
        added_at=now,
        last_used_at=now,
    )


def _rows(db: Session, statement: Update | Delete) -> int:
    result = db.execute(statement.execution_options(synchronize_session=False))
    assert isinstance(result, CursorResult)  # noqa: S101 - UPDATE and DELETE have a row count
    return result.rowcount


def _record(db: Session, permit: Permit, tag: str, user: User, *, now: datetime, **details: object) -> None:
    origin, actor = permit.principal.origin, permit.principal
    actor_id = actor.account.user_id if isinstance(actor, Member) else None
    journal.record(db, tag, now=now, origin=origin, actor_id=actor_id, user_id=user.id, details=details)
