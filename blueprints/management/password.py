"""Changing the password."""

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from blueprints import wiring
from blueprints.browser_session import confirm_presence
from blueprints.form_problems import INVALID, Status, put
from blueprints.gate import management_action
from blueprints.management import bp
from blueprints.management.account_forms import PasswordForm
from domain.identity.password_changes import change_password
from domain.policy.actions import Action
from domain.policy.decision import Permit
from domain.problems import Problem
from models import db


@bp.route("/manage/account/password/", methods=["GET", "POST"])
@management_action(Action.CHANGE_PASSWORD)
def password(permit: Permit) -> ResponseReturnValue:
    """Take the current password and a new one; other browsers are signed out."""
    form, found = PasswordForm(), wiring.services()
    if not form.validate_on_submit():
        return _page(permit, form, (INVALID if form.is_submitted() else 200, {}))
    try:
        change_password(
            db.session(),
            permit,
            found.hasher,
            found.breaches,
            found.notices,
            current=form.password.data,
            new=form.new_password.data,
            now=wiring.now(),
        )
    except Problem as problem:
        db.session.rollback()
        return _page(permit, form, put(form, problem))
    confirm_presence()
    db.session.commit()
    flash("Your password is changed. Your other browsers are signed out.", "success")
    return redirect(url_for("management.account"), 303)


def _page(permit: Permit, form: PasswordForm, status: Status) -> ResponseReturnValue:
    return render_template("management/password.html", form=form, username=permit.account.username), *status
