"""`/simple/`: what pip and uv read. No object is made of a row, and neither session nor cookie is looked at."""

from flask import Response, redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from blueprints.caller import Channel
from blueprints.gate import for_readers
from blueprints.headers import SANDBOX
from blueprints.machine_answers import machine_refusal
from blueprints.simple import bp
from domain.index import simple
from domain.index.names import normalize
from domain.index.simple import Format, Rendered
from models import Project, SimplePage, db


@bp.get("/simple/")
@for_readers(Channel.MACHINE)
def index() -> ResponseReturnValue:
    """List all projects, names that are only reserved among them."""
    names = select(Project.normalized_name, Project.name).order_by(Project.normalized_name)
    rows = [(normalized, name) for normalized, name in db.session.execute(names)]
    wanted = simple.negotiate(request.headers.get("Accept"))
    return _answer(simple.index_json(rows) if wanted is Format.JSON else simple.index_html(rows), wanted)


@bp.get("/simple/<name>/")
@for_readers(Channel.MACHINE)
def project(name: str) -> ResponseReturnValue:
    """List a project's files, as they were rendered when they last changed.

    A name that is only reserved has a page without files: an installer that asks several indexes then does not take
    a stranger's package of that name from the next one.
    """
    normalized = normalize(name)
    if normalized != name:
        return redirect(url_for("simple.project", name=normalized), 301)
    wanted = simple.negotiate(request.headers.get("Accept"))
    as_json = (SimplePage.json, SimplePage.json_etag)
    columns = as_json if wanted is Format.JSON else (SimplePage.html, SimplePage.html_etag)
    kept = select(Project.id, *columns).outerjoin(SimplePage, SimplePage.project_id == Project.id)
    is_name = name.isascii() and name.isprintable()  # PostgreSQL takes no NUL, not even to look for
    row = db.session.execute(kept.where(Project.normalized_name == name)).one_or_none() if is_name else None
    if row is None:
        return machine_refusal(404, "There is no project of this name on this index.", code="no_project")
    _, body, etag = row
    empty = simple.project_json if wanted is Format.JSON else simple.project_html
    return _answer(Rendered(body, etag) if body else empty(name, []), wanted)


def _answer(page: Rendered, wanted: Format) -> Response:
    """A page that may be kept but must be asked for again each time: an upload can be installed the moment it is
    there, and asking costs a 304 while nothing has changed."""
    content_type = wanted.value if wanted is Format.JSON else f"{wanted.value}; charset=utf-8"
    response = Response(page.body, content_type=content_type)
    response.headers["ETag"] = page.etag
    response.headers["Cache-Control"] = "public, no-cache"
    response.headers["Vary"] = "Accept"
    response.headers["Content-Security-Policy"] = SANDBOX
    response.make_conditional(request)
    return response
