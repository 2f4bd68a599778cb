"""The teams of an organization: their members, and their roles in its projects."""

from dataclasses import dataclass, replace
from typing import TypeVar

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm

from blueprints import intent, wiring
from blueprints.form_problems import INVALID, Status, put, status_of
from blueprints.gate import management_action
from blueprints.management import bp
from blueprints.management.targets import organization_from_url, team_from_url
from blueprints.management.team_forms import MemberForm, NameForm, RoleForm
from domain.index import teams
from domain.policy.actions import Action
from domain.policy.decision import Permit
from domain.policy.targets import OrganizationRole, Role
from domain.problems import Problem
from models import Organization, Team, db

Kept = TypeVar("Kept", bound=FlaskForm)


@dataclass(frozen=True)
class Forms:
    """What a team's page has to fill in."""

    name: NameForm
    member: MemberForm
    role: RoleForm

    @classmethod
    def empty(cls, team: Team) -> "Forms":
        """As the page shows them first, or with what was kept of an interrupted action."""
        name = NameForm(formdata=None, name=team.name)
        return cls(_kept("name", name), _kept("username", MemberForm(None)), _kept("project", RoleForm(None)))


@bp.get("/manage/organization/<organization>/teams/")
@management_action(Action.VIEW_ORGANIZATION, target=organization_from_url)
def organization_teams(permit: Permit, organization: Organization) -> ResponseReturnValue:
    """List the teams, with a form for another one."""
    return _list_page(permit, organization, _kept("name", NameForm(None)), (200, {}))


@bp.post("/manage/organization/<organization>/teams/create")
@management_action(
    Action.CREATE_TEAM, target=organization_from_url, resume="management.organization_teams", keeps=("name",)
)
def create_team(permit: Permit, organization: Organization) -> ResponseReturnValue:
    """Make a team."""
    form = NameForm()
    if not form.validate_on_submit():
        return _list_page(permit, organization, form, (INVALID, {}))
    try:
        team = teams.create(db.session(), permit, organization, name=form.name.data, now=wiring.now())
    except Problem as problem:
        db.session.rollback()
        return _list_page(permit, organization, form, put(form, problem))
    return _done(team, f"The team {team.name} is made. Nobody is in it yet.")


@bp.get("/manage/organization/<organization>/team/<team>/")
@management_action(Action.VIEW_ORGANIZATION, target=team_from_url)
def team(permit: Permit, team: Team) -> ResponseReturnValue:
    """Show who is in the team, and its roles in projects."""
    return _page(permit, team, Forms.empty(team), (200, {}))


@bp.post("/manage/organization/<organization>/team/<team>/rename")
@management_action(Action.RENAME_TEAM, target=team_from_url, resume="management.team", keeps=("name",))
def rename_team(permit: Permit, team: Team) -> ResponseReturnValue:
    """Call the team otherwise."""
    form, was = NameForm(), team.name
    forms = replace(Forms.empty(team), name=form)
    if not form.validate_on_submit():
        return _page(permit, team, forms, (INVALID, {}))
    try:
        teams.rename(db.session(), permit, team, name=form.name.data, now=wiring.now())
    except Problem as problem:
        db.session.rollback()
        return _page(permit, team, forms, put(form, problem))
    return _done(team, f"The team {was} is now called {team.name}.")


@bp.post("/manage/organization/<organization>/team/<team>/members/add")
@management_action(Action.ADD_TEAM_MEMBER, target=team_from_url, resume="management.team", keeps=("username",))
def add_team_member(permit: Permit, team: Team) -> ResponseReturnValue:
    """Put somebody into the team."""
    form, notices = MemberForm(), wiring.services().notices
    forms = replace(Forms.empty(team), member=form)
    if not form.validate_on_submit():
        return _page(permit, team, forms, (INVALID, {}))
    try:
        teams.add_member(db.session(), permit, notices, team, username=form.username.data, now=wiring.now())
    except Problem as problem:
        db.session.rollback()
        return _page(permit, team, forms, put(form, problem))
    return _done(team, f"{form.username.data} is in {team.name}.")


@bp.post("/manage/organization/<organization>/team/<team>/members/remove")
@management_action(Action.REMOVE_TEAM_MEMBER, target=team_from_url, resume="management.team")
def remove_team_member(permit: Permit, team: Team) -> ResponseReturnValue:
    """Take somebody out of the team."""
    username, notices = request.form.get("username", ""), wiring.services().notices
    try:
        teams.remove_member(db.session(), permit, notices, team, username=username, now=wiring.now())
    except Problem as problem:
        return _refused(permit, team, problem)
    return _done(team, f"{username} is no longer in {team.name}.")


