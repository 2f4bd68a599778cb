"""Why was I stopped? The trace of one's last refusal, and what would turn it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import render_template, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from blueprints.denials import REMEDIES
from blueprints.gate import management_action
from blueprints.management import bp
from domain.policy.actions import Action
from domain.policy.decision import Permit, Reason
from models import Event, db


@dataclass(frozen=True)
class Row:
    """A step as the page shows it."""

    question: str
    state: str
    answer: str
    inputs: list[str]


@dataclass(frozen=True)
class Trace:
    """A refusal, read back from the journal."""

    action: str
    target: str
    at: datetime
    rule: str | None
    rows: list[Row]
    helps: list[str]
    way: list[str]
    way_on: tuple[str, str] | None  # text and address of the page where it can be mended


@bp.get("/manage/account/why/")
@management_action(Action.VIEW_ACCOUNT)
def why(permit: Permit) -> ResponseReturnValue:
    """Show the steps of the newest refusal of this account."""
    event = db.session.scalar(
        select(Event)
        .where(Event.user_id == permit.account.user_id, Event.tag.like("gate:%:denied"))
        .order_by(Event.id.desc())
        .limit(1)
    )
    return render_template("management/why.html", found=_trace(event) if event else None)


def _trace(event: Event) -> Trace:
    details = event.details
    return Trace(
        action=details["action"],
        target=details["target"],
        at=event.at,
        rule=details["rule"],
        rows=[row_of(step) for step in details["steps"]],
        helps=details["helps"],
        way=details["way"],
        way_on=_way_on(Reason(details["reason"])),
    )


def _way_on(reason: Reason) -> tuple[str, str] | None:
    if reason not in (Reason.EMAIL_UNVERIFIED, Reason.ADDRESS_PROOF_REQUIRED, Reason.TWO_FACTOR_REQUIRED):
        return None
    remedy = REMEDIES[reason]
    return remedy.title.removesuffix(" to continue"), url_for(str(remedy.endpoint))


def row_of(step: dict[str, Any]) -> Row:  # Any: a step as the journal's JSON gives it back
    """A step, read back from the journal."""
    state = "stopped" if step["stops"] else "unreached" if step["answer"] == "not reached" else "passed"
    inputs = [f"{name}: {value}" for name, value in step["inputs"]]
    return Row(question=step["question"], state=state, answer=step["answer"], inputs=inputs)
