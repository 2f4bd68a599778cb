"""Where somebody without a second factor is sent, and where the others look after theirs."""

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from blueprints import wiring
from blueprints.gate import management_action
from blueprints.mfa import bp
from domain.identity import factors, recovery
from domain.policy.actions import Action
from domain.policy.decision import Permit
from models import db


@bp.get("/manage/account/two-factor/")
@management_action(Action.VIEW_FACTORS)
def choose(permit: Permit) -> ResponseReturnValue:
    """Offer the methods, or list what there is already."""
    if request.args.get("method") == "totp":
        return redirect(url_for("mfa.totp"), 303)
    apps = factors.apps_of(db.session(), permit.account.user_id)
    if not apps:
        return render_template("mfa/choose.html")
    policy, now = wiring.services().policy, wiring.now()
    return render_template(
        "mfa/factors.html",
        apps=apps,
        must_stay=factors.must_stay(db.session(), apps[0], permit.account, policy, now=now),
        has_room=len(apps) < factors.MAX_APPS,
        codes_left=recovery.codes_left(db.session(), permit.account.user_id),
        few=recovery.FEW,
    )


@bp.get("/manage/account/two-factor/done/")
@management_action(Action.VIEW_FACTORS)
def done(permit: Permit) -> ResponseReturnValue:
    """Say what there is now, and lead back to what was interrupted."""
    apps = factors.apps_of(db.session(), permit.account.user_id)
    if not apps:
        return redirect(url_for("mfa.choose"), 303)
    left = recovery.codes_left(db.session(), permit.account.user_id)
    return render_template("mfa/done.html", apps=apps, codes_left=left)
