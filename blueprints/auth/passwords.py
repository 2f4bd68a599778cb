"""Forgotten passwords: asking for a link, and setting a new one through it."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from blueprints import wiring
from blueprints.auth import bp
from blueprints.auth.forms import RequestResetForm, ResetPasswordForm
from blueprints.auth.token_pages import token_page
from blueprints.browser_session import origin_of, row_session
from blueprints.form_problems import INVALID, put
from blueprints.gate import public
from domain.identity import password_changes, tokens
from domain.identity.password_changes import LinkOver
from domain.problems import Problem
from models import db


@bp.route("/account/request-password-reset/", methods=["GET", "POST"])
@public
def request_reset() -> ResponseReturnValue:
    """Take a username or an address, and say the same whoever it is."""
    form = RequestResetForm()
    if not form.validate_on_submit():
        return render_template("auth/request_reset.html", form=form), INVALID if form.is_submitted() else 200
    found, identifier = wiring.services(), form.username_or_email.data
    try:
        password_changes.request_reset(
            db.session(), found.box, found.notices, identifier=identifier, origin=origin_of(request), now=wiring.now()
        )
    except Problem as problem:
        status = put(form, problem)
        return render_template("auth/request_reset.html", form=form), *status
    db.session.commit()
    return render_template("auth/reset_requested.html")


@bp.route("/account/reset-password/", methods=["GET", "POST"])
@public
def reset_password() -> ResponseReturnValue:
    """Set a new password through a link. It signs nobody in: a second factor is asked for like at any sign-in."""
    found, now, token = wiring.services(), wiring.now(), request.args.get("token", "")
    form = ResetPasswordForm()
    try:
        username = password_changes.account_of_link(db.session(), found.box, token, now=now).username
    except LinkOver as problem:
        return token_page("auth/link_refused.html", (INVALID, {}), problem=problem.message)
    if not form.validate_on_submit():
        status = INVALID if form.is_submitted() else 200
        return token_page("auth/reset_password.html", (status, {}), form=form, username=username)
    row = row_session().row
    signed_in_id = row.user_id if row is not None else None
    try:
        user = password_changes.reset_password(
            db.session(),
            found.hasher,
            found.breaches,
            found.box,
            found.notices,
            token=token,
            new=form.new_password.data,
            origin=origin_of(request),
            now=now,
        )
    except Problem as problem:
        return token_page("auth/reset_password.html", put(form, problem), form=form, username=username)
    if user.id == signed_in_id:
        row_session().end()  # it went with the account's other sessions
    token_count = sum(
        token.expires_at is None or token.expires_at > now for token in tokens.list_of(db.session(), user.id)
    )
    db.session.commit()
    if token_count:
        return token_page("auth/password_set.html", (200, {}), token_count=token_count)
    flash("Your new password is set. Sign in with it.", "success")
    return redirect(url_for("auth.sign_in"), 303)
