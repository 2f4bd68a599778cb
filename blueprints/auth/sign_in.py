"""Signing in with a password, and signing out."""

from flask import flash, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue

from blueprints import browser_cookie, wiring
from blueprints.auth import bp
from blueprints.auth.arrival import arrive
from blueprints.auth.forms import SignInForm
from blueprints.auth.half import PASSWORD_GIVEN, remember_half
from blueprints.browser_session import leave, origin_of, rise
from blueprints.caller import signed_in_user
from blueprints.form_problems import INVALID, Status, put
from blueprints.gate import management_action, public
from blueprints.redirects import safe_next
from domain import journal
from domain.identity import accounts, browsers
from domain.identity.sessions import Level
from domain.identity.sign_ins import Method
from domain.identity.standing import standing_of
from domain.policy.actions import Action
from domain.policy.decision import Permit
from domain.problems import Problem
from models import User, db


@bp.route("/account/login/", methods=["GET", "POST"])
@public
def sign_in() -> ResponseReturnValue:
    """Ask for username and password; whoever has a second factor is asked for that next."""
    destination = safe_next(request.args.get("next"), otherwise=url_for("management.projects"))
    if signed_in_user() is not None:
        return redirect(destination, 303)
    form = SignInForm()
    if not form.validate_on_submit():
        return _page(form, (INVALID if form.is_submitted() else 200, {}))
    try:
        user = accounts.authenticate(
            db.session(),
            wiring.services().hasher,
            identifier=form.username.data,
            password=form.password.data,
            origin=origin_of(request),
            now=wiring.now(),
        )
    except Problem as problem:
        return _page(form, put(form, problem))
    standing = standing_of(db.session(), user.id)
    if standing is None or not standing.has_second_factor:
        return _arrived(form, user, Method.PASSWORD, destination)
    if browsers.is_trusted(db.session(), user, browser_cookie.handle(), now=wiring.now()):
        return _arrived(form, user, Method.TRUSTED_BROWSER, destination)
    rise(user_id=user.id, to=Level.HALF, method=PASSWORD_GIVEN)
    session["next"] = destination
    remember_half(user)
    db.session.commit()
    return redirect(url_for("auth.second_step"), 303)


@bp.route("/account/logout/", methods=["GET", "POST"])
@management_action(Action.SIGN_OUT)
def sign_out(permit: Permit) -> ResponseReturnValue:
    """Ask on GET, for a link must sign nobody out; on POST end the session, so that no copy of the cookie works."""
    if request.method != "POST":  # HEAD comes here, too
        return render_template("auth/sign_out.html")
    leave()
    actor_id = permit.account.user_id
    journal.record(
        db.session(), "account:session:ended", now=wiring.now(), origin=permit.principal.origin, actor_id=actor_id
    )
    db.session.commit()
    flash("You are signed out.", "success")
    answer = redirect(url_for("browse.home"), 303)
    # Not "cookies": the chosen colours may stay.
    answer.headers["Clear-Site-Data"] = '"cache", "storage"'
    return answer


def _arrived(form: SignInForm, user: User, method: Method, destination: str) -> ResponseReturnValue:
    try:
        return redirect(arrive(user, method=method, destination=destination), 303)
    except Problem as problem:  # too many links were mailed already
        return _page(form, put(form, problem))


def _page(form: SignInForm, status: Status) -> ResponseReturnValue:
    may_register = wiring.services().registration == "open"
    return render_template("auth/sign_in.html", form=form, may_register=may_register), *status
