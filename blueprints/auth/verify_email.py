"""The link that proves an email address."""

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from blueprints import intent, wiring
from blueprints.auth import bp
from blueprints.auth.token_pages import token_page
from blueprints.form_problems import INVALID
from blueprints.gate import management_action
from domain.identity import emails
from domain.identity.standing import standing_of
from domain.policy.actions import Action
from domain.policy.decision import Permit
from domain.problems import Problem
from models import db


@bp.route("/account/verify-email/", methods=["GET", "POST"])
@management_action(Action.VERIFY_EMAIL)
def verify_email(permit: Permit) -> ResponseReturnValue:
    """Show a button on GET, for mail scanners open links too; verify on POST, and lead on to what comes next."""
    box, token = wiring.services().box, request.args.get("token", "")
    try:
        if request.method != "POST":  # HEAD comes here, too
            email = emails.waiting_address(db.session(), permit, box, token, now=wiring.now())
            return token_page("auth/verify_email.html", (200, {}), address=email.address)
        email = emails.verify(db.session(), permit, box, token, now=wiring.now())
    except Problem as problem:
        db.session.rollback()
        return token_page("auth/link_refused.html", (INVALID, {}), problem=problem.message)
    address, destination = email.address, intent.take() or _next_task(permit)
    db.session.commit()
    flash(f"{address} is verified.", "success")
    return redirect(destination, 303)


def _next_task(permit: Permit) -> str:
    standing = standing_of(db.session(), permit.account.user_id)
    is_done = standing is None or standing.has_second_factor
    return url_for("management.account" if is_done else "mfa.choose")
