"""Which API tokens can touch a project: for its owners."""

from flask import render_template, request
from flask.typing import ResponseReturnValue

from blueprints import wiring
from blueprints.gate import management_action
from blueprints.management import bp
from blueprints.management.targets import project_from_url
from blueprints.url_values import number
from domain.index.project_tokens import touching
from domain.policy.actions import Action
from domain.policy.decision import Permit
from models import Project, db


@bp.get("/manage/project/<name>/tokens/")
@management_action(Action.VIEW_SETTINGS, target=project_from_url)
def project_tokens(permit: Permit, project: Project) -> ResponseReturnValue:
    """List them, fifty on a page."""
    leaf = touching(db.session(), project, now=wiring.now(), after=number(request.args.get("after", "")))
    return render_template("management/project_tokens.html", project=project, tokens=leaf.tokens, older=leaf.older)
