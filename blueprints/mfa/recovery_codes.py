"""Recovery codes: shown once, saved, proved, made anew."""

from flask import Response, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from blueprints import wiring
from blueprints.form_problems import Status, put
from blueprints.gate import management_action
from blueprints.mfa import bp
from blueprints.mfa.forms import SavedForm
from domain.identity import recovery
from domain.policy.actions import Action
from domain.policy.decision import Permit
from domain.problems import Problem
from models import User, db


@bp.get("/manage/account/recovery-codes/")
@management_action(Action.CONFIRM_RECOVERY_CODES)
def recovery_codes(permit: Permit) -> ResponseReturnValue:
    """Show new codes while that is possible, afterwards how many are left."""
    if not permit.account.has_second_factor:
        flash("Recovery codes come with a second factor. Set one up first.", "info")
        return redirect(url_for("mfa.choose"), 303)
    return _page(permit, SavedForm(), (200, {}))


@bp.post("/manage/account/recovery-codes/generate")
@management_action(Action.MAKE_RECOVERY_CODES, resume="mfa.recovery_codes")
def generate_codes(permit: Permit) -> ResponseReturnValue:
    """Make new ones; the old ones are void."""
    found = wiring.services()
    recovery.make_codes(db.session(), permit, found.box, found.notices, now=wiring.now())
    db.session.commit()
    flash("These are your new codes. The old ones do not work any more.", "success")
    return redirect(url_for("mfa.recovery_codes"), 303)


@bp.post("/manage/account/recovery-codes/confirm")
@management_action(Action.CONFIRM_RECOVERY_CODES, resume="mfa.recovery_codes")
def confirm_codes(permit: Permit) -> ResponseReturnValue:
    """Take one of them as proof that they are kept."""
    form = SavedForm()
    typed = form.recovery_code_value.data or ""
    try:
        recovery.confirm_saved(db.session(), permit, typed, now=wiring.now())
    except Problem as problem:
        form.recovery_code_value.data = ""
        return _page(permit, form, put(form, problem))
    db.session.commit()
    flash("Your recovery codes are saved. None was used up.", "success")
    return redirect(url_for("mfa.done"), 303)


@bp.post("/manage/account/recovery-codes/download")
@management_action(Action.CONFIRM_RECOVERY_CODES, resume="mfa.recovery_codes")
def download_codes(permit: Permit) -> ResponseReturnValue:
    """Hand the codes out as a text file, while they are shown."""
    found = wiring.services()
    shown = recovery.shown_codes(db.session(), permit, found.box, now=wiring.now())
    if shown is None:
        flash("These codes are not shown any more. Make new ones if you do not have them.", "warning")
        return redirect(url_for("mfa.recovery_codes"), 303)
    username = permit.account.username
    text = recovery.as_file(shown.codes, site=found.site.public_url, username=username, made_at=shown.made_at)
    name = f"{found.site.host.replace(':', '-')}-recovery-codes-{username}-{shown.made_at:%Y-%m-%d}.txt"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return Response(text, mimetype="text/plain", headers=headers)


def _page(permit: Permit, form: SavedForm, status: Status) -> ResponseReturnValue:
    user = db.session.get_one(User, permit.account.user_id)
    shown = recovery.shown_codes(db.session(), permit, wiring.services().box, now=wiring.now())
    kept = recovery.codes_of(db.session(), user.id)
    page = render_template(
        "mfa/codes.html" if shown else "mfa/codes_overview.html",
        form=form,
        shown=shown,
        kept=kept,
        left=sum(code.used_at is None for code in kept),
        few=recovery.FEW,
        username=user.username,
        is_confirmed=user.recovery_codes_confirmed_at is not None,
    )
    return page, *status
