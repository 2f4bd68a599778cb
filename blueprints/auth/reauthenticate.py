"""Confirm it is you: asked before what an open, unattended browser must not be able to do."""

from datetime import timedelta

from flask import flash, jsonify, redirect, render_template, request, url_for
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
from blueprints.machine_answers import problem_refusal
from domain.identity import presence
from domain.policy.actions import Action
from domain.policy.decision import Permit
from domain.problems import Problem
from models import db


class ConfirmForm(FlaskForm):  # type: ignore[misc]  # flask_wtf publishes no types
    """The password again, and whichever second proof the account has."""

    password = Secret("Password", [InputRequired("Type your password.")])
    totp_value = StringField("Code from the app")
    recovery_code_value = StringField("Recovery code")


@bp.route("/account/reauthenticate/", methods=["GET", "POST"])
@management_action(Action.CONFIRM_PRESENCE)
def reauthenticate(permit: Permit) -> ResponseReturnValue:
    """Take the proof, and go on with what was asked for."""
    form, found = ConfirmForm(), wiring.services()
    if not form.is_submitted():
        return _page(permit, form)
    code, form.totp_value.data = form.totp_value.data or "", ""  # a code is never shown again
    recovery_code, form.recovery_code_value.data = form.recovery_code_value.data or "", ""
    if not form.validate():
        return _page(permit, form), INVALID
    try:
        presence.prove_presence(
            db.session(),
            permit,
            found.hasher,
            found.box,
            found.notices,
            password=form.password.data or "",
            code=code,
            recovery_code=recovery_code,
            now=wiring.now(),
        )
    except Problem as problem:
        db.session.rollback()
        status = put(form, problem)
        return _page(permit, form), *status
    return redirect(_confirmed(), 303)


@bp.post("/account/reauthenticate/options")
@management_action(Action.CONFIRM_PRESENCE, resume="auth.reauthenticate")
def reauthenticate_options(permit: Permit) -> ResponseReturnValue:
    """What the browser is to ask the account's keys for."""
    found = wiring.services()
    try:
        options = presence.ask_for_key(db.session(), permit, found.box, found.party, now=wiring.now())
    except Problem as problem:
        return problem_refusal(problem)
    db.session.commit()
    return jsonify(options)


@bp.post("/account/reauthenticate/validate")
@management_action(Action.CONFIRM_PRESENCE, resume="auth.reauthenticate")
def reauthenticate_validate(permit: Permit) -> ResponseReturnValue:
    """Take the answer of a key, and say where to go on."""
    found = wiring.services()
    try:
        presence.prove_presence_by_key(
            db.session(),
            permit,
            found.hasher,
            found.box,
            found.notices,
            found.party,
            answer=request.form.get("credential", ""),
            password=request.form.get("password", ""),
            now=wiring.now(),
        )
    except Problem as problem:
        db.session.rollback()
        return problem_refusal(problem)
    return jsonify(redirect_to=_confirmed())


def _confirmed() -> str:
    """Remember it, and return the address of what was interrupted. Commits.

    A button that was pressed before has done nothing, and whoever thinks that a stranger's session is over must not go
    away content: so it is said.
    """
    confirm_presence()
    kept, address = intent.peek(), intent.take()
    if kept is not None and kept.is_undone and address is not None:
        flash(f"Confirmed. You asked to {kept.label}: that is not done yet. Go on here.", "info")
    db.session.commit()
    return address or url_for("management.account")


def _page(permit: Permit, form: ConfirmForm) -> str:
    ways = presence.ways_of(db.session(), permit.account.user_id)
    minutes = wiring.services().policy.fresh_for // timedelta(minutes=1)
    username = permit.account.username
    return render_template("auth/reauthenticate.html", form=form, username=username, ways=ways, minutes=minutes)
