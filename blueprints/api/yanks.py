"""Yanking and un-yanking by a program, with an API token that may."""

from typing import Any

import orjson
from flask import abort, g, jsonify, request
from flask.typing import ResponseReturnValue

from blueprints import wiring
from blueprints.api import bp
from blueprints.caller import Channel, account_id
from blueprints.gate import management_action
from blueprints.machine_answers import machine_refusal, problem_refusal
from blueprints.yanking import count_yank
from domain.identity import tokens
from domain.index import projects, releases, yanks
from domain.policy.actions import Action
from domain.policy.decision import Permit
from domain.policy.principals import Publisher, TokenHolder
from domain.policy.targets import Target
from domain.problems import Problem
from models import Project, Release, db


def release_from_url(principal: TokenHolder | Publisher, name: str, version: str) -> Target:
    """The release, once the body has arrived: no transaction is open while a slow line sends it."""
    db.session.rollback()
    g.yank_reason = _reason()
    project = projects.find(db.session(), name) or abort(404)
    release = releases.find(db.session(), project, version) or abort(404)
    called = f"{project.name} {release.version}"
    target = projects.target_of(db.session(), project, account_id(principal), subject=release, name=called)
    return abort(404) if target.is_hidden else target


@bp.post("/api/projects/<name>/releases/<version>/yank")
@management_action(Action.YANK_RELEASE, target=release_from_url, channel=Channel.MACHINE)
def yank(permit: Permit, release: Release) -> ResponseReturnValue:
    """Yank a release; `reason` is a field of a form or of a JSON object, and may be left out."""
    project, version = release.project, release.version
    count_yank(permit, release)
    yanks.yank(db.session(), permit, wiring.services().notices, release, reason=g.yank_reason, now=wiring.now())
    return _done(permit, project, version, is_yanked=True)


@bp.post("/api/projects/<name>/releases/<version>/unyank")
@management_action(Action.UNYANK_RELEASE, target=release_from_url, channel=Channel.MACHINE)
def unyank(permit: Permit, release: Release) -> ResponseReturnValue:
    """Take a yank back."""
    project, version = release.project, release.version
    count_yank(permit, release)
    yanks.unyank(db.session(), permit, wiring.services().notices, release, now=wiring.now())
    return _done(permit, project, version, is_yanked=False)


@bp.errorhandler(Problem)
def refuse(problem: Problem) -> ResponseReturnValue:
    """Refuse in words, with nothing changed."""
    db.session.rollback()
    if isinstance(problem, projects.Gone | releases.Gone):
        return machine_refusal(404, problem.message, code=problem.code)
    return problem_refusal(problem)


def _done(permit: Permit, project: Project, version: str, *, is_yanked: bool) -> ResponseReturnValue:
    if isinstance(permit.principal, TokenHolder):
        tokens.record_use(db.session(), permit.principal, project_id=project.id, now=wiring.now())
    name = project.name
    db.session.commit()
    return jsonify(project=name, version=version, yanked=is_yanked)


def _reason() -> str:
    if not request.is_json or not request.get_data():
        return request.form.get("reason", "")
    try:
        body: Any = orjson.loads(request.get_data())  # Any: whatever was sent
    except orjson.JSONDecodeError:
        abort(400)
    reason = body.get("reason") if isinstance(body, dict) else body
    if body is not None and not isinstance(body, dict):
        raise Problem("Send a JSON object.")
    if reason is not None and not isinstance(reason, str):
        raise Problem("The reason must be text.", field="reason")
    return reason or ""
