"""What may upload to a project: its trusted publishers."""

from datetime import timedelta

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm

from blueprints import intent, wiring
from blueprints.form_problems import INVALID, Status, put, status_of
from blueprints.gate import management_action
from blueprints.management import bp
from blueprints.management.publisher_forms import FIELDS, form_for
from blueprints.management.targets import ROW_ID, project_from_url, publisher_from_url
from blueprints.management.trusting import count_publisher
from blueprints.management.why import row_of
from domain.index import publishers, trusted_publishing
from domain.index.project_tokens import touching
from domain.index.publisher_identities import GITHUB, PROVIDERS, Provider, limits_of, provider_of
from domain.policy.actions import Action
from domain.policy.decision import Permit
from domain.problems import Problem
from models import Project, TrustedPublisher, db

REFUSALS_SHOWN = timedelta(days=7)


@bp.get("/manage/project/<name>/publishing/")
@management_action(Action.VIEW_PUBLISHERS, target=project_from_url)
def publishing(permit: Permit, project: Project) -> ResponseReturnValue:
    """List the trusted publishers, with a form for another one, filled in from the address."""
    provider = provider_of(request.args.get("provider", "")) or GITHUB
    is_filled_in = any(request.args.get(name) for name in FIELDS)
    form = _form(provider, is_filled_in=is_filled_in)
    is_kept = intent.is_resumed()
    return _page(project, provider, form, (200, {}), is_kept=is_kept, is_foreign=is_filled_in and not is_kept)


@bp.post("/manage/project/<name>/publishing/add")
@management_action(
    Action.ADD_PUBLISHER, target=project_from_url, resume="management.publishing", keeps=("provider", *FIELDS)
)
def add_publisher(permit: Permit, project: Project) -> ResponseReturnValue:
    """Trust another CI identity."""
    provider = provider_of(request.form.get("provider", "")) or abort(404)
    form, now = _form(provider), wiring.now()
    if not form.validate_on_submit():
        return _page(project, provider, form, (INVALID, {}))
    values = {name: form[name].data or "" for name in FIELDS if name in form}
    try:
        count_publisher(permit)
        added = publishers.add(
            db.session(), permit, wiring.services().notices, project, provider=provider, values=values, now=now
        )
    except Problem as problem:
        db.session.rollback()
        return _page(project, provider, form, put(form, problem))
    flash(f"{publishers.called(added)} is now a trusted publisher.", "success")
    return _done(project)


@bp.route(f"/manage/project/<name>/publishing/<{ROW_ID}:publisher_id>/remove", methods=["GET", "POST"])
@management_action(Action.REMOVE_PUBLISHER, target=publisher_from_url)
def remove_publisher(permit: Permit, publisher: TrustedPublisher) -> ResponseReturnValue:
    """Ask whether a publisher is to go, and trust it no more."""
    project, title = publisher.project, publishers.called(publisher)
    if request.method != "POST":  # HEAD comes here, too
        limits = limits_of(publisher.provider, publisher.facts)
        return render_template(
            "management/remove_publisher.html", project=project, publisher=publisher, title=title, limits=limits
        )
    notices, now = wiring.services().notices, wiring.now()
    try:
        publishers.remove(db.session(), permit, notices, publisher, now=now)
    except Problem as problem:
        db.session.rollback()
        flash(problem.message, "warning")
        return redirect(url_for("management.publishing", name=project.normalized_name), 303)
    flash(f"{title} is no trusted publisher of {project.name} any more.", "success")
    return _done(project)


@bp.route("/manage/project/<name>/publishing/uploaders", methods=["GET", "POST"])
@management_action(Action.CHANGE_UPLOADERS, target=project_from_url)
def change_uploaders(permit: Permit, project: Project) -> ResponseReturnValue:
    """Say what it means to take trusted publishers only, or API tokens again, and do so."""
    if request.method != "POST":  # HEAD comes here, too
        return _uploaders_page(project)
    notices, now = wiring.services().notices, wiring.now()
    try:
        takes_tokens = {"yes": True, "no": False}.get(request.form.get("takes_tokens", ""))
        if takes_tokens is None:
            raise Problem("Choose what may upload.")
        publishers.set_uploaders(db.session(), permit, notices, project, takes_tokens=takes_tokens, now=now)
    except Problem as problem:
        db.session.rollback()
        return _uploaders_page(project, problem), *status_of(problem)
    flash(f"{project.name} takes {'API tokens again' if takes_tokens else 'trusted publishers only'}.", "success")
    return _done(project)


def _uploaders_page(project: Project, problem: Problem | None = None) -> str:
    return render_template(
        "management/change_uploaders.html",
        project=project,
        publishers=publishers.of_project(db.session(), project),
        leaf=touching(db.session(), project, now=wiring.now()),
        problem=problem,
    )


def _form(provider: Provider, *, is_filled_in: bool = False) -> FlaskForm:
    added = publishers.added_issuers(db.session(), provider)
    return form_for(provider, added, request.args if is_filled_in else None)


def _page(
    project: Project,
    provider: Provider,
    form: FlaskForm,
    status: Status,
    *,
    is_kept: bool = False,
    is_foreign: bool = False,
) -> ResponseReturnValue:
    rows = publishers.of_project(db.session(), project)
    refusals = trusted_publishing.refusals_of(db.session(), project, since=wiring.now() - REFUSALS_SHOWN)
    page = render_template(
        "management/publishing.html",
        project=project,
        provider=provider,
        providers=list(PROVIDERS.values()),
        form=form,
        issuer=getattr(form, "issuer", None),
        refusals=[(event, [row_of(step) for step in event.details["steps"]]) for event in refusals],
        audience=wiring.services().site.audience,
        upload_url=f"{wiring.services().site.public_url}{url_for('upload.upload')}",
        publishers=[(row, publishers.called(row), limits_of(row.provider, row.facts)) for row in rows],
        is_kept=is_kept,
        is_foreign=is_foreign,
    )
    return page, *status


def _done(project: Project) -> ResponseReturnValue:
    address = url_for("management.publishing", name=project.normalized_name)
    db.session.commit()
    return redirect(address, 303)