@bp.post("/manage/organization/<organization>/team/<team>/projects/set")
@management_action(Action.SET_TEAM_ROLE, target=team_from_url, resume="management.team", keeps=("project", "role"))
def set_team_role(permit: Permit, team: Team) -> ResponseReturnValue:
    """Give the team a role in a project, or another one."""
    form, notices, now = RoleForm(), wiring.services().notices, wiring.now()
    forms = replace(Forms.empty(team), role=form)
    if not form.validate_on_submit():
        return _page(permit, team, forms, (INVALID, {}))
    try:
        role = _role(form.role.data)
        teams.set_role(db.session(), permit, notices, team, project_name=form.project.data, role=role, now=now)
    except Problem as problem:
        db.session.rollback()
        return _page(permit, team, forms, put(form, problem))
    return _done(team, f"{team.name} is now {role.word} of {form.project.data}.")


@bp.post("/manage/organization/<organization>/team/<team>/projects/remove")
@management_action(Action.REMOVE_TEAM_ROLE, target=team_from_url, resume="management.team")
def remove_team_role(permit: Permit, team: Team) -> ResponseReturnValue:
    """Take the team's role in a project away."""
    name, notices = request.form.get("project", ""), wiring.services().notices
    try:
        teams.remove_role(db.session(), permit, notices, team, project_name=name, now=wiring.now())
    except Problem as problem:
        return _refused(permit, team, problem)
    return _done(team, f"{team.name} has no role in {name} any more.")


@bp.route("/manage/organization/<organization>/team/<team>/delete", methods=["GET", "POST"])
@management_action(Action.DELETE_TEAM, target=team_from_url)
def delete_team(permit: Permit, team: Team) -> ResponseReturnValue:
    """Ask whether the team is to go, and delete it."""
    name, organization = team.name, team.organization
    if request.method != "POST":  # HEAD comes here, too
        members, roles = teams.members_of(db.session(), team), teams.roles_of(db.session(), team)
        return render_template(
            "management/delete_team.html", organization=organization, team=team, members=members, roles=roles
        )
    try:
        teams.remove(db.session(), permit, wiring.services().notices, team, now=wiring.now())
    except Problem as problem:
        db.session.rollback()
        flash(problem.message, "warning")
        return redirect(url_for("management.organization_teams", organization=organization.name), 303)
    address = url_for("management.organization_teams", organization=organization.name)
    db.session.commit()
    flash(f"The team {name} is deleted.", "success")
    return redirect(address, 303)


def _kept(field: str, form: Kept) -> Kept:
    """The form with what was kept in the address, if an interrupted action was about this field."""
    if intent.is_resumed() and field in request.args:
        form.process(request.args)
    return form


def _list_page(permit: Permit, organization: Organization, form: NameForm, status: Status) -> ResponseReturnValue:
    page = render_template(
        "management/organization_teams.html",
        organization=organization,
        leaf=teams.leaf(db.session(), organization, after=request.args.get("after", "")),
        form=form,
        is_manager=_has(permit, OrganizationRole.MANAGER),
        is_kept=intent.is_resumed(),
    )
    return page, *status


def _page(
    permit: Permit, team: Team, forms: Forms, status: Status, *, problem: Problem | None = None
) -> ResponseReturnValue:
    page = render_template(
        "management/team.html",
        organization=team.organization,
        team=team,
        members=teams.members_of(db.session(), team, after=request.args.get("after", "")),
        roles=teams.roles_of(db.session(), team, after=request.args.get("behind", "")),
        forms=forms,
        is_manager=_has(permit, OrganizationRole.MANAGER),
        is_owner=_has(permit, OrganizationRole.OWNER),
        is_kept=intent.is_resumed(),
        problem=problem,
    )
    return page, *status


def _has(permit: Permit, least: OrganizationRole) -> bool:
    role = permit.target.organization_role if permit.target is not None else None
    return role is not None and role >= least


def _role(word: str | None) -> Role:
    found = {role.word: role for role in Role}.get(word or "")
    if found is None:
        raise Problem("Choose what the team may do.", field="role")
    return found


def _done(team: Team, words: str) -> ResponseReturnValue:
    address = url_for("management.team", organization=team.organization.name, team=team.name)
    db.session.commit()
    flash(words, "success")
    return redirect(address, 303)


def _refused(permit: Permit, team: Team, problem: Problem) -> ResponseReturnValue:
    db.session.rollback()
    return _page(permit, team, Forms.empty(team), status_of(problem), problem=problem)
