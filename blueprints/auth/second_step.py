"""The second step of signing in: a code from an authenticator app, or a recovery code; keys come through `passkeys`."""

from flask import flash, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from wtforms import BooleanField, HiddenField, StringField
from wtforms.validators import AnyOf, InputRequired

from blueprints import wiring
from blueprints.auth import bp
from blueprints.auth.arrival import arrive
from blueprints.auth.half import KEY_GIVEN, PASSWORD_GIVEN, half_signed_in, not_here
from blueprints.browser_session import leave, level, origin_of
from blueprints.fields import Secret
from blueprints.form_problems import INVALID, put, status_of
from blueprints.gate import public
from blueprints.redirects import safe_next
from domain.identity import accounts, browsers, factors, recovery
from domain.identity.second_step import check_code
from domain.identity.sessions import Level
from domain.identity.sign_ins import Method
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
    remember_browser = BooleanField(f"Trust this browser for {browsers.TRUST_LASTS.days} days")


class RecoveryStepForm(FlaskForm):  # type: ignore[misc]
    """A recovery code."""

    recovery_code_value = StringField("Recovery code")


class PasswordStepForm(FlaskForm):  # type: ignore[misc]
    """The password, after a key that did not check its owner."""

    password = Secret("Password", [InputRequired("Type your password.")])


@bp.route("/account/two-factor/", methods=["GET", "POST"])
@public
def second_step() -> ResponseReturnValue:
    """Take a code from an app of the account whose password was given just now."""
    if half_signed_in(KEY_GIVEN) is not None:
        return redirect(url_for("auth.password_step"), 303)
    user, form = half_signed_in(PASSWORD_GIVEN), SecondStepForm()
    if user is None:
        return not_here()
    if not form.is_submitted():
        return _page(user, form)
    if not form.validate():
        return _page(user, form), 400
    try:
        check_code(
            db.session(),
            wiring.services().box,
            user.id,
            form.totp_value.data or "",
            origin=origin_of(request),
            now=wiring.now(),
        )
        trust = form.remember_browser.data
        return redirect(arrive(user, method=Method.APP, destination=_destination(), trust=trust), 303)
    except Problem as problem:
        form.totp_value.data = ""
        return _refused("auth/second_step.html", form, problem, **_ways(user))


@bp.route("/account/recovery-code/", methods=["GET", "POST"])
@public
def recovery_step() -> ResponseReturnValue:
    """Take a recovery code instead, and lead to where the lost device is replaced."""
    user, form = half_signed_in(PASSWORD_GIVEN), RecoveryStepForm()
    if user is None:
        return not_here()
    if not form.validate_on_submit():
        return render_template("auth/recovery_step.html", form=form)
    found, typed = wiring.services(), form.recovery_code_value.data or ""
    try:
        left = recovery.use_code(
            db.session(), found.notices, user.id, typed, origin=origin_of(request), now=wiring.now()
        )
        destination = arrive(user, method=Method.RECOVERY_CODE, destination=url_for("mfa.choose"))
    except Problem as problem:
        form.recovery_code_value.data = ""
        return _refused("auth/recovery_step.html", form, problem)
    if level() is Level.FULL:  # and does not wait for a mailed link
        few = " Make new ones now." if left <= recovery.FEW else ""
        flash(f"You signed in with a recovery code; {left} {'is' if left == 1 else 'are'} left.{few}", "warning")
    return redirect(destination, 303)


@bp.route("/account/two-factor/password/", methods=["GET", "POST"])
@public
def password_step() -> ResponseReturnValue:
    """Take the password of the account whose key was used just now and did not check its owner."""
    user, form, found = half_signed_in(KEY_GIVEN), PasswordStepForm(), wiring.services()
    if user is None:
        return not_here()
    if not form.validate_on_submit():
        return render_template("auth/password_step.html", form=form, username=user.username), (
            INVALID if form.is_submitted() else 200
        )
    try:
        user = accounts.authenticate_after_key(
            db.session(),
            found.hasher,
            user.id,
            password=form.password.data,
            origin=origin_of(request),
            now=wiring.now(),
        )
    except Problem as problem:
        return _refused("auth/password_step.html", form, problem, username=user.username)
    return redirect(arrive(user, method=Method.SECURITY_KEY, destination=_destination()), 303)


def _destination() -> str:
    return safe_next(session.get("next"), otherwise=url_for("management.projects"))


def _ways(user: User) -> dict[str, object]:
    return {
        "has_app": bool(factors.apps_of(db.session(), user.id)),
        "has_key": bool(factors.working_keys_of(db.session(), user.id)),
        "may_trust": browsers.may_trust(user),
    }


def _page(user: User, form: SecondStepForm) -> str:
    return render_template("auth/second_step.html", form=form, **_ways(user))


def _refused(page: str, form: FlaskForm, problem: Problem, **values: object) -> ResponseReturnValue:
    """The form again; after five wrong codes the sign-in is over, so that each further five cost a password."""
    db.session.rollback()
    wrong = session.get(WRONG_CODES, 0) + (0 if isinstance(problem, MalformedCode) else 1)
    if isinstance(problem, TooMany) or wrong >= MOST_WRONG_CODES:
        return _given_up(problem)
    session[WRONG_CODES] = wrong
    status = put(form, problem)
    return render_template(page, form=form, **values), *status


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
        advice=[
            "Is your phone’s clock right? Set it to automatic time.",
            "A recovery code works without your phone.",
            "A passkey signs you in at once.",
        ],
        links=[("Sign in", url_for("auth.sign_in"))],
    )
    return page, 429, headers
