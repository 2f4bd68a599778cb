"""The people of an organization: their roles, removing them, leaving."""

from dataclasses import dataclass
from datetime import datetime

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from blueprints import intent, wiring
from blueprints.form_problems import INVALID, Status, put, status_of
from blueprints.gate import management_action
from blueprints.management import bp
from blueprints.management.inviting import count_invitation
from blueprints.management.organization_forms import InviteMemberForm
from blueprints.management.targets import organization_from_url
from domain.identity.standing import factors_of
from domain.index import invitations, organization_members
from domain.policy.actions import Action
from domain.policy.decision import Permit
from domain.policy.targets import OrganizationRole, with_article
from domain.problems import Problem
from models import Invitation, Organization, db


@dataclass(frozen=True)
class Person:
    """Somebody of an organization. factors: the kinds of their second factors; None where that is not for the viewer
    to know."""

    username: str
    role: str
    since: datetime
    is_active: bool
    factors: list[str] | None


@bp.get("/manage/organization/<organization>/people/")
@management_action(Action.VIEW_ORGANIZATION, target=organization_from_url)
def organization_people(permit: Permit, organization: Organization) -> ResponseReturnValue:
    """List everybody who has a part in the organization."""
    is_kept = intent.is_resumed()
    form = InviteMemberForm(formdata=request.args) if is_kept else InviteMemberForm()
    return _page(permit, organization, form, (200, {}), is_kept=is_kept)


@bp.post("/manage/organization/<organization>/people/invite")
@management_action(
    Action.INVITE_MEMBER,
    target=organization_from_url,
    resume="management.organization_people",
    keeps=("guest", "role"),
)
def invite_member(permit: Permit, organization: Organization) -> ResponseReturnValue:
    """Ask somebody in."""
    form, now = InviteMemberForm(), wiring.now()
    if not form.validate_on_submit():
        return _page(permit, organization, form, (INVALID, {}))
    guest, notices = form.guest.data, wiring.services().notices
    try:
        role = _role(form.role.data)
        count_invitation(permit, guest, field="guest")
        sent = organization_members.invite(db.session(), permit, notices, organization, guest=guest, role=role, now=now)
    except Problem as problem:
        db.session.rollback()
        return _page(permit, organization, form, put(form, problem))
    flash(f"{invitations.guest_of(sent).name} is invited and has seven days to answer.", "success")
    return _done(permit, organization)


@bp.post("/manage/organization/<organization>/people/revoke")
@management_action(
    Action.REVOKE_MEMBER_INVITATION, target=organization_from_url, resume="management.organization_people"
)
def revoke_member_invitation(permit: Permit, organization: Organization) -> ResponseReturnValue:
    """Take an invitation back."""
    guest, notices = request.form.get("username", ""), wiring.services().notices
    try:
        organization_members.revoke(db.session(), permit, notices, organization, guest=guest, now=wiring.now())
    except Problem as problem:
        return _refused(permit, organization, problem)
    flash(f"The invitation of {guest} was revoked.", "success")
    return _done(permit, organization)


@bp.route("/manage/organization/<organization>/people/role", methods=["GET", "POST"])
@management_action(Action.CHANGE_MEMBER_ROLE, target=organization_from_url, keeps=("username", "role"))
def change_member_role(permit: Permit, organization: Organization) -> ResponseReturnValue:
    """Ask for somebody's new role, and give it to them."""
    username = request.values.get("username", "")
    if request.method != "POST":  # HEAD comes here, too
        part = organization_members.part_of(db.session(), organization, username) or abort(404)
        chosen = request.args.get("role") if intent.is_resumed() else part.role
        return render_template(
            "management/change_member_role.html", organization=organization, part=part, chosen=chosen
        )
    found, now = wiring.services(), wiring.now()
    try:
        role = _role(request.form.get("role"))
        organization_members.change_role(
            db.session(), permit, found.notices, organization, username=username, role=role, now=now
        )
    except Problem as problem:
        return _refused(permit, organization, problem)
    flash(f"{username} is {with_article(role.word)} now.", "success")
    return _done(permit, organization, username)


