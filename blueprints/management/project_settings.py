"""The settings of a project: what is said of it, whether it is archived, who may read it, who gets it, its end."""

from datetime import datetime

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm

from blueprints import intent, reading, wiring
from blueprints.form_problems import INVALID, Status, put, status_of
from blueprints.gate import management_action
from blueprints.management import bp
from blueprints.management.project_forms import DeleteProjectForm, TransferForm
from blueprints.management.targets import project_from_url
from domain.identity import throttle
from domain.index import kept_names, releases, takeovers, transfers
from domain.index import project_settings as settings
from domain.naming import looks_like_name
from domain.policy.actions import Action
from domain.policy.decision import Denial, Permit, Reason
from domain.policy.judge import judge
from domain.problems import Problem
from models import Project, Transfer, db
from models.user import username_key


@bp.get("/manage/project/<name>/settings/", endpoint="settings")
@management_action(Action.VIEW_SETTINGS, target=project_from_url)
def show_settings(permit: Permit, project: Project) -> ResponseReturnValue:
    """Show what can be decided about the project as a whole."""
    return render_template(
        "management/settings.html",
        project=project,
        newest=releases.newest(db.session(), project),
        offer=_offer(project),
        may_hand_over=_may_hand_over(permit),
        kept=kept_names.KEPT,
    )


@bp.route("/manage/project/<name>/settings/archive", methods=["GET", "POST"])
@management_action(Action.ARCHIVE_PROJECT, target=project_from_url)
def archive_project(permit: Permit, project: Project) -> ResponseReturnValue:
    """Say what it means to archive, and do so."""
    form = FlaskForm()
    if not form.validate_on_submit():
        return _status_page(form, project, (INVALID if form.errors else 200, {}))
    try:
        settings.archive(db.session(), permit, wiring.services().notices, project, now=wiring.now())
    except Problem as problem:
        db.session.rollback()
        return _status_page(form, project, put(form, problem))
    return _done(project, f"{project.name} is archived. You can open it again at any time.")


@bp.route("/manage/project/<name>/settings/unarchive", methods=["GET", "POST"])
@management_action(Action.UNARCHIVE_PROJECT, target=project_from_url)
def unarchive_project(permit: Permit, project: Project) -> ResponseReturnValue:
    """Ask whether the project is to be open again, and open it."""
    form = FlaskForm()
    if not form.validate_on_submit():
        return _status_page(form, project, (INVALID if form.errors else 200, {}))
    try:
        _count_opening(project)
        settings.unarchive(db.session(), permit, wiring.services().notices, project, now=wiring.now())
    except Problem as problem:
        db.session.rollback()
        return _status_page(form, project, put(form, problem))
    return _done(project, f"{project.name} takes uploads again.")


@bp.route("/manage/project/<name>/settings/readers", methods=["GET", "POST"])
@management_action(Action.CHANGE_READERS, target=project_from_url)
def change_readers(permit: Permit, project: Project) -> ResponseReturnValue:
    """Say what it means that only its people may read the project, or that everybody may again, and do so."""
    if request.method != "POST":  # HEAD comes here, too
        return _readers_page(project)
    notices, now = wiring.services().notices, wiring.now()
    try:
        is_private = {"yes": True, "no": False}.get(request.form.get("is_private", ""))
        if is_private is None:
            raise Problem("Choose who may read it.")
        if not is_private:
            _count_opening(project)
        settings.change_readers(db.session(), permit, notices, project, is_private=is_private, now=now)
    except Problem as problem:
        db.session.rollback()
        return _readers_page(project, problem), *status_of(problem)
    whom = "its people only" if is_private else "everybody who may read this index"
    return _done(project, f"{project.name} is there for {whom} now.")


@bp.route("/manage/project/<name>/settings/transfer", methods=["GET", "POST"])
@management_action(Action.TRANSFER_PROJECT, target=project_from_url, keeps=("kind", "receiver"))
def transfer_project(permit: Permit, project: Project) -> ResponseReturnValue:
    """Ask who is to have the project, and offer it to them."""
    form = TransferForm(formdata=request.args) if intent.is_resumed() else TransferForm()
    if not form.validate_on_submit():
        return _transfer_page(permit, form, project, (INVALID if form.errors else 200, {}))
    now = wiring.now()
    try:
        _count_offer(permit, form, now)
        offer = transfers.offer(
            db.session(),
            permit,
            wiring.services().notices,
            project,
            receiver=form.receiver.data,
            is_organization=form.is_organization(),
            confirmation=form.confirm.data,
            now=now,
        )
    except Problem as problem:
        db.session.rollback()
        return _transfer_page(permit, form, project, put(form, problem))
    return _done(project, f"{project.name} is offered to {transfers.receiver_of(offer)}, with seven days to answer.")


