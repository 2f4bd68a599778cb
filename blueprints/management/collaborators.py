"""The people of a project: inviting, answering, changing roles, removing, leaving."""

from dataclasses import dataclass
from datetime import datetime

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from blueprints import intent, wiring
from blueprints.form_problems import INVALID, Status, put, status_of
from blueprints.gate import management_action
from blueprints.management import bp
from blueprints.management.inviting import count_invitation
from blueprints.management.organization_people import accept_membership, decline_membership
from blueprints.management.project_forms import InviteForm
from blueprints.management.targets import ROW_ID, invitation_from_url, project_from_url
from domain.identity.standing import factors_of
from domain.index import collaborators, invitations
from domain.index.collaborators import Collaborator
from domain.policy.actions import Action
from domain.policy.decision import Permit
from domain.policy.principals import Factor
from domain.policy.targets import Role, with_article
from domain.problems import Problem
from models import Invitation, Project, User, db


@dataclass(frozen=True)
class Person:
    """Somebody who looks after a project. by: who lends the role; empty for one of their own. own: their own role, if
    any. factors: the kinds of their second factors; None where that is not for the viewer to know."""

    username: str
    role: str
    by: str
    own: str | None
    since: datetime | None
    is_active: bool
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
    guest, notices = form.username.data, wiring.services().notices
    try:
        role = _role(form.role.data)
        count_invitation(permit, guest, field="username")
        sent = collaborators.invite(db.session(), permit, notices, project, guest=guest, role=role, now=now)
    except Problem as problem:
        db.session.rollback()
        return _page(permit, project, form, put(form, problem))
    flash(f"{invitations.guest_of(sent).name} is invited and has seven days to answer.", "success")
    return _done(permit, project)


@bp.post("/manage/project/<name>/collaboration/revoke")
@management_action(Action.REVOKE_INVITATION, target=project_from_url, resume="management.collaboration")
def revoke_invitation(permit: Permit, project: Project) -> ResponseReturnValue:
    """Take an invitation back."""
    guest, notices = request.form.get("username", ""), wiring.services().notices
    try:
        collaborators.revoke(db.session(), permit, notices, project, guest=guest, now=wiring.now())
    except Problem as problem:
        return _refused(permit, project, problem)
    flash(f"The invitation of {guest} was revoked.", "success")
    return _done(permit, project)


@bp.route("/manage/project/<name>/collaboration/change", methods=["GET", "POST"])
@management_action(Action.CHANGE_ROLE, target=project_from_url, keeps=("username", "role"))
def change_role(permit: Permit, project: Project) -> ResponseReturnValue:
    """Ask for somebody's new role, and give it to them."""
    username = request.values.get("username", "")
    if request.method != "POST":  # HEAD comes here, too
        part = collaborators.part_of(db.session(), project, username) or abort(404)
        other = Role.MAINTAINER if part.role == Role.OWNER.word else Role.OWNER
        chosen = request.args.get("role") if intent.is_resumed() else other.word
        return render_template("management/change_role.html", project=project, part=part, chosen=chosen)
    found, now = wiring.services(), wiring.now()
    try:
        role = _role(request.form.get("role"))
        collaborators.change_role(db.session(), permit, found.notices, project, username=username, role=role, now=now)
    except Problem as problem:
        return _refused(permit, project, problem)
    flash(f"{username} is {with_article(role.word)} of {project.name} now.", "success")
    return _done(permit, project, username)


@bp.route("/manage/project/<name>/collaboration/remove", methods=["GET", "POST"])
@management_action(Action.REMOVE_COLLABORATOR, target=project_from_url, keeps=("username",))
def remove_collaborator(permit: Permit, project: Project) -> ResponseReturnValue:
    """Ask whether somebody is to go, and take their part away."""
    username = request.values.get("username", "")
    if request.method != "POST":  # HEAD comes here, too
        part = collaborators.part_of(db.session(), project, username) or abort(404)
        impact = collaborators.impact_of_leaving(db.session(), project, part.user, now=wiring.now())
        return render_template("management/remove_collaborator.html", project=project, part=part, impact=impact)
    found, now = wiring.services(), wiring.now()
    try:
        collaborators.remove(db.session(), permit, found.notices, project, username=username, now=now)
    except Problem as problem:
        return _refused(permit, project, problem)
    flash(f"{username} no longer looks after {project.name}.", "success")
    return _done(permit, project, username)


@bp.route("/manage/project/<name>/collaboration/leave", methods=["GET", "POST"])
@management_action(Action.LEAVE_PROJECT, target=project_from_url)
def leave_project(permit: Permit, project: Project) -> ResponseReturnValue:
    """Ask whether one means to go, and give one's part up."""
    if request.method != "POST":  # HEAD comes here, too
        me = db.session.get_one(User, permit.account.user_id)
        impact = collaborators.impact_of_leaving(db.session(), project, me, now=wiring.now())
        return render_template("management/leave_project.html", project=project, impact=impact)
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
    return _done(permit, project)


@bp.post(f"/manage/projects/invitation/<{ROW_ID}:invitation_id>/decline")
@management_action(Action.DECLINE_INVITATION, target=invitation_from_url, resume="management.projects")
def decline_invitation(permit: Permit, invitation: Invitation) -> ResponseReturnValue:
    """Turn the offer down."""
    if invitation.organization is not None:
        return decline_membership(permit, invitation)
    name = invitations.name_of(invitation)
    try:
        collaborators.decline(db.session(), permit, wiring.services().notices, invitation, now=wiring.now())
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
    found = collaborators.everybody_in(db.session(), project)
    # Which second factors somebody has is for the owners of their projects to know, who answer for each other; whoever
    # is only invited is no business of theirs.
    factors = factors_of(db.session(), [each.user.id for each in found]) if is_owner else {}
    page = render_template(
        "management/collaboration.html",
        project=project,
        form=form,
        people=[_person(each, factors.get(each.user.id)) for each in found],
        invitations=invitations.of_place(db.session(), project, now=wiring.now()),
        is_owner=is_owner,
        is_kept=is_kept,
        problem=problem,
    )
    return page, *status


def _person(each: Collaborator, factors: frozenset[Factor] | None) -> Person:
    return Person(
        username=each.user.username,
        role=each.role.word,
        by=each.by,
        own=each.own.role if each.own is not None else None,
        since=each.own.since if each.own is not None else None,
        is_active=each.user.is_active,
        factors=sorted(factor.value for factor in factors) if factors is not None else None,
    )


def _role(word: str | None) -> Role:
    found = {role.word: role for role in Role}.get(word or "")
    if found is None:
        raise Problem("Choose what they may do.", field="role")
    return found


def _done(permit: Permit, project: Project, username: str = "") -> ResponseReturnValue:
    """Back to the people; to one's projects for whoever has changed their own part."""
    is_own = username.strip().lower() == permit.account.username.lower()
    address = url_for("management.collaboration", name=project.normalized_name)
    db.session.commit()
    return redirect(url_for("management.projects") if is_own else address, 303)


def _refused(permit: Permit, project: Project, problem: Problem) -> ResponseReturnValue:
    db.session.rollback()
    return _page(permit, project, InviteForm(formdata=None), status_of(problem), problem=problem)


def _too_late(problem: Problem) -> ResponseReturnValue:
    db.session.rollback()
    flash(problem.message, "warning")
    return redirect(url_for("management.projects"), 303)
