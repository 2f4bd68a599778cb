"""`/simple/`: what pip and uv read. No object is made of a row, and neither session nor cookie is looked at."""

from flask import Response, request, url_for
from flask.typing import ResponseReturnValue

from blueprints import reading, wiring
from blueprints.caller import Channel
from blueprints.gate import for_readers
from blueprints.machine_answers import machine_refusal, moved
from blueprints.simple import bp
from blueprints.simple.kept import headers_of, negotiate
from domain.index import quick_reads, simple
from domain.index.codings import Coding
from domain.index.names import normalize
from domain.index.simple import Format, Rendered
from models import db


@bp.get("/simple/")
@for_readers(Channel.MACHINE)
def index() -> ResponseReturnValue:
    """List all projects that are there for whoever asks, names that are only reserved among them."""
    wanted, coding = _wishes()
    reader, changes = reading.reader(Channel.MACHINE), quick_reads.changes(db.engine)
    return _answer(wiring.services().name_list.page(db.session, changes, wanted, coding, reader), wanted, coding)


@bp.get("/simple/<name>/")
@for_readers(Channel.MACHINE)
def project(name: str) -> ResponseReturnValue:
    """List a project's files, as they were rendered when they last changed.

    A name that is only reserved has a page without files: an installer that asks several indexes then does not take
    a stranger's package of that name from the next one.
    """
    normalized = normalize(name)
    if normalized != name:
        return moved(url_for("simple.project", name=normalized))
    wanted, coding = _wishes()
    is_name = name.isascii() and name.isprintable()  # PostgreSQL takes no NUL, not even to look for
    kept = _kept(name, wanted, coding) if is_name else None
    if kept is None:
        words = "There is no project of this name on this index."
        return reading.not_here(machine_refusal(404, words, code="no_project"))
    page, coding = kept
    return _answer(page, wanted, coding)


def _wishes() -> tuple[Format, Coding]:
    return negotiate(request.headers.get("Accept"), request.headers.get("Accept-Encoding"))


def _kept(name: str, wanted: Format, coding: Coding) -> tuple[Rendered, Coding] | None:
    """The page and the coding that it is in; None if there is no such project for whoever asks."""
    found = quick_reads.find_page(db.engine, name, wanted, coding)
    if found is None or (found.is_private and not reading.may_read_private(found.project_id, Channel.MACHINE)):
        return None
    if found.page is not None:
        return found.page, coding
    render = simple.project_json if wanted is Format.JSON else simple.project_html
    return render(name, []), Coding.IDENTITY


def _answer(page: Rendered, wanted: Format, coding: Coding) -> Response:
    response = Response(page.body, headers={**headers_of(wanted, coding), "ETag": page.etag})
    if "If-None-Match" in request.headers:
        response.make_conditional(request)
    return response
