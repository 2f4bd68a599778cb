"""Going on with the interrupted action, or dropping it."""

from flask import flash, redirect, url_for
from flask.typing import ResponseReturnValue

from blueprints import intent
from blueprints.gate import management_action
from blueprints.management import bp
from domain.policy.actions import Action
from domain.policy.decision import Permit
from models import db


@bp.post("/manage/account/resume/")
@management_action(Action.VIEW_ACCOUNT, resume="management.account")
def resume(permit: Permit) -> ResponseReturnValue:
    """Open the page of the interrupted action, filled in; once."""
    address = intent.take()
    db.session.commit()
    if address is None:
        flash("What you were doing was not kept any longer. Start it again from here.", "info")
    return redirect(address or url_for("management.account"), 303)


@bp.post("/manage/account/resume/forget/")
@management_action(Action.VIEW_ACCOUNT, resume="management.account")
def forget(permit: Permit) -> ResponseReturnValue:
    """Drop it."""
    intent.forget()
    db.session.commit()
    return redirect(url_for("management.account"), 303)
