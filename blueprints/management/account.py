"""The account page: how well it is protected, the profile, second factors, and what happened lately."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from blueprints import intent, wiring
from blueprints.factor_rows import rows_of
from blueprints.form_problems import INVALID, Status, put
from blueprints.gate import management_action
from blueprints.management import bp
from blueprints.management.account_forms import ProfileForm
from domain import history
from domain.history import Book, Kind
from domain.identity import accounts, recovery
from domain.identity.protection import STALE_AFTER, protection_of
from domain.policy.actions import Action
from domain.policy.decision import Permit
from domain.problems import Problem
from models import User, db

NEWEST = 10  # of the history; the rest has a page of its own


@bp.get("/manage/account/")
@management_action(Action.VIEW_ACCOUNT)
def account(permit: Permit) -> ResponseReturnValue:
    """Show the account."""
    user = db.session.get_one(User, permit.account.user_id)
    is_kept = intent.is_resumed()
    form = (
        ProfileForm(formdata=request.args)
        if is_kept
        else ProfileForm(full_name=user.full_name, public_email=_shown(user))
    )
    return _page(permit, form, (200, {}))


@bp.post("/manage/account/")
@management_action(Action.EDIT_PROFILE, resume="management.account", keeps=("full_name", "public_email"))
def edit_profile(permit: Permit) -> ResponseReturnValue:
    """Change the profile."""
    form = ProfileForm()
    if not form.validate():
        return _page(permit, form, (INVALID, {}))
    try:
        public_email = form.public_email.data
        if public_email is None:  # a program that leaves it out means to change the name alone
            public_email = _shown(db.session.get_one(User, permit.account.user_id))
        full_name, now = form.full_name.data, wiring.now()
        accounts.edit_profile(db.session(), permit, full_name=full_name, public_email=public_email, now=now)
    except Problem as problem:
        return _page(permit, form, put(form, problem))
    db.session.commit()
    flash("Your profile is saved.", "success")
    return redirect(url_for("management.account"), 303)


def _shown(user: User) -> str:
    return next((email.address for email in user.emails if email.is_public), "")


def _page(permit: Permit, form: ProfileForm, status: Status) -> ResponseReturnValue:
    user, now, policy = db.session.get_one(User, permit.account.user_id), wiring.now(), wiring.services().policy
    form.offer(user)
    page = render_template(
        "management/account.html",
        form=form,
        user=user,
        address=user.primary_email.address if user.primary_email else "",
        protection=protection_of(db.session(), user, permit.account, policy, now=now),
        all_codes=recovery.CODES,
        stale_days=STALE_AFTER.days,
        rows=rows_of(permit),
        entries=history.leaf(db.session(), Book(Kind.ACCOUNT, user.id), reader_id=user.id, most=NEWEST).entries,
    )
    return page, *status
