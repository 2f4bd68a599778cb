"""Projects that are offered to oneself or to an organization: seeing what would come, taking it or not."""

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm

from blueprints import wiring
from blueprints.form_problems import INVALID, Status
from blueprints.gate import management_action
from blueprints.management import bp
from blueprints.management.targets import ROW_ID, organization_transfer_from_url, transfer_from_url
from domain.index import project_settings as settings
from domain.index import publishers, takeovers, transfers
from domain.policy.actions import Action
from domain.policy.decision import Permit
from domain.problems import Problem
from models import Transfer, db

TO_A_PERSON = f"/manage/projects/transfer/<{ROW_ID}:transfer_id>/"
TO_AN_ORGANIZATION = f"/manage/organization/<organization>/projects/transfer/<{ROW_ID}:offer_id>/"


@bp.route(f"{TO_A_PERSON}accept", methods=["GET", "POST"])
@management_action(Action.ACCEPT_TRANSFER, target=transfer_from_url)
def accept_transfer(permit: Permit, transfer: Transfer) -> ResponseReturnValue:
    """Show what would come with the project, and take it over."""
    form, back = FlaskForm(), _back(transfer)
    if not form.validate_on_submit():
        return _page(form, transfer, (INVALID if form.errors else 200, {}))
    try:
        project = takeovers.accept(db.session(), permit, wiring.services().notices, transfer, now=wiring.now())
    except Problem as problem:
        return _too_late(problem, back)
    name, address = project.name, url_for("management.settings", name=project.normalized_name)
    db.session.commit()
    flash(f"You own {name} now.", "success")
    return redirect(address, 303)


@bp.post(f"{TO_A_PERSON}decline")
@management_action(Action.DECLINE_TRANSFER, target=transfer_from_url, resume="management.projects")
def decline_transfer(permit: Permit, transfer: Transfer) -> ResponseReturnValue:
    """Leave the project to its owners."""
    name, back = transfer.project.name, _back(transfer)
    try:
        transfers.decline(db.session(), permit, wiring.services().notices, transfer, now=wiring.now())
    except Problem as problem:
        return _too_late(problem, back)
    db.session.commit()
    flash(f"You declined to take {name} over.", "success")
    return redirect(back, 303)


@bp.route(f"{TO_AN_ORGANIZATION}accept", methods=["GET", "POST"])
@management_action(Action.ACCEPT_PROJECT, target=organization_transfer_from_url)
def accept_project(permit: Permit, transfer: Transfer) -> ResponseReturnValue:
    """Show what would come with the project, and take it into the organization."""
    form, back = FlaskForm(), _back(transfer)
    if not form.validate_on_submit():
        return _page(form, transfer, (INVALID if form.errors else 200, {}))
    receiver = transfers.receiver_of(transfer)
    try:
        project = takeovers.accept_into(db.session(), permit, wiring.services().notices, transfer, now=wiring.now())
    except Problem as problem:
        return _too_late(problem, back)
    name = project.name
    db.session.commit()
    flash(f"{name} belongs to {receiver} now.", "success")
    return redirect(back, 303)


@bp.post(f"{TO_AN_ORGANIZATION}decline")
@management_action(
    Action.DECLINE_PROJECT, target=organization_transfer_from_url, resume="management.organization_projects"
)
def decline_project(permit: Permit, transfer: Transfer) -> ResponseReturnValue:
    """Leave the project to its owners, in the name of the organization."""
    name, receiver, back = transfer.project.name, transfers.receiver_of(transfer), _back(transfer)
    try:
        transfers.decline_into(db.session(), permit, wiring.services().notices, transfer, now=wiring.now())
    except Problem as problem:
        return _too_late(problem, back)
    db.session.commit()
    flash(f"{receiver} does not take {name}.", "success")
    return redirect(back, 303)


def _page(form: FlaskForm, transfer: Transfer, status: Status) -> ResponseReturnValue:
    project = transfer.project
    trusted = publishers.of_project(db.session(), project)
    page = render_template(
        "management/accept_transfer.html",
        form=form,
        transfer=transfer,
        project=project,
        back=_back(transfer),
        impact=settings.impact_of(db.session(), project, now=wiring.now()),
        stay=takeovers.who_stays(
            db.session(), project, giver_id=transfer.offered_by_id, receiver_id=transfer.to_user_id
        ),
        publishers=[publishers.called(each) for each in trusted],
    )
    return page, *status


def _back(transfer: Transfer) -> str:
    """Where what is offered is listed."""
    if transfer.to_organization is not None:
        return url_for("management.organization_projects", organization=transfer.to_organization.name)
    return url_for("management.projects")


def _too_late(problem: Problem, back: str) -> ResponseReturnValue:
    db.session.rollback()
    flash(problem.message, "warning")
    return redirect(back, 303)
