"""Help, the policy in plain words, the colours, and health."""

from dataclasses import dataclass
from datetime import timedelta
from itertools import groupby

from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Response, current_app, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from blueprints import wiring
from blueprints.gate import public
from blueprints.page_context import THEME_COOKIE, THEMES
from blueprints.redirects import safe_next
from blueprints.site import bp
from domain.policy.actions import Action
from models import db

ONE_YEAR = timedelta(days=365)


@dataclass(frozen=True)
class RuleInWords:
    """A rule as the policy page says it."""

    id: str
    sentence: str
    in_force: bool


@bp.get("/help/")
@public
def help() -> ResponseReturnValue:
    """Show how to install, publish, and go on after a refusal."""
    return render_template("site/help.html")


@bp.get("/help/policy/")
@public
def policy() -> ResponseReturnValue:
    """Show the rules in force and every action that they concern, from the table that the judge reads."""
    rules = [
        RuleInWords(rule.id, rule.sentence, rule.is_in_force(wiring.now())) for rule in wiring.services().policy.rules
    ]
    concerned = [action.needs for action in Action if action.needs.second_factor and not action.needs.operator]
    gated = [
        (group, [needs.label for needs in members]) for group, members in groupby(concerned, lambda needs: needs.group)
    ]
    return render_template("site/policy.html", rules=rules, gated=gated)


@bp.post("/account/theme/")
@public
def theme() -> ResponseReturnValue:
    """Keep the chosen colours in a cookie, and go back to the page."""
    chosen = request.form.get("theme", "")
    referrer = (request.referrer or "").removeprefix(wiring.services().site.public_url)
    answer = redirect(safe_next(referrer, otherwise=url_for("browse.home")), 303)
    if chosen in THEMES:
        answer.set_cookie(
            THEME_COOKIE,
            chosen,
            max_age=ONE_YEAR,
            secure=wiring.services().is_https,
            httponly=True,
            samesite="Lax",
        )
    return answer


@bp.get("/_health/")
@public
def health() -> Response:
    """Say that the process answers; asks nothing else."""
    return Response("ok\n", mimetype="text/plain")


@bp.get("/_health/ready/")
@public
def ready() -> Response:
    """Say whether the database answers and has this version's tables; 503 with the reason otherwise."""
    try:
        db.session.execute(text("SELECT 1"))
        applied = MigrationContext.configure(db.session.connection()).get_current_revision()
    except SQLAlchemyError:
        return Response("the database does not answer\n", status=503, mimetype="text/plain")
    newest = ScriptDirectory(f"{current_app.root_path}/migrations").get_current_head()
    if applied != newest:
        return Response("the database waits for `flask db upgrade`\n", status=503, mimetype="text/plain")
    return Response("ready\n", mimetype="text/plain")
