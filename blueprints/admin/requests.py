"""Requests for organizations: the list, and what is decided about each."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from blueprints import intent, wiring
from blueprints.admin import bp
from blueprints.admin.forms import DecisionForm
from blueprints.admin.targets import request_from_url
from blueprints.form_problems import INVALID, Status, put
from blueprints.gate import management_action
from blueprints.url_values import ROW_ID
from domain.index import organization_requests
from domain.policy.actions import Action
from domain.policy.decision import Permit
from domain.problems import Problem
from models import OrganizationRequest, db


@bp.get("/admin/")
@management_action(Action.VIEW_REQUESTS)
def front(permit: Permit) -> ResponseReturnValue:
    """Where one comes by typing it: the requests, which are what waits."""
    return redirect(url_for("admin.requests"))


@bp.get("/admin/organizations/")
@management_action(Action.VIEW_REQUESTS)
def requests(permit: Permit) -> ResponseReturnValue:
    """List the requests that wait, or those that are decided."""
    is_decided = request.args.get("show") == "decided"
    before = request.args.get("before", type=int)
    leaf = organization_requests.leaf(
        db.session(), undecided=not is_decided, before=before if before and 0 < before < 2**31 else None
    )
    return render_template("admin/requests.html", leaf=leaf, is_decided=is_decided)


@bp.get(f"/admin/organizations/<{ROW_ID}:request_id>/")
@management_action(Action.VIEW_REQUESTS, target=request_from_url)
def request_page(permit: Permit, wish: OrganizationRequest) -> ResponseReturnValue:
    """Show a request, with the form that decides about it."""
    is_kept = intent.is_resumed()
    form = DecisionForm(formdata=request.args) if is_kept else DecisionForm()
    return _page(wish, form, (200, {}), is_kept=is_kept)


@bp.post(f"/admin/organizations/<{ROW_ID}:request_id>/decide")
@management_action(
    Action.DECIDE_REQUEST, target=request_from_url, resume="admin.request_page", keeps=("decision", "text")
)
def decide_request(permit: Permit, wish: OrganizationRequest) -> ResponseReturnValue:
    """Approve, decline or ask."""
    form = DecisionForm()
    if not form.validate_on_submit():
        return _page(wish, form, (INVALID, {}))
    maker = wish.user.username
    try:
        done = _decide(permit, wish, form)
    except Problem as problem:
        db.session.rollback()
        return _page(wish, form, put(form, problem))
    db.session.commit()
    flash(f"{done} {maker} is told by mail.", "success")
    return redirect(url_for("admin.requests"), 303)


def _decide(permit: Permit, wish: OrganizationRequest, form: DecisionForm) -> str:
    """Do what was chosen; a sentence that says so."""
    session, notices, now, text = db.session(), wiring.services().notices, wiring.now(), form.text.data
    match form.decision.data:
        case "approve":
            organization_requests.approve(session, permit, notices, wish, now=now)
            return f"The organization {wish.name} exists now."
        case "decline":
            organization_requests.decline(session, permit, notices, wish, text=text, now=now)
            return f"The request for {wish.name} is declined."
        case "ask":
            organization_requests.ask(session, permit, notices, wish, text=text, now=now)
            return f"Your question about {wish.name} is sent."
    raise Problem("Choose what you decide.", field="decision")


def _page(
    wish: OrganizationRequest, form: DecisionForm, status: Status, *, is_kept: bool = False
) -> ResponseReturnValue:
    rivals = organization_requests.rivals_of(db.session(), wish)
    return render_template("admin/request.html", wish=wish, form=form, rivals=rivals, is_kept=is_kept), *status
