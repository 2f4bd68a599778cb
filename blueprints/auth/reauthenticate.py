"""Confirm it is you: asked before what an open, unattended browser must not be able to do."""

from flask import redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from wtforms import StringField
from wtforms.validators import InputRequired

from blueprints import intent, wiring
from blueprints.auth import bp
from blueprints.browser_session import confirm_presence
from blueprints.fields import Secret
from blueprints.form_problems import INVALID, put
from blueprints.gate import management_action
from domain.identity.presence import prove_presence
from domain.policy.actions import Action
from domain.policy.decision import Permit
from domain.problems import Problem
from models import db


class ConfirmForm(FlaskForm):  # type: ignore[misc]  # flask_wtf publishes no types
    """The password again, and a code where there is an app."""

    password = Secret("Password", [InputRequired("Type your password.")])
    totp_value = StringField("Code from the app")


@bp.route("/account/reauthenticate/", methods=["GET", "POST"])
@management_action(Action.CONFIRM_PRESENCE)
def reauthenticate(permit: Permit) -> ResponseReturnValue:
    """Take the proof, and go on with what was asked for."""
    form, found = ConfirmForm(), wiring.services()
    if not form.is_submitted():
        return _page(permit, form)
    code, form.totp_value.data = form.totp_value.data or "", ""  # a code is never shown again
    if not form.validate():
        return _page(permit, form), INVALID
    try:
        prove_presence(
            db.session(),
            permit,
            found.hasher,
            found.box,
            password=form.password.data or "",
            code=code,
            now=wiring.now(),
        )
    except Problem as problem:
        db.session.rollback()
        status = put(form, problem)
        return _page(permit, form), *status
    confirm_presence()
    address = intent.take()
    db.session.commit()
    return redirect(address or url_for("management.account"), 303)


def _page(permit: Permit, form: ConfirmForm) -> str:
    account = permit.account
    return render_template(
        "auth/reauthenticate.html", form=form, username=account.username, has_app=account.has_second_factor
    )
