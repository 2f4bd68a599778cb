"""The second step of signing in: a code from an authenticator app, or a recovery code."""

from flask import flash, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from wtforms import HiddenField, StringField
from wtforms.validators import AnyOf

from blueprints import wiring
from blueprints.auth import bp
from blueprints.auth.arrival import arrive
from blueprints.browser_session import leave, level, origin_of, row_session
from blueprints.form_problems import put, status_of
from blueprints.gate import public
from blueprints.redirects import safe_next
from domain.identity import recovery
from domain.identity.second_step import check_code
from domain.identity.sessions import Level
from domain.identity.throttle import TooMany
from domain.identity.typed_codes import MalformedCode
from domain.problems import Problem
from models import User, db

WRONG_CODES = "wrong_codes"
MOST_WRONG_CODES = 5  # then the password is asked for again


class SecondStepForm(FlaskForm):  # type: ignore[misc]  # flask_wtf publishes no types
    """A code from an app."""

    method = HiddenField(default="totp", validators=[AnyOf(["totp"], "There is no such way to confirm it.")])
    totp_value = StringField("Code from the app")


class RecoveryStepForm(FlaskForm):  # type: ignore[misc]
    """A recovery code."""

    recovery_code_value = StringField("Recovery code")


@bp.route("/account/two-factor/", methods=["GET", "POST"])
@public
def second_step() -> ResponseReturnValue:
    """Take a code from an app of the account whose password was given just now."""
    user, form = _half_signed_in(), SecondStepForm()
    if user is None:
        return _not_here()
    if not form.is_submitted():
        return render_template("auth/second_step.html", form=form)
    if not form.validate():
        return render_template("auth/second_step.html", form=form), 400
    try:
        check_code(
            db.session(),
            wiring.services().box,
            user.id,
            form.totp_value.data or "",
            origin=origin_of(request),
            now=wiring.now(),
        )
    except Problem as problem:
        form.totp_value.data = ""
        return _refused("auth/second_step.html", form, problem)
    destination = safe_next(session.get("next"), otherwise=url_for("management.projects"))
    return arrive(user, method="authenticator app", destination=destination)


@bp.route("/account/recovery-code/", methods=["GET", "POST"])
@public
def recovery_step() -> ResponseReturnValue:
    """Take a recovery code instead, and lead to where the lost device is replaced."""
    user, form = _half_signed_in(), RecoveryStepForm()
    if user is None:
        return _not_here()
    if not form.validate_on_submit():
        return render_template("auth/recovery_step.html", form=form)
    found, typed = wiring.services(), form.recovery_code_value.data or ""
    try:
        left = recovery.use_code(
            db.session(), found.notices, user.id, typed, origin=origin_of(request), now=wiring.now()
        )
    except Problem as problem:
        form.recovery_code_value.data = ""
        return _refused("auth/recovery_step.html", form, problem)
    answer = arrive(user, method="recovery code", destination=url_for("mfa.choose"))
    few = " Make new ones now." if left <= recovery.FEW else ""
    flash(
        f"You signed in with a recovery code; {left} {'is' if left == 1 else 'are'} left.{few} "
        "Is your device lost? Add another app here, then remove the lost one.",
        "warning",
    )
    return answer


def _half_signed_in() -> User | None:
    """The account whose password this browser has given within the last ten minutes, and no more than that."""
    row = row_session().row
    if row is None or row.user_id is None or level() is not Level.HALF:
        return None
    user = db.session.get(User, row.user_id)
    return user if user is not None and user.is_active else None


def _not_here() -> ResponseReturnValue:
    if level() is Level.FULL:
        return redirect(url_for("management.projects"), 303)
    row = row_session().row
    if row is not None and row.level == Level.HALF.value:
        flash("More than ten minutes have passed since you gave your password. Type it again.", "info")
    else:
        flash("Give your username and password first.", "info")
    return redirect(url_for("auth.sign_in", next=session.get("next")), 303)


def _refused(page: str, form: FlaskForm, problem: Problem) -> ResponseReturnValue:
    """The form again; after five wrong codes the sign-in is over, so that each further five cost a password."""
    db.session.rollback()
    wrong = session.get(WRONG_CODES, 0) + (0 if isinstance(problem, MalformedCode) else 1)
    if isinstance(problem, TooMany) or wrong >= MOST_WRONG_CODES:
        return _given_up(problem)
    session[WRONG_CODES] = wrong
    status = put(form, problem)
    return render_template(page, form=form), *status


def _given_up(problem: Problem) -> ResponseReturnValue:
    leave()
    db.session.commit()
    reason = problem.message if isinstance(problem, TooMany) else "Five wrong codes are the most. Wait five minutes."
    _, headers = status_of(problem)
    page = render_template(
        "errors/error.html",
        code=429,
        title="This sign-in was given up",
        message=f"{reason} Then sign in with your password again.",
        advice=["Is your phone’s clock right? Set it to automatic time.", "A recovery code works without your phone."],
        links=[("Sign in", url_for("auth.sign_in"))],
    )
    return page, 429, headers
