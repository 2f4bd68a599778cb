"""What happens once somebody has proved who they are, whichever way they came."""

from flask import flash, request, url_for

from blueprints import browser_cookie, wiring
from blueprints.auth.half import forget_half
from blueprints.browser_session import leave, origin_of, rise
from domain.identity import browsers, handles, sign_ins
from domain.identity.sessions import Level
from domain.identity.sign_ins import Method
from models import User, db


def arrive(user: User, *, method: Method, destination: str, trust: bool = False, is_confirmed: bool = False) -> str:
    """Sign the person in fully, commit, and return where to go on: `destination`, a path of this site.

    trust: ask this browser for no second factor for a while, if the account may have that. is_confirmed: the mailed
    link was opened, where this index wants that of new browsers. Raises Problem where it may not send yet another link.
    """
    found, now, origin, handle = wiring.services(), wiring.now(), origin_of(request), browser_cookie.handle()
    forget_half(user)
    may_have_to_wait = found.confirms_new_browsers and not is_confirmed
    if may_have_to_wait and sign_ins.must_confirm(db.session(), user, method=method, handle=handle, now=now):
        return _wait_for_link(user, method=method, destination=destination, trust=trust)
    arrival = sign_ins.complete(db.session(), found.notices, user, method=method, handle=handle, origin=origin, now=now)
    kept = arrival.browser.handle
    if trust and browsers.may_trust(user):
        kept = browsers.trust(db.session(), found.notices, user, arrival.browser.row, origin=origin, now=now)
    rise(
        user_id=user.id,
        to=Level.FULL,
        method=method.words,
        lasts=arrival.lasts,
        browser_id=arrival.browser.row.id,
        confirmed_at=arrival.confirmed_at,
    )
    browser_cookie.keep(kept)
    db.session.commit()
    if arrival.failures >= sign_ins.WORTH_TELLING:
        flash(
            f"Before you signed in, a wrong password was typed for this account {arrival.failures} times. "
            "If that was not you, change your password.",
            "warning",
        )
    return destination


def _wait_for_link(user: User, *, method: Method, destination: str, trust: bool) -> str:
    """Nobody is in before the link is opened; the browser is given what it will be known by."""
    found, now, handle = wiring.services(), wiring.now(), browser_cookie.handle() or handles.new_handle()
    sign_ins.ask_for_confirmation(
        db.session(),
        found.box,
        found.notices,
        user,
        method=method,
        handle=handle,
        destination=destination,
        trust=trust,
        origin=origin_of(request),
        now=now,
    )
    leave()
    db.session.commit()
    browser_cookie.keep(handle)
    return url_for("auth.confirm_sign_in")