@bp.post("/manage/project/<name>/settings/transfer/withdraw")
@management_action(Action.WITHDRAW_TRANSFER, target=project_from_url, resume="management.settings")
def withdraw_transfer(permit: Permit, project: Project) -> ResponseReturnValue:
    """Keep the project after all."""
    name = project.name
    try:
        transfers.withdraw(db.session(), permit, wiring.services().notices, project, now=wiring.now())
    except Problem as problem:
        db.session.rollback()
        flash(problem.message, "warning")
        return redirect(url_for("management.settings", name=project.normalized_name), 303)
    return _done(project, f"{name} stays with its owners.")


@bp.route("/manage/project/<name>/settings/delete", methods=["GET", "POST"])
@management_action(Action.DELETE_PROJECT, target=project_from_url)
def delete_project(permit: Permit, project: Project) -> ResponseReturnValue:
    """Say what goes with the project, have its name typed, and delete."""
    form, name = DeleteProjectForm(), project.name
    if not form.validate_on_submit():
        return _delete_page(form, project, (INVALID if form.errors else 200, {}))
    found, typed = wiring.services(), form.confirm.data
    try:
        settings.remove(db.session(), permit, found.notices, project, confirmation=typed, now=wiring.now())
    except Problem as problem:
        db.session.rollback()
        return _delete_page(form, project, put(form, problem))
    db.session.commit()
    flash(f"{name} was deleted. Its name is kept for its owners for {kept_names.KEPT.days} days.", "success")
    return redirect(url_for("management.projects"), 303)


def _count_opening(project: Project) -> None:
    """All who look after the project are told each time: turning it to and fro must not fill their mailboxes."""
    throttle.take(db.session(), (throttle.OPEN_AGAIN, str(project.id)), now=wiring.now())


def _count_offer(permit: Permit, form: TransferForm, now: datetime) -> None:
    """Count one more of this account, and to this receiver, who gets a mail of each, withdrawn or not."""
    account, kind = str(permit.account.user_id), "organization" if form.is_organization() else "person"
    throttle.take(db.session(), (throttle.OFFER, account), now=now)
    if looks_like_name(form.receiver.data):
        key = f"{account}:{kind}:{username_key(form.receiver.data)}"
        throttle.take(db.session(), (throttle.OFFER_TO, key), now=now)


def _offer(project: Project) -> tuple[Transfer, str] | None:
    """The project's open offer, with whom it is to; None if there is none."""
    offer = transfers.of_project(db.session(), project, now=wiring.now())
    return None if offer is None else (offer, transfers.receiver_of(offer))


def _may_hand_over(permit: Permit) -> bool:
    """Whether the page offers to hand the project over: not where the judge would say that it is for others to do."""
    decision = judge(permit.principal, Action.TRANSFER_PROJECT, permit.target, wiring.services().policy, wiring.now())
    return not (isinstance(decision, Denial) and decision.reason is Reason.NO_PERMISSION)


def _status_page(form: FlaskForm, project: Project, status: Status) -> ResponseReturnValue:
    impact = settings.impact_of(db.session(), project, now=wiring.now())
    page = render_template("management/project_status.html", form=form, project=project, impact=impact)
    return page, *status


def _readers_page(project: Project, problem: Problem | None = None) -> str:
    impact = settings.impact_of(db.session(), project, now=wiring.now())
    dependents = settings.dependents_of(db.session(), project, among=reading.visible())
    return render_template(
        "management/change_readers.html", project=project, impact=impact, dependents=dependents, problem=problem
    )


def _transfer_page(permit: Permit, form: TransferForm, project: Project, status: Status) -> ResponseReturnValue:
    page = render_template(
        "management/transfer_project.html",
        form=form,
        project=project,
        offer=_offer(project),
        stay=takeovers.who_stays(db.session(), project, giver_id=permit.account.user_id, receiver_id=None),
        impact=settings.impact_of(db.session(), project, now=wiring.now()),
    )
    return page, *status


def _delete_page(form: DeleteProjectForm, project: Project, status: Status) -> ResponseReturnValue:
    page = render_template(
        "management/delete_project.html",
        form=form,
        project=project,
        impact=settings.impact_of(db.session(), project, now=wiring.now()),
        dependents=settings.dependents_of(db.session(), project, among=reading.visible()),
        kept=kept_names.KEPT,
    )
    return page, *status


def _done(project: Project, words: str) -> ResponseReturnValue:
    address = url_for("management.settings", name=project.normalized_name)
    db.session.commit()
    flash(words, "success")
    return redirect(address, 303)
