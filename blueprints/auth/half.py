"""A sign-in that is half done: one proof was given in this browser, another is still to come."""

from flask import flash, redirect, request, session, url_for
from flask.typing import ResponseReturnValue

from blueprints import browser_cookie, wiring
from blueprints.browser_session import level, origin_of, row_session
from domain.identity import browsers, sign_ins
from domain.identity.sessions import Level
from models import User, db

PASSWORD_GIVEN, KEY_GIVEN = "password", "passkey"  # the method of such a session
UNFINISHED = "unfinished"


def half_signed_in(given: str) -> User | None:
    """The account of which this browser has `given` one proof within the last ten minutes, and no more than that."""
    row = row_session().row
    if row is None or row.user_id is None or level() is not Level.HALF or row.method != given:
        return None
    user = db.session.get(User, row.user_id)
    return user if user is not None and user.is_active else None


def remember_half(user: User) -> None:
    """Have the owner told if nothing follows, unless this is a browser that the account knows: then it was them."""
    now = wiring.now()
    if browsers.find(db.session(), user.id, browser_cookie.handle(), now=now) is None:
        box, origin = wiring.services().box, origin_of(request)
        session[UNFINISHED] = sign_ins.begin_second_step(db.session(), box, user, origin=origin, now=now)


def forget_half(user: User) -> None:
    """The other proof of this account followed."""
    box, handle = wiring.services().box, session.get(UNFINISHED, "")
    sign_ins.finish_second_step(db.session(), box, handle, user_id=user.id, now=wiring.now())


def not_here() -> ResponseReturnValue:
    """Lead whoever is not half signed in to where they belong."""
    if level() is Level.FULL:
        return redirect(url_for("management.projects"), 303)
    row = row_session().row
    if row is not None and row.level == Level.HALF.value:
        flash("More than ten minutes have passed since you gave your password. Type it again.", "info")
    else:
        flash("Give your username and password first.", "info")
    return redirect(url_for("auth.sign_in", next=session.get("next")), 303)
