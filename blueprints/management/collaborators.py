"""The people of a project: inviting, answering, removing, leaving."""

from dataclasses import dataclass
from datetime import datetime

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from blueprints import intent, wiring
from blueprints.form_problems import INVALID, Status, put, status_of
from blueprints.gate import management_action
from blueprints.management import bp
from blueprints.management.organization_people import accept_membership, decline_membership
from blueprints.management.project_forms import InviteForm
from blueprints.management.targets import ROW_ID, invitation_from_url, project_from_url
from domain.identity import throttle
from domain.identity.standing import standing_of
from domain.index import collaborators, invitations
from domain.policy.actions import Action
from domain.policy.decision import Permit
from domain.policy.targets import Role
from domain.problems import Problem
from models import Invitation, Project, ProjectRole, db


@dataclass(frozen=True)
class Person:
    """Somebody who looks after a project. factors: the kinds of their second factors; None where that is not for the
    viewer to know."""

    username: str
    role: str
    since: datetime
    factors: list[str] | None


@bp.get("/manage/project/<name>/collaboration/")
@management_action(Action.VIEW_COLLABORATORS, target=project_from_url)
def collaboration(permit: Permit, project: Project) -> ResponseReturnValue:
    """List the people and the invitations, with a form for another one."""
    is_kept = intent.is_resumed()
    form = InviteForm(formdata=request.args) if is_kept else InviteForm()
    return _page(permit, project, form, (200, {}), is_kept=is_kept)


@bp.post("/manage/project/<name>/collaboration/invite")
@management_action(
    Action.INVITE_COLLABORATOR,
    target=project_from_url,
    resume="management.collaboration",
    keeps=("username", "role"),
)
def invite_collaborator(permit: Permit, project: Project) -> ResponseReturnValue:
    """Ask somebody to help."""
    form, now = InviteForm(), wiring.now()
    if not form.validate_on_submit():
        return _page(permit, project, form, (INVALID, {}))
    try:
        role = _role(form.role.data)
        throttle.take(db.session(), (throttle.INVITE, str(permit.account.user_id)), now=now)
        collaborators.invite(
            db.session(),
            permit,
            wiring.services().notices,
            project,
            username=form.username.data or "",
            role=role,
            now=now,
        )
    except Problem as problem:
        db.session.rollback()
        return _page(permit, project, form, put(form, problem))
    flash(f"{form.username.data} is invited and has seven days to answer.", "success")
    return _done(project)


@bp.post("/manage/project/<name>/collaboration/revoke")
@management_action(Action.REVOKE_INVITATION, target=project_from_url, resume="management.collaboration")
def revoke_invitation(permit: Permit, project: Project) -> ResponseReturnValue:
    """Take an invitation back."""
    username = request.form.get("username", "")
    try:
        collaborators.revoke(db.session(), permit, project, username=username, now=wiring.now())
    except Problem as problem:
        return _refused(permit, project, problem)
    flash(f"The invitation of {username} was revoked.", "success")
    return _done(project)


@bp.route("/manage/project/<name>/collaboration/remove", methods=["GET", "POST"])
@management_action(Action.REMOVE_COLLABORATOR, target=project_from_url, keeps=("username",))
def remove_collaborator(permit: Permit, project: Project) -> ResponseReturnValue:
    """Ask whether somebody is to go, and take their part away."""
    username = request.values.get("username", "")
    if request.method != "POST":  # HEAD comes here, too
        part = collaborators.part_of(db.session(), project, username) or abort(404)
        return render_template("management/remove_collaborator.html", project=project, part=part)
    found, now = wiring.services(), wiring.now()
    try:
        collaborators.remove(db.session(), permit, found.notices, project, username=username, now=now)
    except Problem as problem:
        return _refused(permit, project, problem)
    flash(f"{username} no longer looks after {project.name}.", "success")
    return _done(project)


@bp.route("/manage/project/<name>/collaboration/leave", methods=["GET", "POST"])
@management_action(Action.LEAVE_PROJECT, target=project_from_url)
def leave_project(permit: Permit, project: Project) -> ResponseReturnValue:
    """Ask whether one means to go, and give one's part up."""
    if request.method != "POST":  # HEAD comes here, too
        return render_template("management/leave_project.html", project=project)
    name = project.name
    try:
        collaborators.leave(db.session(), permit, wiring.services().notices, project, now=wiring.now())
    except Problem as problem:
        return _refused(permit, project, problem)
    db.session.commit()
    flash(f"You no longer look after {name}.", "success")
    return redirect(url_for("management.projects"), 303)


@bp.post(f"/manage/projects/invitation/<{ROW_ID}:invitation_id>/accept")
@management_action(Action.ACCEPT_INVITATION, target=invitation_from_url, resume="management.projects")
def accept_invitation(permit: Permit, invitation: Invitation) -> ResponseReturnValue:
    """Take the part that was offered."""
    notices, now = wiring.services().notices, wiring.now()
    if invitation.organization is not None:
        return accept_membership(permit, invitation)
    try:
        project = collaborators.accept(db.session(), permit, notices, invitation, now=now)
    except Problem as problem:
        return _too_late(problem)
    flash(f"You now look after {project.name}.", "success")
    return _done(project)


@bp.post(f"/manage/projects/invitation/<{ROW_ID}:invitation_id>/decline")
@management_action(Action.DECLINE_INVITATION, target=invitation_from_url, resume="management.projects")
def decline_invitation(permit: Permit, invitation: Invitation) -> ResponseReturnValue:
    """Turn the offer down."""
    if invitation.organization is not None:
        return decline_membership(permit, invitation)
    name = invitations.name_of(invitation)
    try:
        collaborators.decline(db.session(), permit, invitation, now=wiring.now())
    except Problem as problem:
        return _too_late(problem)
    db.session.commit()
    flash(f"You declined to help with {name}.", "success")
    return redirect(url_for("management.projects"), 303)


def _page(
    permit: Permit,
    project: Project,
    form: InviteForm,
    status: Status,
    *,
    is_kept: bool = False,
    problem: Problem | None = None,
) -> ResponseReturnValue:
    is_owner = permit.target is not None and permit.target.role is Role.OWNER
    parts = collaborators.of_project(db.session(), project)
    page = render_template(
        "management/collaboration.html",
        project=project,
        form=form,
        people=[_person(part, is_for_owner=is_owner) for part in parts],
        invitations=collaborators.invitations_of(db.session(), project, now=wiring.now()),
        is_owner=is_owner,
        is_kept=is_kept,
        problem=problem,
    )
    return page, *status


def _person(part: ProjectRole, *, is_for_owner: bool) -> Person:
    """Which second factors somebody has is for the owners of their projects to know, who answer for each other."""
    standing = standing_of(db.session(), part.user_id) if is_for_owner else None
    factors = sorted(factor.value for factor in standing.factors) if standing is not None else None
    return Person(part.user.username, part.role, part.since, factors)


def _role(word: str | None) -> Role:
    found = {role.word: role for role in Role}.get(word or "")
    if found is None:
        raise Problem("Choose what they may do.", field="role")
    return found


def _done(project: Project) -> ResponseReturnValue:
    address = url_for("management.collaboration", name=project.normalized_name)
    db.session.commit()
    return redirect(address, 303)


def _refused(permit: Permit, project: Project, problem: Problem) -> ResponseReturnValue:
    db.session.rollback()
    return _page(permit, project, InviteForm(formdata=None), status_of(problem), problem=problem)


def _too_late(problem: Problem) -> ResponseReturnValue:
    db.session.rollback()
    flash(problem.message, "warning")
    return redirect(url_for("management.projects"), 303)
