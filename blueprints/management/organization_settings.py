"""The settings of an organization: what it says of itself, its rule, its end."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from blueprints import intent, wiring
from blueprints.form_problems import INVALID, Status, put, status_of
from blueprints.gate import management_action
from blueprints.management import bp
from blueprints.management.organization_forms import DeleteOrganizationForm, FactsForm
from blueprints.management.organizations import facts_of
from blueprints.management.targets import organization_from_url
from domain.index import organization_settings as settings
from domain.policy.actions import Action
from domain.policy.decision import Permit
from domain.policy.principals import Factor
from domain.policy.targets import OrganizationRole
from domain.problems import Problem
from models import Organization, db


@bp.get("/manage/organization/<organization>/settings/")
@management_action(Action.VIEW_ORGANIZATION, target=organization_from_url)
def organization_settings(permit: Permit, organization: Organization) -> ResponseReturnValue:
    """Show the settings to everybody of the organization, and the forms to its owners."""
    is_kept = intent.is_resumed()
    form = FactsForm(formdata=request.args) if is_kept else FactsForm(obj=organization)
    return _page(permit, organization, form, (200, {}), is_kept=is_kept)


@bp.post("/manage/organization/<organization>/settings/edit")
@management_action(
    Action.EDIT_ORGANIZATION,
    target=organization_from_url,
    resume="management.organization_settings",
    keeps=("display_name", "url", "description"),
)
def edit_organization(permit: Permit, organization: Organization) -> ResponseReturnValue:
    """Change what the organization says of itself."""
    form, notices, now = FactsForm(), wiring.services().notices, wiring.now()
    if not form.validate_on_submit():
        return _page(permit, organization, form, (INVALID, {}))
    try:
        settings.edit(db.session(), permit, notices, organization, facts_of(form), now=now)
    except Problem as problem:
        db.session.rollback()
        return _page(permit, organization, form, put(form, problem))
    flash("The settings are saved.", "success")
    return _done(organization)


@bp.route("/manage/organization/<organization>/settings/keys", methods=["GET", "POST"])
@management_action(Action.EDIT_ORGANIZATION, target=organization_from_url)
def organization_rule(permit: Permit, organization: Organization) -> ResponseReturnValue:
    """Ask whether everybody is to use a passkey or security key, and decide so."""
    if request.method != "POST":  # HEAD comes here, too
        return _rule_page(permit, organization)
    asks, notices, now = request.form.get("asks") == "yes", wiring.services().notices, wiring.now()
    try:
        settings.set_rule(db.session(), permit, notices, organization, asks=asks, now=now)
    except Problem as problem:
        db.session.rollback()
        return _rule_page(permit, organization, problem), *status_of(problem)
    called = organization.display_name
    flash(f"{called} {'asks' if asks else 'no longer asks'} for a passkey or security key.", "success")
    return _done(organization)


@bp.route("/manage/organization/<organization>/settings/delete", methods=["GET", "POST"])
@management_action(Action.DELETE_ORGANIZATION, target=organization_from_url)
def delete_organization(permit: Permit, organization: Organization) -> ResponseReturnValue:
    """Ask whether the organization is to go, and delete it."""
    form, now = DeleteOrganizationForm(), wiring.now()
    if not form.validate_on_submit():
        return _delete_page(organization, form), INVALID if form.errors else 200
    name = organization.name
    try:
        settings.remove(
            db.session(), permit, wiring.services().notices, organization, confirmation=form.confirm.data, now=now
        )
    except Problem as problem:
        db.session.rollback()
        status = put(form, problem)
        return _delete_page(organization, form), *status
    db.session.commit()
    flash(f"The organization {name} is deleted.", "success")
    return redirect(url_for("management.organizations"), 303)


def _page(
    permit: Permit, organization: Organization, form: FactsForm, status: Status, *, is_kept: bool = False
) -> ResponseReturnValue:
    is_owner = permit.target is not None and permit.target.organization_role is OrganizationRole.OWNER
    page = render_template(
        "management/organization_settings.html",
        organization=organization,
        form=form,
        is_owner=is_owner,
        is_kept=is_kept and is_owner,
    )
    return page, *status


def _rule_page(permit: Permit, organization: Organization, problem: Problem | None = None) -> str:
    return render_template(
        "management/organization_rule.html",
        organization=organization,
        keyless=settings.keyless_in(db.session(), organization, now=wiring.now()),
        has_key=Factor.WEBAUTHN in permit.account.factors,
        problem=problem,
    )


def _delete_page(organization: Organization, form: DeleteOrganizationForm) -> str:
    contents = settings.contents_of(db.session(), organization, now=wiring.now())
    return render_template("management/delete_organization.html", organization=organization, form=form, has=contents)


def _done(organization: Organization) -> ResponseReturnValue:
    address = url_for("management.organization_settings", organization=organization.name)
    db.session.commit()
    return redirect(address, 303)
