"""`/simple/`: what pip and uv read. No object is made of a row, and neither session nor cookie is looked at."""

from flask import Response, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import and_, select

from blueprints import reading, wiring
from blueprints.caller import Channel
from blueprints.gate import for_readers
from blueprints.headers import SANDBOX
from blueprints.machine_answers import machine_refusal, moved
from blueprints.simple import bp
from domain.index import codings, simple
from domain.index.codings import Coding
from domain.index.names import normalize
from domain.index.simple import Format, Rendered
from models import PackedPage, Project, SimplePage, db

Kept = tuple[Rendered, Coding]


@bp.get("/simple/")
@for_readers(Channel.MACHINE)
def index() -> ResponseReturnValue:
    """List all projects that are there for whoever asks, names that are only reserved among them."""
    wanted, coding = _wishes()
    reader = reading.reader(Channel.MACHINE)
    return _answer(wiring.services().name_list.page(db.session(), wanted, coding, reader), wanted, coding)


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
    headers = request.headers
    return simple.negotiate(headers.get("Accept")), codings.choose(headers.get("Accept-Encoding"))


def _kept(name: str, wanted: Format, coding: Coding) -> Kept | None:
    """The page and the coding that it is in; None if there is no such project for whoever asks. By one statement as a
    rule: names that are only reserved have no page kept, and are few."""
    form = "json" if wanted is Format.JSON else "html"
    packed = and_(PackedPage.project_id == Project.id, PackedPage.form == form, PackedPage.coding == coding.value)
    as_json = (SimplePage.json, SimplePage.json_etag)
    plain = as_json if wanted is Format.JSON else (SimplePage.html, SimplePage.html_etag)
    if coding is Coding.IDENTITY:
        found = select(Project.id, Project.is_private, *plain).outerjoin(
            SimplePage, SimplePage.project_id == Project.id
        )
    else:
        found = select(Project.id, Project.is_private, PackedPage.body, PackedPage.etag).outerjoin(PackedPage, packed)
    row = db.session.execute(found.where(Project.normalized_name == name)).one_or_none()
    if row is None or (row[1] and not reading.may_read_private(row[0], Channel.MACHINE)):
        return None
    body: bytes | None = row[2]
    if body is not None:
        return Rendered(body, row[3]), coding
    if coding is not Coding.IDENTITY:
        return _kept(name, wanted, Coding.IDENTITY)
    empty = simple.project_json if wanted is Format.JSON else simple.project_html
    return empty(name, []), coding


def _answer(page: Rendered, wanted: Format, coding: Coding) -> Response:
    """A page that may be kept but must be asked for again each time: an upload can be installed the moment it is
    there, and asking costs a 304 while nothing has changed."""
    content_type = wanted.value if wanted is Format.JSON else f"{wanted.value}; charset=utf-8"
    response = Response(page.body, content_type=content_type)
    if coding is not Coding.IDENTITY:
        response.headers["Content-Encoding"] = coding.value
    response.headers["ETag"] = page.etag
    response.headers["Cache-Control"] = "public, no-cache"
    response.headers["Vary"] = "Accept, Accept-Encoding"
    response.headers["Content-Security-Policy"] = SANDBOX
    response.make_conditional(request)
    return response
