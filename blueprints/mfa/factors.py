"""Renaming and removing a second factor of any kind."""

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm

from blueprints import wiring
from blueprints.form_problems import INVALID, put
from blueprints.gate import management_action
from blueprints.mfa import bp
from blueprints.mfa.forms import RenameForm
from domain.identity import factors
from domain.identity.factors import SecondFactor
from domain.policy.actions import Action
from domain.policy.decision import Permit
from domain.policy.principals import Member, Principal
from domain.policy.targets import Target
from domain.problems import Problem
from models import Passkey, db


def factor_from_url(principal: Principal, public_id: str) -> Target:
    """One's own second factor; nobody may know of anybody else's."""
    return _own(principal, factors.find(db.session(), public_id))


def key_from_label(principal: Principal) -> Target:
    """One's own passkey or security key, by the name that the form gives."""
    wanted = request.values.get("label", "")
    keys = factors.keys_of(db.session(), principal.account.user_id) if isinstance(principal, Member) else []
    return _own(principal, next((key for key in keys if key.label == wanted), None))


@bp.route("/manage/account/two-factor/<public_id>/rename/", methods=["GET", "POST"])
@management_action(Action.RENAME_FACTOR, target=factor_from_url)
def rename(permit: Permit, factor: SecondFactor) -> ResponseReturnValue:
    """Ask for a name, and take it."""
    form, label, notices = RenameForm(label=factor.label), factor.label, wiring.services().notices
    if not form.validate_on_submit():
        return render_template("mfa/rename.html", form=form, label=label), INVALID if form.is_submitted() else 200
    try:
        factors.rename(db.session(), permit, notices, factor, label=form.label.data or "", now=wiring.now())
    except Problem as problem:
        db.session.rollback()
        status = put(form, problem)
        return render_template("mfa/rename.html", form=form, label=label), *status
    db.session.commit()
    flash("Renamed.", "success")
    return redirect(url_for("mfa.choose"), 303)


@bp.route("/manage/account/two-factor/<public_id>/remove/", methods=["GET", "POST"])
@management_action(Action.REMOVE_FACTOR, target=factor_from_url)
def remove(permit: Permit, factor: SecondFactor) -> ResponseReturnValue:
    """Say what goes, and let it go."""
    return _removal(permit, factor)


@bp.post("/manage/account/webauthn-provision/delete")
@management_action(Action.REMOVE_FACTOR, target=key_from_label, resume="mfa.choose")
def remove_by_label(permit: Permit, factor: SecondFactor) -> ResponseReturnValue:
    """The same for a passkey or security key, at PyPI's address."""
    return _removal(permit, factor)


def _removal(permit: Permit, factor: SecondFactor) -> ResponseReturnValue:
    form, found, now = FlaskForm(), wiring.services(), wiring.now()
    shown = {"label": factor.label, "kind": factor.kind, "is_key": isinstance(factor, Passkey)}
    if not form.validate_on_submit():
        stays = factors.must_stay(db.session(), factor, permit.account, found.policy, now=now)
        return render_template("mfa/remove.html", form=form, must_stay=stays, **shown)
    try:
        factors.remove(db.session(), permit, found.notices, factor, policy=found.policy, now=now)
    except Problem as problem:
        db.session.rollback()
        status = put(form, problem)
        return render_template("mfa/remove.html", form=form, must_stay=True, **shown), *status
    db.session.commit()
    elsewhere = (
        "Delete it from your password manager or device, too: it does not sign you in any more."
        if shown["is_key"]
        else "Delete its entry from the app, too: its codes do not work any more."
    )
    flash(f"“{shown['label']}” was removed. {elsewhere}", "success")
    return redirect(url_for("mfa.choose"), 303)


def _own(principal: Principal, factor: SecondFactor | None) -> Target:
    if factor is None or not isinstance(principal, Member) or factor.user_id != principal.account.user_id:
        abort(404)
    return Target(factor, factor.label, owner_id=factor.user_id)
