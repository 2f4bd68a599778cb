"""What happens once somebody has fully signed in, whichever way they came."""

from flask import flash, redirect, request
from flask.typing import ResponseReturnValue

from blueprints import wiring
from blueprints.browser_session import origin_of, rise
from domain.identity import accounts
from domain.identity.sessions import Level
from models import User, db


def arrive(user: User, *, method: str, destination: str) -> ResponseReturnValue:
    """Sign the person in fully, commit, and lead on to `destination`, a path of this site.

    method: how it was proved, in words: "password", "authenticator app", "recovery code", "registration".
    """
    rise(user_id=user.id, to=Level.FULL, method=method)
    failures = accounts.note_sign_in(
        db.session(), wiring.services().notices, user, method=method, origin=origin_of(request), now=wiring.now()
    )
    db.session.commit()
    if failures >= accounts.WORTH_TELLING:
        flash(
            f"Before you signed in, a wrong password was typed for this account {failures} times. "
            "If that was not you, change your password.",
            "warning",
        )
    return redirect(destination, 303)
