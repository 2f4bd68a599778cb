"""The link that lets a new browser in, where this index asks for it."""

from flask import redirect, render_template, request
from flask.typing import ResponseReturnValue

from blueprints import browser_cookie, wiring
from blueprints.auth import bp
from blueprints.auth.arrival import arrive
from blueprints.auth.token_pages import token_page
from blueprints.form_problems import INVALID
from blueprints.gate import public
from domain.identity import ceremonies, sign_ins
from models import User, db

OVER = (
    "This link does not work any more: it was used before, is older than an hour, or a part of it is missing. "
    "If you are not signed in already, sign in again."
)


@bp.route("/account/confirm-login/", methods=["GET", "POST"])
@public
def confirm_sign_in() -> ResponseReturnValue:
    """Without a token say where the mail went; with one ask on GET, and sign in on POST."""
    token, box, now = request.args.get("token", ""), wiring.services().box, wiring.now()
    if not token:
        return render_template("auth/confirm_sent.html")
    waiting = sign_ins.waiting(db.session(), box, token, handle=browser_cookie.handle(), now=now)
    user = db.session.get(User, waiting.begun.user_id) if waiting else None
    if waiting is None or user is None or not user.is_active:
        return token_page("auth/link_refused.html", (INVALID, {}), problem=OVER)
    if not waiting.is_here:
        return token_page("auth/confirm_elsewhere.html", (INVALID, {}))
    if request.method != "POST":  # HEAD comes here, too
        return token_page("auth/confirm_sign_in.html", (200, {}), username=user.username)
    db.session.refresh(user, with_for_update={"key_share": True})  # before the rest, as whatever would void the link
    if not ceremonies.spend(db.session(), waiting.begun, now=now):
        return token_page("auth/link_refused.html", (INVALID, {}), problem=OVER)
    method, destination = waiting.method, waiting.destination
    return redirect(arrive(user, method=method, destination=destination, trust=waiting.trust, is_confirmed=True), 303)
