"""Releases of one's projects: what is there, who uploaded it, and taking one back."""

from flask import abort, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from blueprints import wiring
from blueprints.form_problems import INVALID, Status, put
from blueprints.gate import management_action
from blueprints.management import bp
from blueprints.management.project_forms import DeleteForm
from blueprints.management.targets import project_from_url, release_from_url
from domain.index import collaborators
from domain.index.latest import latest
from domain.index.releases import delete_release as delete
from domain.index.releases import find, of_project
from domain.policy.actions import Action
from domain.policy.decision import Permit
from domain.policy.targets import Role
from domain.problems import Problem
from models import Project, Release, db


@bp.get("/manage/project/<name>/releases/")
@management_action(Action.VIEW_RELEASES, target=project_from_url)
def releases(permit: Permit, project: Project) -> ResponseReturnValue:
    """List a project's releases."""
    return render_template(
        "management/releases.html",
        project=project,
        releases=of_project(db.session(), project),
        may_delete=_is_owner(permit),
    )


@bp.get("/manage/project/<name>/release/<version>/")
@management_action(Action.VIEW_RELEASES, target=release_from_url)
def release(permit: Permit, release: Release) -> ResponseReturnValue:
    """Show a release's files."""
    return render_template(
        "management/release.html", project=release.project, release=release, may_delete=_is_owner(permit)
    )


@bp.route("/manage/project/<name>/release/<version>/delete", methods=["GET", "POST"])
@management_action(Action.DELETE_RELEASE, target=release_from_url)
def delete_release(permit: Permit, release: Release) -> ResponseReturnValue:
    """Say what a deletion means, have the version typed, and delete."""
    form, project, version = DeleteForm(), release.project, release.version
    if not form.validate_on_submit():
        return _delete_page(form, release, (INVALID if form.errors else 200, {}))
    found, typed = wiring.services(), form.confirm.data or ""
    try:
        delete(db.session(), permit, found.notices, release, confirmation=typed, now=wiring.now())
    except Problem as problem:
        db.session.rollback()
        if find(db.session(), project, version) is None:  # somebody was faster
            abort(404)
        return _delete_page(form, release, put(form, problem))
    db.session.commit()
    flash(f"{project.name} {version} was deleted.", "success")
    return redirect(url_for("management.releases", name=project.normalized_name), 303)


def _delete_page(form: DeleteForm, release: Release, status: Status) -> ResponseReturnValue:
    others = [each for each in of_project(db.session(), release.project) if each.id != release.id]
    page = render_template(
        "management/delete_release.html",
        form=form,
        project=release.project,
        release=release,
        next_latest=latest(others),
        people=len(collaborators.of_project(db.session(), release.project)),
    )
    return page, *status


def _is_owner(permit: Permit) -> bool:
    return permit.target is not None and permit.target.role is Role.OWNER
