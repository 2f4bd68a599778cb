"""Where one is signed in, and which browsers are trusted."""

from datetime import timedelta

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from blueprints import browser_cookie, wiring
from blueprints.gate import management_action
from blueprints.management import bp
from blueprints.management.targets import ROW_ID, browser_from_url, session_from_url
from domain.identity import browsers
from domain.identity import sessions as domain_sessions
from domain.policy.actions import Action
from domain.policy.decision import Permit
from models import BrowserSession, KnownBrowser, User, db


@bp.get("/manage/account/sessions/")
@management_action(Action.VIEW_SESSIONS)
def sessions(permit: Permit) -> ResponseReturnValue:
    """List both."""
    user_id, this_id, now = permit.account.user_id, permit.member.session_id, wiring.now()
    listed = domain_sessions.list_of(db.session(), user_id, now=now)
    longest = domain_sessions.longest(is_admin=db.session.get_one(User, user_id).is_admin)
    this_browser = browsers.find(db.session(), user_id, browser_cookie.handle(), now=now)
    return render_template(
        "management/sessions.html",
        sessions=sorted(listed, key=lambda session: session.id != this_id),  # this one first
        trusted=browsers.trusted_of(db.session(), user_id, now=now),
        this_id=this_id,
        hours=longest // timedelta(hours=1),
        trust_days=browsers.TRUST_LASTS.days,
        this_browser_id=this_browser.id if this_browser else None,
    )


@bp.post(f"/manage/account/sessions/<{ROW_ID}:session_id>/end")
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


@bp.post(f"/manage/account/browsers/<{ROW_ID}:browser_id>/distrust")
@management_action(Action.DISTRUST_BROWSER, target=browser_from_url, resume="management.sessions")
def distrust_browser(permit: Permit, browser: KnownBrowser) -> ResponseReturnValue:
    """Have one of them asked for the second factor again."""
    browsers.distrust(db.session(), permit, browser, now=wiring.now())
    db.session.commit()
    flash("That browser is asked for the second factor again.", "success")
    return redirect(url_for("management.sessions"), 303)
