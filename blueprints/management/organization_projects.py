"""The projects of an organization: the list, a name reserved for it, and one given back."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import true

from blueprints import intent, wiring
from blueprints.form_problems import INVALID, Status, put
from blueprints.gate import management_action
from blueprints.management import bp
from blueprints.management.project_forms import ReserveForm
from blueprints.management.targets import organization_from_url, organization_project_from_url
from domain.identity import throttle
from domain.index import organization_projects as owned
from domain.index import organizations, transfers
from domain.index.search import listed
from domain.policy.actions import Action
from domain.policy.decision import Permit
from domain.policy.targets import OrganizationRole
from domain.problems import Problem
from models import Organization, Project, db


@bp.get("/manage/organization/<organization>/projects/")
@management_action(Action.VIEW_ORGANIZATION, target=organization_from_url)
def organization_projects(permit: Permit, organization: Organization) -> ResponseReturnValue:
    """List the projects, with a form to reserve another name."""
    is_kept = intent.is_resumed() and "name" in request.args
    form = ReserveForm(formdata=request.args) if is_kept else ReserveForm(formdata=None)
    return _page(permit, organization, form, (200, {}), is_kept=is_kept)


@bp.post("/manage/organization/<organization>/projects/create")
@management_action(
    Action.CREATE_ORGANIZATION_PROJECT,
    target=organization_from_url,
    resume="management.organization_projects",
    keeps=("name",),
)
def create_organization_project(permit: Permit, organization: Organization) -> ResponseReturnValue:
    """Reserve a name for the organization."""
    form, notices, now = ReserveForm(), wiring.services().notices, wiring.now()
    if not form.validate_on_submit():
        return _page(permit, organization, form, (INVALID, {}))
    try:
        throttle.take(db.session(), (throttle.RESERVE_NAME, str(permit.account.user_id)), now=now)
        project = owned.reserve(db.session(), permit, notices, organization, name=form.name.data, now=now)
    except Problem as problem:
        db.session.rollback()
        return _page(permit, organization, form, put(form, problem))
    words = f"{project.name} is reserved for {organization.display_name}."
    return _done(organization, words)


@bp.route("/manage/organization/<organization>/projects/<name>/give-back", methods=["GET", "POST"])
@management_action(Action.REMOVE_ORGANIZATION_PROJECT, target=organization_project_from_url)
def give_project_back(permit: Permit, project: Project) -> ResponseReturnValue:
    """Ask whether the project is to leave the organization, and let it go."""
    organization = project.organization
    assert organization is not None  # noqa: S101 - the address names it
    if request.method != "POST":  # HEAD comes here, too
        return _question(organization, project)
    try:
        owned.give_back(db.session(), permit, wiring.services().notices, project, now=wiring.now())
    except Problem as problem:
        db.session.rollback()
        return _question(organization, project, problem), INVALID
    words = f"{project.name} belongs to its own owners, and to {organization.display_name} no longer."
    return _done(organization, words)


def _page(
    permit: Permit, organization: Organization, form: ReserveForm, status: Status, *, is_kept: bool = False
) -> ResponseReturnValue:
    after = request.args.get("after", "")  # its people read all of its projects
    leaf = organizations.projects_of(db.session(), organization, among=true(), after=after)
    held = permit.target.organization_role if permit.target is not None else None
    page = render_template(
        "management/organization_projects.html",
        organization=organization,
        lines=list(zip(leaf.projects, listed(db.session(), leaf.projects), strict=True)),
        next=leaf.next,
        form=form,
        offers=transfers.to_organization(db.session(), organization, now=wiring.now()),
        is_manager=held is not None and held >= OrganizationRole.MANAGER,
        is_owner=held is OrganizationRole.OWNER,
        is_kept=is_kept,
    )
    return page, *status


def _question(organization: Organization, project: Project, problem: Problem | None = None) -> str:
    return render_template(
        "management/give_project_back.html",
        organization=organization,
        project=project,
        impact=owned.impact_of_giving_back(db.session(), project),
        problem=problem,
    )


def _done(organization: Organization, words: str) -> ResponseReturnValue:
    address = url_for("management.organization_projects", organization=organization.name)
    db.session.commit()
    flash(words, "success")
    return redirect(address, 303)
