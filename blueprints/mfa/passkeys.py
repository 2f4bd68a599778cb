"""Adding a passkey or security key. Browsers speak JSON here: a script has to ask the key for its answer."""

from flask import flash, jsonify, render_template, request, url_for
from flask.typing import ResponseReturnValue

from blueprints import wiring
from blueprints.browser_session import confirm_presence
from blueprints.gate import management_action
from blueprints.machine_answers import problem_refusal
from blueprints.mfa import bp
from blueprints.mfa.arrival import after_enrolment
from blueprints.mfa.forms import PasskeyForm
from domain.identity import factors, passkey_enrolment
from domain.policy.actions import Action
from domain.policy.decision import Permit
from domain.problems import Problem
from models import db


@bp.get("/manage/account/webauthn-provision")
@management_action(Action.ENROL_PASSKEY, keeps=("label",))
def passkey(permit: Permit) -> ResponseReturnValue:
    """Say what will happen, and ask for a name."""
    form = PasskeyForm(formdata=None, label=request.args.get("label", ""))
    is_first = not factors.all_of(db.session(), permit.account.user_id)
    return render_template("mfa/passkey.html", form=form, is_first=is_first)


@bp.post("/manage/account/webauthn-provision/options")
@management_action(Action.ENROL_PASSKEY, resume="mfa.passkey")
def passkey_options(permit: Permit) -> ResponseReturnValue:
    """What the browser is to ask its authenticators for."""
    found = wiring.services()
    try:
        options = passkey_enrolment.begin_passkey(
            db.session(), permit, found.box, found.party, label=request.form.get("label", ""), now=wiring.now()
        )
    except Problem as problem:
        db.session.rollback()
        return problem_refusal(problem)
    db.session.commit()
    return jsonify(options)


@bp.post("/manage/account/webauthn-provision/validate")
@management_action(Action.ENROL_PASSKEY, resume="mfa.passkey", keeps=("label",))
def passkey_validate(permit: Permit) -> ResponseReturnValue:
    """Take the key that was made, and say where to go on."""
    found = wiring.services()
    try:
        key = passkey_enrolment.confirm_passkey(
            db.session(),
            permit,
            found.box,
            found.notices,
            found.party,
            answer=request.form.get("credential", ""),
            label=request.form.get("label", ""),
            now=wiring.now(),
        )
    except Problem as problem:
        db.session.rollback()
        return problem_refusal(problem)
    confirm_presence()
    label, kind = key.label, key.kind
    where = "synced to your other devices" if key.is_backed_up else "on this device only"
    destination = after_enrolment(permit.account.user_id)
    db.session.commit()
    flash(f"{kind.capitalize()} saved as “{label}”, {where}.", "success")
    return jsonify(redirect_to=url_for(destination))
