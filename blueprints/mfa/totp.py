"""Connecting an authenticator app: the QR code, the key, and the code that proves it."""

from io import BytesIO

import segno
from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from blueprints import wiring
from blueprints.browser_session import confirm_presence
from blueprints.form_problems import INVALID, Status, put
from blueprints.gate import management_action
from blueprints.mfa import bp
from blueprints.mfa.arrival import after_enrolment
from blueprints.mfa.forms import TotpForm
from domain.identity import factors, totp_enrolment
from domain.identity.totp import grouped, otpauth_uri
from domain.policy.actions import Action
from domain.policy.decision import Permit
from domain.problems import Problem
from models import db


@bp.route("/manage/account/totp-provision", methods=["GET", "POST"])
@management_action(Action.ENROL_TOTP, keeps=("label",))
def totp(permit: Permit) -> ResponseReturnValue:
    """Show the QR code; take the code that it leads to."""
    form = TotpForm()
    if not form.is_submitted():
        form.label.data = request.args.get("label") or _free_label(permit)
        return _page(permit, form, (200, {}))
    if not form.validate():
        return _page(permit, form, (INVALID, {}))
    found, now = wiring.services(), wiring.now()
    try:
        totp_enrolment.confirm_totp(
            db.session(),
            permit,
            found.box,
            found.notices,
            code=form.totp_value.data or "",
            label=form.label.data or "",
            now=now,
        )
    except Problem as problem:
        return _refused(permit, form, problem)
    confirm_presence()
    destination = after_enrolment(permit.account.user_id)
    db.session.commit()
    return redirect(url_for(destination), 303)


@bp.post("/manage/account/totp-provision/restart")
@management_action(Action.ENROL_TOTP, resume="mfa.totp")
def restart_totp(permit: Permit) -> ResponseReturnValue:
    """Throw the waiting secret away; the page shows a new one."""
    totp_enrolment.drop_pending(db.session(), permit)
    db.session.commit()
    flash("This is a new code. Remove the old entry from your app, then scan this one.", "info")
    return redirect(url_for("mfa.totp"), 303)


def _refused(permit: Permit, form: TotpForm, problem: Problem) -> ResponseReturnValue:
    db.session.rollback()
    if isinstance(problem, totp_enrolment.SetUpOver) and factors.apps_of(db.session(), permit.account.user_id):
        flash(problem.message, "info")
        return redirect(url_for("mfa.choose"), 303)
    form.totp_value.data = ""
    return _page(permit, form, put(form, problem))


def _page(permit: Permit, form: TotpForm, status: Status) -> ResponseReturnValue:
    site, user_id = wiring.services().site, permit.account.user_id
    try:
        waiting = totp_enrolment.begin_totp(db.session(), permit, wiring.services().box, now=wiring.now())
    except Problem as problem:  # five apps
        flash(problem.message, "warning")
        return redirect(url_for("mfa.choose"), 303)
    db.session.commit()
    is_first, apps = not factors.all_of(db.session(), user_id), factors.apps_of(db.session(), user_id)
    secret: str = waiting.payload["secret"]
    label = _free_label(permit) if apps else ""
    uri = otpauth_uri(secret, account=permit.account.username, issuer=f"{site.name} {site.host}", label=label)
    page = render_template(
        "mfa/totp.html",
        form=form,
        is_first=is_first,
        which="your" if is_first else "another" if apps else "an",
        qr=_qr(uri),
        uri=uri,
        key=grouped(secret),
        username=permit.account.username,
        until=waiting.expires_at,
    )
    return page, *status


def _free_label(permit: Permit) -> str:
    return factors.free_label(db.session(), permit.account.user_id, totp_enrolment.LABEL)


def _qr(text: str) -> Markup:
    """An SVG element without style, colour scheme or size of its own, with the quiet zone of four modules that ISO
    18004 asks for. The text is drawn, not written, so nothing in it can break out."""
    drawn = BytesIO()
    segno.make(text, micro=False).save(
        drawn, kind="svg", border=4, omitsize=True, xmldecl=False, svgns=False, svgclass=None, lineclass=None
    )
    return Markup(drawn.getvalue().decode())  # noqa: S704 - segno's own output
