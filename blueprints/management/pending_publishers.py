"""CI identities that wait for their project: one's own, and those of an organization."""

from collections.abc import Callable

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm

from blueprints import intent, wiring
from blueprints.form_problems import INVALID, Status, put
from blueprints.gate import management_action
from blueprints.management import bp
from blueprints.management.publisher_forms import FIELDS, form_for
from blueprints.management.targets import (
    ROW_ID,
    organization_from_url,
    organization_pending_from_url,
    pending_from_url,
)
from blueprints.management.trusting import count_publisher
from domain.index import pending_publishers, publishers
from domain.index.publisher_identities import GITHUB, PROVIDERS, Provider, limits_of, provider_of
from domain.policy.actions import Action
from domain.policy.decision import Permit
from domain.problems import Problem
from models import Organization, PendingPublisher, db

KEEPS = ("project_name", "provider", *FIELDS)
Remove = Callable[..., None]


@bp.route("/manage/account/publishing/", methods=["GET", "POST"])
@management_action(Action.ADD_PENDING_PUBLISHER, keeps=KEEPS)
def account_publishing(permit: Permit) -> ResponseReturnValue:
    """List what waits for projects of one's own, and add to it."""
    return _add(permit, None)


@bp.route("/manage/organization/<organization>/publishing/", methods=["GET", "POST"])
@management_action(Action.ADD_ORGANIZATION_PUBLISHER, target=organization_from_url, keeps=KEEPS)
def organization_publishing(permit: Permit, organization: Organization) -> ResponseReturnValue:
    """List what waits for projects of an organization, and add to it."""
    return _add(permit, organization)


@bp.route(f"/manage/account/publishing/<{ROW_ID}:pending_id>/remove", methods=["GET", "POST"])
@management_action(Action.REMOVE_PENDING_PUBLISHER, target=pending_from_url)
def remove_pending(permit: Permit, pending: PendingPublisher) -> ResponseReturnValue:
    """Ask whether it is to wait no longer, and let it go."""
    return _remove(permit, pending, pending_publishers.remove)


@bp.route(f"/manage/organization/<organization>/publishing/<{ROW_ID}:waiting_id>/remove", methods=["GET", "POST"])
@management_action(Action.REMOVE_ORGANIZATION_PUBLISHER, target=organization_pending_from_url)
def remove_organization_pending(permit: Permit, pending: PendingPublisher) -> ResponseReturnValue:
    """The same for what waits for a project of an organization."""
    return _remove(permit, pending, pending_publishers.remove_of_organization)


def _add(permit: Permit, organization: Organization | None) -> ResponseReturnValue:
    """organization: whose project it is to be; None for one's own."""
    provider, form = _form()
    if not form.validate_on_submit():
        return _page(permit, organization, provider, form, (INVALID if form.errors else 200, {}))
    values = {name: form[name].data or "" for name in FIELDS if name in form}
    session, notices, now = db.session(), wiring.services().notices, wiring.now()
    name = form.project_name.data
    try:
        count_publisher(permit)
        if organization is None:
            added = pending_publishers.add(
                session, permit, notices, project_name=name, provider=provider, values=values, now=now
            )
        else:
            added = pending_publishers.add_for_organization(
                session, permit, notices, organization, project_name=name, provider=provider, values=values, now=now
            )
    except Problem as problem:
        db.session.rollback()
        return _page(permit, organization, provider, form, put(form, problem))
    words = f"The first upload of {pending_publishers.called(added)} creates {added.project_name}."
    return _done(words, _back(organization))


def _form() -> tuple[Provider, FlaskForm]:
    """The form of the provider that was chosen; on a page that is only looked at, filled in from the address."""
    provider = provider_of(request.values.get("provider", "")) or GITHUB
    added = publishers.added_issuers(db.session(), provider)
    return provider, form_for(provider, added, request.args if _is_filled_in() else None, names_project=True)


def _is_filled_in() -> bool:
    return request.method != "POST" and any(request.args.get(name) for name in ("project_name", *FIELDS))


def _remove(permit: Permit, pending: PendingPublisher, remove: Remove) -> ResponseReturnValue:
    form, called, back = FlaskForm(), pending_publishers.called(pending), _back(pending.organization)
    if not form.validate_on_submit():
        limits = limits_of(pending.provider, pending.facts)
        page = render_template(
            "management/remove_pending.html", form=form, pending=pending, called=called, limits=limits, back=back
        )
        return page, INVALID if form.errors else 200
    try:
        remove(db.session(), permit, wiring.services().notices, pending, now=wiring.now())
    except Problem as problem:
        db.session.rollback()
        flash(problem.message, "warning")
        return redirect(back, 303)
    return _done(f"{called} no longer waits.", back)


def _page(
    permit: Permit, organization: Organization | None, provider: Provider, form: FlaskForm, status: Status
) -> ResponseReturnValue:
    now, user_id, is_kept = wiring.now(), permit.account.user_id, intent.is_resumed()
    if organization is None:
        rows = pending_publishers.of_user(db.session(), user_id, now=now)
    else:
        rows = pending_publishers.of_organization(db.session(), organization, now=now)
    page = render_template(
        f"management/{'account' if organization is None else 'organization'}_publishing.html",
        organization=organization,
        waiting=[(row, pending_publishers.called(row), limits_of(row.provider, row.facts)) for row in rows],
        count=pending_publishers.count_of(db.session(), user_id, now=now),
        most=pending_publishers.MOST,
        provider=provider,
        providers=list(PROVIDERS.values()),
        form=form,
        issuer=getattr(form, "issuer", None),
        is_kept=is_kept,
        is_foreign=_is_filled_in() and not is_kept,
    )
    return page, *status


def _back(organization: Organization | None) -> str:
    if organization is None:
        return url_for("management.account_publishing")
    return url_for("management.organization_publishing", organization=organization.name)


def _done(words: str, back: str) -> ResponseReturnValue:
    db.session.commit()
    flash(words, "success")
    return redirect(back, 303)
