"""`POST /legacy/`: where twine, uv and the others send a file."""

from functools import partial

import structlog
from flask import Response, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from blueprints import wiring
from blueprints.caller import Channel, account_id, caller
from blueprints.denials import answer
from blueprints.gate import management_action, public
from blueprints.machine_answers import machine_refusal
from blueprints.upload import bp, forms
from blueprints.upload.body import read_body
from domain.identity import tokens
from domain.index import projects, quotas
from domain.index.publish import publish
from domain.policy.actions import Action
from domain.policy.decision import NoLongerPermitted, Permit
from domain.policy.principals import Publisher, TokenHolder
from domain.policy.targets import Target
from domain.problems import Problem
from models import Project, db

# Everything else is 400, also a file that is too large: it is what twine and uv know from PyPI.
STATUS = {"retired": 410, "try_again": 409, "token_scope": 403}

log = structlog.get_logger("countersign")


def project_from_form(principal: TokenHolder | Publisher) -> Target | None:
    """Read the body, which names the project; None if there is no such project yet. Raises Problem, also for a form
    that is filled in wrongly: on PyPI, too, that is said before anything about the project.

    No transaction is open while the body arrives: a slow line must not hold the database.
    """
    found = wiring.services()
    most = quotas.largest_file(db.session(), found.upload_rules)
    db.session.rollback()
    g.body = read_body(request, found.store.incoming, wanted=forms.WANTED, max_file_bytes=most)
    g.upload = forms.upload_of(g.body)
    project = projects.find(db.session(), g.upload.name)
    if project is None:
        return None
    return projects.target_of(db.session(), project, account_id(principal))


@bp.post("/legacy/")
@management_action(
    Action.UPLOAD_FILE,
    target=project_from_form,
    without_target=Action.CREATE_PROJECT,
    channel=Channel.MACHINE,
)
def upload(permit: Permit, project: Project | None) -> ResponseReturnValue:
    """Publish the file that was sent. An empty answer means that all went well: twine prints whatever is in it."""
    found, now = wiring.services(), wiring.now()
    published = publish(
        db.session(),
        permit,
        found.store,
        found.notices,
        g.upload,
        rules=found.upload_rules,
        policy=found.policy,
        asks_again=partial(caller, Channel.MACHINE),
        now=now,
    )
    if isinstance(permit.principal, TokenHolder):
        tokens.record_use(db.session(), permit.principal, project_id=published.project_id, now=now)
    db.session.commit()
    return Response(mimetype="text/plain")


@bp.get("/legacy/")
@public
def explain() -> ResponseReturnValue:
    """Say to a person what this address is for."""
    return render_template("upload/explain.html")


@bp.route("/legacy", methods=["GET", "POST"])
@public
def without_slash() -> ResponseReturnValue:
    """Name the right address; 308 has the client send the same request there."""
    return redirect(url_for("upload.explain"), 308)


@bp.before_request
def read_first() -> None:
    """Have the request's transactions begin as reading ones: `publish` says when writing begins. And have no query look
    through the session for changes first: what it must find is flushed by name."""
    db.session.info["reading"] = True
    db.session.autoflush = False


@bp.teardown_request
def remove_file(error: BaseException | None) -> None:
    """Remove the file that arrived; what was published has been copied."""
    body = g.pop("body", None)
    if body is not None:
        body.remove()


@bp.errorhandler(NoLongerPermitted)
def refuse_after_all(refusal: NoLongerPermitted) -> ResponseReturnValue:
    """Refuse as the gate does, with nothing stored."""
    db.session.rollback()
    return answer(refusal.denial, Channel.MACHINE, resume=None, keeps=())


@bp.errorhandler(Problem)
def refuse(problem: Problem) -> ResponseReturnValue:
    """Refuse in words, with nothing stored."""
    db.session.rollback()
    log.info("upload_refused", code=problem.code, field=problem.field, reason=problem.message)
    return machine_refusal(STATUS.get(problem.code or "", 400), problem.message, code=problem.code)