@bp.route("/manage/organization/<organization>/people/remove", methods=["GET", "POST"])
@management_action(Action.REMOVE_MEMBER, target=organization_from_url, keeps=("username",))
def remove_member(permit: Permit, organization: Organization) -> ResponseReturnValue:
    """Ask whether somebody is to go, and take their part away."""
    username = request.values.get("username", "")
    if request.method != "POST":  # HEAD comes here, too
        part = organization_members.part_of(db.session(), organization, username) or abort(404)
        return render_template("management/remove_member.html", organization=organization, part=part)
    found, now = wiring.services(), wiring.now()
    try:
        organization_members.remove(db.session(), permit, found.notices, organization, username=username, now=now)
    except Problem as problem:
        return _refused(permit, organization, problem)
    flash(f"{username} no longer belongs to {organization.name}.", "success")
    return _done(permit, organization, username)


@bp.route("/manage/organization/<organization>/people/leave", methods=["GET", "POST"])
@management_action(Action.LEAVE_ORGANIZATION, target=organization_from_url)
def leave_organization(permit: Permit, organization: Organization) -> ResponseReturnValue:
    """Ask whether one means to go, and give one's part up."""
    template = "management/leave_organization.html"
    if request.method != "POST":  # HEAD comes here, too
        return render_template(template, organization=organization, problem=None)
    name = organization.name
    try:
        organization_members.leave(db.session(), permit, wiring.services().notices, organization, now=wiring.now())
    except Problem as problem:
        db.session.rollback()
        page = render_template(template, organization=organization, problem=problem)
        return page, *status_of(problem)
    db.session.commit()
    flash(f"You no longer belong to {name}.", "success")
    return redirect(url_for("management.organizations"), 303)


def accept_membership(permit: Permit, invitation: Invitation) -> ResponseReturnValue:
    """Take the part in an organization that was offered; for the page where all invitations are answered."""
    notices, now = wiring.services().notices, wiring.now()
    try:
        organization = organization_members.accept(db.session(), permit, notices, invitation, now=now)
    except Problem as problem:
        return _too_late(problem)
    flash(f"You belong to {organization.name} now.", "success")
    return _done(permit, organization)


def decline_membership(permit: Permit, invitation: Invitation) -> ResponseReturnValue:
    """Turn an offer of a part in an organization down."""
    name = invitations.name_of(invitation)
    try:
        organization_members.decline(db.session(), permit, wiring.services().notices, invitation, now=wiring.now())
    except Problem as problem:
        return _too_late(problem)
    db.session.commit()
    flash(f"You declined to join {name}.", "success")
    return redirect(url_for("management.organizations"), 303)


def _too_late(problem: Problem) -> ResponseReturnValue:
    db.session.rollback()
    flash(problem.message, "warning")
    return redirect(url_for("management.organizations"), 303)


def _page(
    permit: Permit,
    organization: Organization,
    form: InviteMemberForm,
    status: Status,
    *,
    is_kept: bool = False,
    problem: Problem | None = None,
) -> ResponseReturnValue:
    is_owner = permit.target is not None and permit.target.organization_role is OrganizationRole.OWNER
    leaf = organization_members.leaf(db.session(), organization, after=request.args.get("after", ""))
    # Which second factors somebody has is for the owners to know, who answer for each other.
    factors = factors_of(db.session(), [part.user_id for part in leaf.members]) if is_owner else {}
    people = [
        Person(
            part.user.username,
            part.role,
            part.since,
            part.user.is_active,
            sorted(factor.value for factor in factors[part.user_id]) if is_owner else None,
        )
        for part in leaf.members
    ]
    now = wiring.now()
    page = render_template(
        "management/organization_people.html",
        organization=organization,
        people=people,
        next=leaf.next,
        invitations=invitations.of_place(db.session(), organization, now=now) if is_owner else [],
        form=form,
        is_owner=is_owner,
        is_kept=is_kept and is_owner,
        problem=problem,
    )
    return page, *status


def _role(word: str | None) -> OrganizationRole:
    found = {role.word: role for role in OrganizationRole}.get(word or "")
    if found is None:
        raise Problem("Choose what they are to be.", field="role")
    return found


def _done(permit: Permit, organization: Organization, username: str = "") -> ResponseReturnValue:
    """Back to the people; to one's organizations for whoever has changed their own part."""
    is_own = username.lower() == permit.account.username.lower()
    address = url_for("management.organization_people", organization=organization.name)
    db.session.commit()
    return redirect(url_for("management.organizations") if is_own else address, 303)


def _refused(permit: Permit, organization: Organization, problem: Problem) -> ResponseReturnValue:
    db.session.rollback()
    return _page(permit, organization, InviteMemberForm(formdata=None), status_of(problem), problem=problem)
