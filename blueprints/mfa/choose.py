"""Where somebody without a second factor is sent, and where the others look after theirs."""

from dataclasses import dataclass

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from blueprints import wiring
from blueprints.browser_session import row_session
from blueprints.factor_rows import rows_of
from blueprints.gate import management_action
from blueprints.mfa import bp
from domain.identity import factors, recovery, totp_enrolment
from domain.identity.passkeys import encoded
from domain.identity.sign_ins import Method
from domain.policy.actions import Action
from domain.policy.decision import Permit
from models import User, db

METHODS = {"totp": "mfa.totp", "webauthn": "mfa.passkey"}


@bp.get("/manage/account/two-factor/")
@management_action(Action.VIEW_FACTORS)
def choose(permit: Permit) -> ResponseReturnValue:
    """Offer the methods, or list what there is already."""
    if request.args.get("method") in METHODS:
        return redirect(url_for(METHODS[request.args["method"]]), 303)
    user = db.session.get_one(User, permit.account.user_id)
    accepted = _accepted(user)
    if not permit.account.has_second_factor:
        return render_template("mfa/choose.html", accepted=accepted)
    return render_template(
        "mfa/factors.html",
        rows=rows_of(permit),
        app_count=len(factors.apps_of(db.session(), user.id)),
        most_apps=totp_enrolment.MAX_APPS,
        codes_left=recovery.codes_left(db.session(), user.id),
        all_codes=recovery.CODES,
        accepted=accepted,
        is_by_recovery_code=row_session().begun_by(Method.RECOVERY_CODE.words),
    )


@bp.get("/manage/account/two-factor/done/")
@management_action(Action.VIEW_FACTORS)
def done(permit: Permit) -> ResponseReturnValue:
    """Say what there is now, and lead back to what was interrupted."""
    listed = factors.all_of(db.session(), permit.account.user_id)
    if not listed:
        return redirect(url_for("mfa.choose"), 303)
    left = recovery.codes_left(db.session(), permit.account.user_id)
    return render_template("mfa/done.html", factors=listed, codes_left=left, all_codes=recovery.CODES)


@dataclass(frozen=True)
class Accepted:
    """What a browser may tell password managers: which of our passkeys still sign in (WebAuthn Level 3 §5.1.10)."""

    party_id: str
    handle: str
    ids: list[str]


def _accepted(user: User) -> Accepted | None:
    if user.passkey_handle is None:
        return None
    ids = [encoded(key.credential_id) for key in factors.working_keys_of(db.session(), user.id)]
    return Accepted(wiring.services().party.id, encoded(user.passkey_handle), ids)
