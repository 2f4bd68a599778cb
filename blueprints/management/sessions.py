"""Where one is signed in, and which browsers are trusted."""

from flask import abort, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from blueprints import wiring
from blueprints.gate import management_action
from blueprints.management import bp
from blueprints.management.targets import user_id_of
from domain.identity import browsers
from domain.identity import sessions as domain_sessions
from domain.policy.actions import Action
from domain.policy.decision import Permit
from domain.policy.principals import Principal
from domain.policy.targets import Target
from models import BrowserSession, KnownBrowser, db

MOST = 2147483647  # a larger number is no key in any table


def session_from_url(principal: Principal, session_id: int) -> Target:
    """One's own session; nobody may know of anybody else's."""
    session = db.session.get(BrowserSession, session_id) or abort(404)
    if session.user_id != user_id_of(principal):
        abort(404)
    return Target(session, session.address, owner_id=session.user_id)


def browser_from_url(principal: Principal, browser_id: int) -> Target:
    """A browser that one's own account knows."""
    browser = db.session.get(KnownBrowser, browser_id) or abort(404)
    if browser.user_id != user_id_of(principal):
        abort(404)
    return Target(browser, browser.address, owner_id=browser.user_id)


@bp.get("/manage/account/sessions/")
@management_action(Action.VIEW_SESSIONS)
def sessions(permit: Permit) -> ResponseReturnValue:
    """List both."""
    user_id, this_id, now = permit.account.user_id, permit.member.session_id, wiring.now()
    listed = domain_sessions.list_of(db.session(), user_id, now=now)
    return render_template(
        "management/sessions.html",
        sessions=sorted(listed, key=lambda session: session.id != this_id),  # this one first
        trusted=browsers.trusted_of(db.session(), user_id, now=now),
        this_id=this_id,
    )


@bp.post(f"/manage/account/sessions/<int(max={MOST}):session_id>/end")
@management_action(Action.END_SESSION, target=session_from_url, resume="management.sessions")
def end_session(permit: Permit, session: BrowserSession) -> ResponseReturnValue:
    """End one of them; this one by signing out."""
    if session.id == permit.member.session_id:
        return redirect(url_for("auth.sign_out"), 303)
    domain_sessions.revoke(db.session(), permit, session, now=wiring.now())
    db.session.commit()
    flash("That session is over.", "success")
    return redirect(url_for("management.sessions"), 303)


@bp.post("/manage/account/sessions/end-others")
@management_action(Action.END_OTHER_SESSIONS, resume="management.sessions")
def end_other_sessions(permit: Permit) -> ResponseReturnValue:
    """End all but this one, and trust no browser any more."""
    browsers.end_others(db.session(), permit, now=wiring.now())
    db.session.commit()
    flash("All other sessions are over, and no browser is trusted any more.", "success")
    return redirect(url_for("management.sessions"), 303)


@bp.post(f"/manage/account/browsers/<int(max={MOST}):browser_id>/distrust")
@management_action(Action.DISTRUST_BROWSER, target=browser_from_url, resume="management.sessions")
def distrust_browser(permit: Permit, browser: KnownBrowser) -> ResponseReturnValue:
    """Have one of them asked for the second factor again."""
    browsers.distrust(db.session(), permit, browser, now=wiring.now())
    db.session.commit()
    flash("That browser is asked for the second factor again.", "success")
    return redirect(url_for("management.sessions"), 303)
