"""Releases of one's projects: what is there, who uploaded it, and yanking."""

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from blueprints import intent, wiring
from blueprints.form_problems import INVALID, Status, put
from blueprints.gate import management_action
from blueprints.management import bp
from blueprints.management.project_forms import YankForm
from blueprints.management.targets import project_from_url, release_from_url
from blueprints.yanking import count_yank
from domain.identity.throttle import TooMany
from domain.index import keepers, releases, removals, yanks
from domain.policy.actions import Action
from domain.policy.decision import Permit
from domain.policy.targets import Role
from domain.problems import Problem
from models import Project, Release, db


@bp.get("/manage/project/<name>/releases/", endpoint="releases")
@management_action(Action.VIEW_RELEASES, target=project_from_url)
def list_releases(permit: Permit, project: Project) -> ResponseReturnValue:
    """List a project's releases, and what was deleted lately."""
    return render_template(
        "management/releases.html",
        project=project,
        leaf=releases.leaf(db.session(), project, before=request.args.get("before")),
        removed=removals.lately(db.session(), project, now=wiring.now()),
        kept=removals.KEPT,
        may_delete=is_owner(permit),
    )


@bp.get("/manage/project/<name>/release/<version>/")
@management_action(Action.VIEW_RELEASES, target=release_from_url)
def release(permit: Permit, release: Release) -> ResponseReturnValue:
    """Show a release's files."""
    return render_template(
        "management/release.html", project=release.project, release=release, may_delete=is_owner(permit)
    )


@bp.route("/manage/project/<name>/release/<version>/yank", methods=["GET", "POST"])
@management_action(Action.YANK_RELEASE, target=release_from_url, keeps=("reason",))
def yank(permit: Permit, release: Release) -> ResponseReturnValue:
    """Say what a yank means, ask why, and yank."""
    form = YankForm(formdata=request.args) if intent.is_resumed() else YankForm(reason=release.yanked_reason)
    project, version = release.project, release.version
    if not form.validate_on_submit():
        return _yank_page(form, release, (INVALID if form.errors else 200, {}))
    found, reason = wiring.services(), form.reason.data or ""
    try:
        count_yank(permit, release)
        yanks.yank(db.session(), permit, found.notices, release, reason=reason, now=wiring.now())
    except Problem as problem:
        db.session.rollback()
        if isinstance(problem, releases.Gone):  # somebody was faster
            abort(404)
        return _yank_page(form, release, put(form, problem))
    db.session.commit()
    flash(f"{project.name} {version} is yanked.", "success")
    return redirect(url_for("management.release", name=project.normalized_name, version=version), 303)


@bp.post("/manage/project/<name>/release/<version>/unyank")
@management_action(Action.UNYANK_RELEASE, target=release_from_url, resume="management.release")
def unyank(permit: Permit, release: Release) -> ResponseReturnValue:
    """Take a yank back."""
    name, called, version = release.project.normalized_name, release.project.name, release.version
    try:
        count_yank(permit, release)
        yanks.unyank(db.session(), permit, wiring.services().notices, release, now=wiring.now())
    except releases.Gone:
        db.session.rollback()
        abort(404)
    except TooMany as problem:
        flash(problem.message, "warning")
        return redirect(url_for("management.release", name=name, version=version), 303)
    db.session.commit()
    flash(f"{called} {version} is no longer yanked.", "success")
    return redirect(url_for("management.release", name=name, version=version), 303)


def is_owner(permit: Permit) -> bool:
    """Whether the pages offer what only owners may do."""
    return permit.target is not None and permit.target.role is Role.OWNER


def _yank_page(form: YankForm, release: Release, status: Status) -> ResponseReturnValue:
    project = release.project
    page = render_template(
        "management/yank_release.html",
        form=form,
        project=project,
        release=release,
        next_latest=releases.newest(db.session(), project, besides=release),
        people=len(keepers.keepers_of(db.session(), project)),
    )
    return page, *status
