"""Taking releases and files off the index, and putting them back."""

from flask import abort, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm

from blueprints import wiring
from blueprints.form_problems import INVALID, Status, put
from blueprints.gate import management_action
from blueprints.management import bp
from blueprints.management.project_forms import DeleteFileForm, DeleteForm
from blueprints.management.targets import ROW_ID, deleted_from_url, file_from_url, release_from_url
from domain.index import keepers, releases, removals
from domain.policy.actions import Action
from domain.policy.decision import Permit
from domain.problems import Problem
from models import DeletedRelease, File, Release, db


@bp.route("/manage/project/<name>/release/<version>/delete", methods=["GET", "POST"])
@management_action(Action.DELETE_RELEASE, target=release_from_url)
def delete_release(permit: Permit, release: Release) -> ResponseReturnValue:
    """Say what a deletion means, have the version typed, and delete."""
    form, project, version = DeleteForm(), release.project, release.version
    if not form.validate_on_submit():
        return _release_page(form, release, (INVALID if form.errors else 200, {}))
    found, typed = wiring.services(), form.confirm.data or ""
    try:
        removals.delete_release(db.session(), permit, found.notices, release, confirmation=typed, now=wiring.now())
    except Problem as problem:
        db.session.rollback()
        _leave_if_gone(problem)
        return _release_page(form, release, put(form, problem))
    db.session.commit()
    flash(f"{project.name} {version} was deleted. An owner can restore it for seven days.", "success")
    return redirect(url_for("management.releases", name=project.normalized_name), 303)


@bp.route("/manage/project/<name>/release/<version>/file/<filename>/delete", methods=["GET", "POST"])
@management_action(Action.DELETE_FILE, target=file_from_url)
def delete_file(permit: Permit, file: File) -> ResponseReturnValue:
    """Say what goes with a file, have the project's name typed, and delete."""
    form, filename = DeleteFileForm(), file.filename
    project, version = file.release.project, file.release.version
    if not form.validate_on_submit():
        return _file_page(form, file, (INVALID if form.errors else 200, {}))
    found, typed = wiring.services(), form.confirm.data or ""
    try:
        removals.delete_file(db.session(), permit, found.notices, file, confirmation=typed, now=wiring.now())
    except Problem as problem:
        db.session.rollback()
        _leave_if_gone(problem)
        return _file_page(form, file, put(form, problem))
    db.session.commit()
    flash(f"{filename} was deleted. An owner can restore it for seven days.", "success")
    if releases.find(db.session(), project, version) is None:
        return redirect(url_for("management.releases", name=project.normalized_name), 303)
    return redirect(url_for("management.release", name=project.normalized_name, version=version), 303)


@bp.route(f"/manage/project/<name>/releases/deleted/<{ROW_ID}:deleted_id>/restore", methods=["GET", "POST"])
@management_action(Action.RESTORE_RELEASE, target=deleted_from_url)
def restore_release(permit: Permit, removed: DeletedRelease) -> ResponseReturnValue:
    """Say what would come back, and put it back."""
    form, project, version = FlaskForm(), removed.project, removed.version
    if not form.validate_on_submit():
        return _restore_page(form, removed, (INVALID if form.errors else 200, {}))
    found, now = wiring.services(), wiring.now()
    try:
        removals.restore(db.session(), permit, found.store, found.notices, removed, now=now)
    except Problem as problem:
        db.session.rollback()
        _leave_if_gone(problem)
        return _restore_page(form, removed, put(form, problem))
    db.session.commit()
    flash(f"{project.name} {version} was restored.", "success")
    return redirect(url_for("management.release", name=project.normalized_name, version=version), 303)


def _leave_if_gone(problem: Problem) -> None:
    """404 where somebody was faster: there is nothing to show the page of."""
    if isinstance(problem, releases.Gone):
        abort(404)


def _release_page(form: DeleteForm, release: Release, status: Status) -> ResponseReturnValue:
    project = release.project
    page = render_template(
        "management/delete_release.html",
        form=form,
        project=project,
        release=release,
        next_latest=releases.newest(db.session(), project, besides=release),
        people=len(keepers.keepers_of(db.session(), project)),
    )
    return page, *status


def _file_page(form: DeleteFileForm, file: File, status: Status) -> ResponseReturnValue:
    project = file.release.project
    people = len(keepers.keepers_of(db.session(), project))
    page = render_template(
        "management/delete_file.html", form=form, project=project, release=file.release, file=file, people=people
    )
    return page, *status


def _restore_page(form: FlaskForm, removed: DeletedRelease, status: Status) -> ResponseReturnValue:
    project = removed.project
    page = render_template(
        "management/restore_release.html",
        form=form,
        project=project,
        removed=removed,
        kept=removals.KEPT,
        is_there=releases.find(db.session(), project, removed.version) is not None,
        people=len(keepers.keepers_of(db.session(), project)),
    )
    return page, *status
