"""Renaming and removing an authenticator app."""

from flask import abort, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from sqlalchemy import select

from blueprints import wiring
from blueprints.form_problems import INVALID, put
from blueprints.gate import management_action
from blueprints.mfa import bp
from blueprints.mfa.forms import RenameForm
from domain.identity import factors
from domain.policy.actions import Action
from domain.policy.decision import Permit
from domain.policy.principals import Member, Principal
from domain.policy.targets import Target
from domain.problems import Problem
from models import TotpApp, db


def app_from_url(principal: Principal, public_id: str) -> Target:
    """One's own app; nobody may know of anybody else's."""
    app = db.session.scalar(select(TotpApp).where(TotpApp.public_id == public_id))
    if app is None or not isinstance(principal, Member) or app.user_id != principal.account.user_id:
        abort(404)
    return Target(app, app.label, owner_id=app.user_id)


@bp.route("/manage/account/two-factor/<public_id>/rename/", methods=["GET", "POST"])
@management_action(Action.RENAME_FACTOR, target=app_from_url)
def rename_totp(permit: Permit, app: TotpApp) -> ResponseReturnValue:
    """Ask for a name, and take it."""
    form, label = RenameForm(label=app.label), app.label
    if not form.validate_on_submit():
        return render_template("mfa/rename.html", form=form, label=label), INVALID if form.is_submitted() else 200
    try:
        factors.rename_totp(db.session(), permit, app, label=form.label.data or "", now=wiring.now())
    except Problem as problem:
        db.session.rollback()
        status = put(form, problem)
        return render_template("mfa/rename.html", form=form, label=label), *status
    db.session.commit()
    flash("Renamed.", "success")
    return redirect(url_for("mfa.choose"), 303)


@bp.route("/manage/account/two-factor/<public_id>/remove/", methods=["GET", "POST"])
@management_action(Action.REMOVE_FACTOR, target=app_from_url)
def remove_totp(permit: Permit, app: TotpApp) -> ResponseReturnValue:
    """Say what goes, and let it go."""
    form, found, now, label = FlaskForm(), wiring.services(), wiring.now(), app.label
    if not form.validate_on_submit():
        stays = factors.must_stay(db.session(), app, permit.account, found.policy, now=now)
        return render_template("mfa/remove.html", form=form, label=label, must_stay=stays)
    try:
        factors.remove_totp(db.session(), permit, found.notices, app, policy=found.policy, now=now)
    except Problem as problem:
        db.session.rollback()
        status = put(form, problem)
        return render_template("mfa/remove.html", form=form, label=label, must_stay=True), *status
    db.session.commit()
    flash(f"“{label}” was removed. Delete its entry from the app, too: its codes do not work any more.", "success")
    return redirect(url_for("mfa.choose"), 303)
