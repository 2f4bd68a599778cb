"""Your projects, the invitations to others, and a name reserved before anything is uploaded."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from blueprints import intent, wiring
from blueprints.form_problems import INVALID, put
from blueprints.gate import management_action
from blueprints.management import bp
from blueprints.management.project_forms import ReserveForm
from blueprints.url_values import number
from domain.identity import throttle
from domain.index import invitations, kept_names, transfers
from domain.index.projects import leaf
from domain.index.reservations import reserve
from domain.index.search import listed
from domain.policy.actions import Action
from domain.policy.decision import Denial, Permit
from domain.policy.judge import judge
from domain.policy.targets import ProjectStatus
from domain.problems import Problem
from models import db

ARCHIVED = ProjectStatus.ARCHIVED.value


@bp.get("/manage/projects/")
@management_action(Action.VIEW_PROJECTS)
def projects(permit: Permit) -> ResponseReturnValue:
    """List the projects that one has a part in, what waits for an answer, and the names that are kept for one."""
    user_id, now = permit.account.user_id, wiring.now()
    archived = request.args.get("status") == ARCHIVED
    found = leaf(db.session(), user_id, archived=archived, before=number(request.args.get("before", "")))
    lines = listed(db.session(), found.projects)
    return render_template(
        "management/projects.html",
        lines=list(zip(found.mine, lines, strict=True)),
        older=found.older,
        is_archive=archived,
        invitations=invitations.to_user(db.session(), user_id, now=now),
        offers=transfers.to_user(db.session(), user_id, now=now),
        kept=kept_names.of_user(db.session(), user_id, now=now),
        obstacle=_obstacle(permit),
    )


@bp.route("/manage/projects/create/", methods=["GET", "POST"])
@management_action(Action.RESERVE_PROJECT, keeps=("name",))
def create_project(permit: Permit) -> ResponseReturnValue:
    """Ask for a name, and reserve it."""
    is_kept = intent.is_resumed()
    form = ReserveForm() if request.method == "POST" else ReserveForm(formdata=request.args)
    template, now = "management/create_project.html", wiring.now()
    if not form.validate_on_submit():
        return render_template(template, form=form, is_kept=is_kept), INVALID if form.errors else 200
    try:
        throttle.take(db.session(), (throttle.RESERVE_NAME, str(permit.account.user_id)), now=now)
        project = reserve(db.session(), permit, wiring.services().notices, name=form.name.data or "", now=now)
    except Problem as problem:
        db.session.rollback()
        status = put(form, problem)
        return render_template(template, form=form, is_kept=False), *status
    db.session.commit()
    flash(f"{project.name} is reserved for you. Whatever you upload under it appears here.", "success")
    return redirect(url_for("management.projects"), 303)


def _obstacle(permit: Permit) -> str | None:
    """What stands between this person and a project of their own; None if nothing does."""
    decision = judge(permit.principal, Action.RESERVE_PROJECT, None, wiring.services().policy, wiring.now())
    return decision.reason.value if isinstance(decision, Denial) else None
