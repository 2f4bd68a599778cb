"""The second step: whether a typed code is one that an app of the account shows, and was not used before."""

from datetime import datetime

from sqlalchemy import update
from sqlalchemy.engine import CursorResult
from sqlalchemy.orm import Session

from adapters.secretbox import SecretBox, Unsealable
from domain.identity import guesses, totp
from domain.identity.factors import apps_of, secret_context
from domain.identity.throttle import CODES_IN_A_ROW
from domain.policy.principals import Origin
from domain.problems import Problem
from models import TotpApp

USED = "This code was already used. Wait for the next one."
UNREADABLE = (
    "The key of your authenticator app cannot be opened here, so its codes cannot be checked. "
    "Use a recovery code, or ask an administrator of this index."
)


def check_code(db: Session, box: SecretBox, user_id: int, typed: str, *, origin: Origin, now: datetime) -> TotpApp:
    """Spend a code of one of the account's apps and return the app.

    The try is counted first, and committed. Raises Problem at the field: a malformed, wrong or used code, too many
    of them, or an app whose secret does not open, which counts as no second factor given. CodesOver after a hundred
    wrong ones in a row.
    """
    code = totp.clean_code(typed)
    guesses.count(db, user_id, CODES_IN_A_ROW, origin=origin, now=now)
    opened = [(app, _secret(box, app)) for app in apps_of(db, user_id)]
    matching = [
        (app, step)
        for app, secret in opened
        if secret is not None and (step := totp.matching_step(secret, code=code, now=now)) is not None
    ]
    for app, step in matching:
        if _spend(db, app, step, now=now):
            guesses.forgive(db, user_id, origin=origin)
            return app
    if matching:
        reason, words = "code used before", USED
    elif None in [secret for _, secret in opened]:
        reason, words = "key cannot be opened", UNREADABLE
    else:
        known = [secret for _, secret in opened if secret is not None]
        reason, words = "wrong code", totp.why_refused(known, code=code, now=now)
    guesses.note_refusal(db, user_id, reason, origin=origin, now=now)
    raise Problem(words, field=totp.FIELD)


def _secret(box: SecretBox, app: TotpApp) -> str | None:
    """None if the box does not open: altered, swapped with another row's, or sealed with a key that is gone."""
    context = secret_context(user_id=app.user_id, public_id=app.public_id)
    try:
        return box.open(app.secret_sealed, context=context).decode()
    except Unsealable:
        return None


def _spend(db: Session, app: TotpApp, step: int, *, now: datetime) -> bool:
    """One statement decides, so that of twenty requests with one code a single one gets in (RFC 6238 §5.2)."""
    unspent = update(TotpApp).where(TotpApp.id == app.id, TotpApp.last_step < step)
    result = db.execute(unspent.values(last_step=step, last_used_at=now))
    assert isinstance(result, CursorResult)  # noqa: S101 - an UPDATE has a row count
    return result.rowcount == 1
