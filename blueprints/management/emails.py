"""One's email addresses, and the page of an account whose address is still to be verified."""

from collections.abc import Callable

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from blueprints import intent, wiring
from blueprints.form_problems import INVALID, Status, put, status_of
from blueprints.gate import management_action
from blueprints.management import bp
from blueprints.management.account_forms import EmailForm
from blueprints.management.targets import ROW_ID, email_from_url
from domain.identity import emails as addresses
from domain.policy.actions import Action
from domain.policy.decision import Permit
from domain.problems import Problem
from models import Email, User, db

OF_EMAIL = f"/manage/account/emails/<{ROW_ID}:email_id>"


@bp.get("/manage/account/emails/")
@management_action(Action.VIEW_ACCOUNT)
def emails(permit: Permit) -> ResponseReturnValue:
    """List the addresses, with a form for another."""
    return _list(permit, _form_kept(), (200, {}))


@bp.post("/manage/account/emails/")
@management_action(Action.ADD_EMAIL, resume="management.emails", keeps=("email",))
def add_email(permit: Permit) -> ResponseReturnValue:
    """Add an address and mail it the link."""
    form, found = EmailForm(), wiring.services()
    if not form.validate():
        return _list(permit, form, (INVALID, {}))
    try:
        email = addresses.add(db.session(), permit, found.box, found.notices, typed=form.email.data, now=wiring.now())
    except Problem as problem:
        return _list(permit, form, put(form, problem))
    address = email.address
    db.session.commit()
    flash(f"We sent a link to {address}: open it to verify the address.", "success")
    return redirect(url_for("management.emails"), 303)


@bp.post(f"{OF_EMAIL}/verify")
@management_action(Action.VERIFY_EMAIL, target=email_from_url, resume="management.emails")
def resend_verification(permit: Permit, email: Email) -> ResponseReturnValue:
    """Mail the link again."""
    found = wiring.services()
    return _done(
        permit,
        email,
        lambda: addresses.resend(db.session(), permit, found.box, found.notices, email, now=wiring.now()),
        "We sent a new link to {}.",
    )


@bp.post(f"{OF_EMAIL}/primary")
@management_action(Action.CHANGE_PRIMARY_EMAIL, target=email_from_url, resume="management.emails")
def make_primary(permit: Permit, email: Email) -> ResponseReturnValue:
    """Make a verified address the primary one."""
    notices = wiring.services().notices
    return _done(
        permit,
        email,
        lambda: addresses.make_primary(db.session(), permit, notices, email, now=wiring.now()),
        "{} is your primary address now.",
    )


@bp.post(f"{OF_EMAIL}/remove")
@management_action(Action.REMOVE_EMAIL, target=email_from_url, resume="management.emails")
def remove_email(permit: Permit, email: Email) -> ResponseReturnValue:
    """Remove an address."""
    notices = wiring.services().notices
    return _done(
        permit,
        email,
        lambda: addresses.remove(db.session(), permit, notices, email, now=wiring.now()),
        "{} was removed.",
    )


@bp.get("/manage/unverified-account/")
@management_action(Action.VERIFY_EMAIL)
def unverified(permit: Permit) -> ResponseReturnValue:
    """The one task of a new account: verify the address, or correct it."""
    if permit.account.has_verified_email and not permit.account.must_prove_address:
        return redirect(url_for("management.account"), 303)
    return _task(permit, _form_kept(), (200, {}))


@bp.post("/manage/unverified-account/")
@management_action(Action.CORRECT_EMAIL, resume="management.unverified", keeps=("email",))
def correct_email(permit: Permit) -> ResponseReturnValue:
    """Put another address in the place of the wrong one."""
    form, found = EmailForm(), wiring.services()
    if not form.validate():
        return _task(permit, form, (INVALID, {}))
    try:
        email = addresses.correct(
            db.session(), permit, found.box, found.notices, typed=form.email.data, now=wiring.now()
        )
    except Problem as problem:
        return _task(permit, form, put(form, problem))
    address, is_verified = email.address, email.verified_at is not None
    db.session.commit()
    flash(f"{address} is your address now." if is_verified else f"We sent a link to {address}.", "success")
    return redirect(url_for("management.unverified"), 303)


def _form_kept() -> EmailForm:
    return EmailForm(formdata=request.args) if intent.is_resumed() else EmailForm()


def _done(permit: Permit, email: Email, act: Callable[[], None], words: str) -> ResponseReturnValue:
    """Do it and say so; or show the list with the reason why not."""
    address, is_primary = email.address, email.is_primary
    try:
        act()
    except Problem as problem:
        db.session.rollback()
        return _list(permit, EmailForm(formdata=None), status_of(problem), problem.message)
    db.session.commit()
    flash(words.format(address), "success")
    account = permit.account
    is_the_task = is_primary and (account.must_prove_address or not account.has_verified_email)
    return redirect(url_for("management.unverified" if is_the_task else "management.emails"), 303)


def _list(permit: Permit, form: EmailForm, status: Status, refusal: str = "") -> ResponseReturnValue:
    user = db.session.get_one(User, permit.account.user_id)
    page = render_template(
        "management/emails.html",
        form=form,
        emails=user.emails,
        why_not=refusal,
        is_verified=user.has_verified_email,
        has_room=len(user.emails) < addresses.MAX_ADDRESSES,
    )
    return page, *status


def _task(permit: Permit, form: EmailForm, status: Status) -> ResponseReturnValue:
    user = db.session.get_one(User, permit.account.user_id)
    email, account = user.primary_email, permit.account
    again = account.must_prove_address and account.has_verified_email  # the first proof is a fresh one, too
    return render_template("management/unverified.html", form=form, email=email, again=again), *status
