"""Signing up."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from blueprints import wiring
from blueprints.auth import bp
from blueprints.auth.arrival import arrive
from blueprints.auth.forms import RegisterForm
from blueprints.browser_session import origin_of
from blueprints.caller import signed_in_user
from blueprints.form_problems import INVALID, Status, put
from blueprints.gate import public
from blueprints.redirects import safe_next
from domain.identity import accounts
from domain.identity.accounts import NotRegistered, Registration
from domain.identity.sign_ins import Method
from domain.problems import Problem
from models import db


@bp.route("/account/register/", methods=["GET", "POST"])
@public
def register() -> ResponseReturnValue:
    """Take a username, an address and a password, and sign the person in at once."""
    found = wiring.services()
    destination = safe_next(request.args.get("next"), otherwise=url_for("management.account"))
    if signed_in_user() is not None:
        return redirect(destination, 303)
    if found.registration != "open":
        return render_template("auth/registration_closed.html", by_invitation=found.registration == "invite"), 403
    form = RegisterForm()
    if not form.validate_on_submit():
        return _page(form, (INVALID if form.is_submitted() else 200, {}))
    registration = Registration(
        username=form.username.data,
        address=form.email.data,
        password=form.new_password.data,
        full_name=form.full_name.data,
    )
    origin, now = origin_of(request), wiring.now()
    try:
        user = accounts.register(
            db.session(),
            found.hasher,
            found.breaches,
            found.box,
            found.notices,
            registration,
            origin=origin,
            now=now,
        )
    except NotRegistered as refused:
        for problem in refused.problems:
            put(form, problem)
        return _page(form, (INVALID, {}))
    except Problem as problem:
        return _page(form, put(form, problem))
    address = user.emails[0].address
    destination = arrive(user, method=Method.REGISTRATION, destination=destination)
    flash(f"Welcome, {registration.username}. We sent a link to {address}: open it to verify the address.", "success")
    return redirect(destination, 303)


def _page(form: RegisterForm, status: Status) -> ResponseReturnValue:
    return render_template("auth/register.html", form=form), *status
