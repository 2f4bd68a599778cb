"""What happened to one's account, page by page."""

from flask import render_template, request
from flask.typing import ResponseReturnValue

from blueprints.gate import management_action
from blueprints.management import bp
from domain.history import Part, leaf
from domain.policy.actions import Action
from domain.policy.decision import Permit
from models import db

MAX_DIGITS = 10


@bp.get("/manage/account/history/")
@management_action(Action.VIEW_HISTORY)
def history(permit: Permit) -> ResponseReturnValue:
    """Show one page of all of it, or of one part."""
    part = Part.of(request.args.get("show", ""))
    found = leaf(db.session(), permit.account.user_id, part=part, before=_number(request.args.get("before", "")))
    return render_template("management/history.html", leaf=found, part=part, parts=list(Part))


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < MAX_DIGITS else None
