"""Your organizations, and the requests for new ones."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from blueprints import intent, wiring
from blueprints.form_problems import INVALID, put
from blueprints.gate import management_action
from blueprints.management import bp
from blueprints.management.organization_forms import AnswerForm, FactsForm, RequestForm
from blueprints.management.targets import ROW_ID, request_from_url
from domain.identity import throttle
from domain.index import invitations, organization_requests
from domain.index.organization_facts import Facts
from domain.index.organization_requests import Wish
from domain.index.organizations import parts_of_user
from domain.policy.actions import Action
from domain.policy.decision import Permit
from domain.problems import Problem
from models import OrganizationRequest, db


@bp.get("/manage/organizations/")
@management_action(Action.VIEW_ORGANIZATIONS)
def organizations(permit: Permit) -> ResponseReturnValue:
    """List the organizations that one has a part in, and the requests for others."""
    user_id = permit.account.user_id
    waiting = invitations.to_user(db.session(), user_id, now=wiring.now())
    return render_template(
        "management/organizations.html",
        invitations=[invitation for invitation in waiting if invitation.organization is not None],
        leaf=parts_of_user(db.session(), user_id, after=request.args.get("after", "")),
        requests=organization_requests.of_user(db.session(), user_id),
    )


@bp.route("/manage/organizations/request/", methods=["GET", "POST"])
@management_action(Action.REQUEST_ORGANIZATION, keeps=("name", "display_name", "url", "description", "purpose"))
def request_organization(permit: Permit) -> ResponseReturnValue:
    """Ask the administrators for an organization."""
    is_kept = intent.is_resumed()
    form = RequestForm(formdata=request.args) if is_kept else RequestForm()
    template, now = "management/request_organization.html", wiring.now()
    if not form.validate_on_submit():
        return render_template(template, form=form, is_kept=is_kept), INVALID if form.errors else 200
    wish = Wish(form.name.data, facts_of(form), form.purpose.data)
    try:
        throttle.take(db.session(), (throttle.REQUEST_ORGANIZATION, str(permit.account.user_id)), now=now)
        organization_requests.make(db.session(), permit, wiring.services().notices, wish, now=now)
    except Problem as problem:
        db.session.rollback()
        status = put(form, problem)
        return render_template(template, form=form, is_kept=False), *status
    db.session.commit()
    flash(f"You asked for {wish.name}. The administrators of this index answer by mail.", "success")
    return redirect(url_for("management.organizations"), 303)


@bp.route(f"/manage/organizations/request/<{ROW_ID}:request_id>/", methods=["GET", "POST"])
@management_action(Action.ANSWER_QUESTION, target=request_from_url, keeps=("answer",))
def answer_question(permit: Permit, wish: OrganizationRequest) -> ResponseReturnValue:
    """Show what the administrators ask, and take the answer."""
    is_kept = intent.is_resumed()
    form = AnswerForm(formdata=request.args) if is_kept else AnswerForm()
    template = "management/answer_question.html"
    if not form.validate_on_submit():
        page = render_template(template, wish=wish, form=form, is_kept=is_kept)
        return page, INVALID if form.errors else 200
    notices, now = wiring.services().notices, wiring.now()
    try:
        organization_requests.answer(db.session(), permit, notices, wish, text=form.answer.data, now=now)
    except Problem as problem:
        db.session.rollback()
        status = put(form, problem)
        return render_template(template, wish=wish, form=form, is_kept=False), *status
    db.session.commit()
    flash("Your answer is with the administrators.", "success")
    return redirect(url_for("management.organizations"), 303)


@bp.post(f"/manage/organizations/request/<{ROW_ID}:request_id>/withdraw")
@management_action(Action.WITHDRAW_REQUEST, target=request_from_url, resume="management.organizations")
def withdraw_request(permit: Permit, wish: OrganizationRequest) -> ResponseReturnValue:
    """Take a request back."""
    name = wish.name
    try:
        organization_requests.withdraw(db.session(), permit, wish, now=wiring.now())
    except Problem as problem:
        db.session.rollback()
        flash(problem.message, "warning")
        return redirect(url_for("management.organizations"), 303)
    db.session.commit()
    flash(f"You no longer ask for {name}.", "success")
    return redirect(url_for("management.organizations"), 303)


def facts_of(form: FactsForm) -> Facts:
    """What was typed about an organization, unchecked."""
    return Facts(form.display_name.data, form.url.data, form.description.data)
