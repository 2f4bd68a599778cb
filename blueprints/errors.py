"""Error pages: calm, with the way on; for programs a sentence."""

import structlog
from flask import Flask, Response, current_app, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError
from gunicorn.http.errors import ParseException
from sqlalchemy.exc import IntegrityError, OperationalError, SQLAlchemyError
from sqlalchemy.orm.exc import ObjectDeletedError, StaleDataError
from werkzeug.exceptions import HTTPException, MethodNotAllowed, SecurityError, TooManyRequests

from adapters.storage import StoreFault
from blueprints import wiring
from blueprints.browser_session import origin_of
from blueprints.caller import signed_in_user
from blueprints.machine_answers import machine_refusal, wants_json
from domain import journal
from domain.problems import Problem
from models import db

MACHINE_BLUEPRINTS = frozenset({"upload", "simple", "api"})
# Where programs look, also for what is not there or by a method that is none.
MACHINE_PATHS = ("/simple/", "/packages/", "/pypi/", "/rss/", "/integrity/", "/legacy/", "/api/", "/_/")
PAGES = {
    400: (
        "That request does not fit",
        "Something in the address or the form is not as it should be. Go back and try again.",
    ),
    401: ("Sign in first", "This page needs an account."),
    403: ("You may not do this", "Your account has no role in this that would allow it."),
    404: ("Nothing here", "The page may have moved, or the project may not be on this index."),
    405: ("Not like this", "This address exists, but not for that kind of request."),
    413: ("Too large", "What you sent is larger than this index takes."),
    429: ("Too many tries", "Wait a little, then try again."),
    503: ("Not at the moment", "The files of this index are out of reach. Nothing was changed. Try again in a minute."),
    500: ("Our mistake", "Something went wrong here. Nothing was changed. It has been logged."),
}

WAITED_FOR_EACH_OTHER = ("40P01", "40001")  # PostgreSQL: deadlock detected, serialization failure
MAX_PAGE = 200  # characters of an address that an event keeps
log = structlog.get_logger("countersign")


def install(app: Flask) -> None:
    """Answer every error, expected or not, with a page or a sentence of our own."""
    app.register_error_handler(HTTPException, _expected)
    app.register_error_handler(CSRFError, _stale_form)
    app.register_error_handler(ParseException, _broken_body)
    app.register_error_handler(Problem, _uncaught_problem)
    for collision in (IntegrityError, StaleDataError, ObjectDeletedError):
        app.register_error_handler(collision, _collision)
    app.register_error_handler(OperationalError, _trouble)
    app.register_error_handler(StoreFault, _out_of_reach)
    app.register_error_handler(Exception, _unexpected)
    app.after_request(_note_spent_budget)


def _expected(error: HTTPException) -> ResponseReturnValue:
    if isinstance(error, SecurityError):  # a host that is not ours: no page, for all its links would lead there
        return Response("This address is not served here.\n", status=400, mimetype="text/plain")
    status = error.code or 500
    if error.response is not None or 300 <= status < 400:  # a redirect, such as a missing final slash
        return error.get_response()
    _leave_nothing_half_done()
    title, message = PAGES.get(status, PAGES[400 if status < 500 else 500])
    answer = _answer(status, title, message)
    if isinstance(error, TooManyRequests) and error.retry_after is not None:
        answer.headers["Retry-After"] = str(error.retry_after)
    if isinstance(error, MethodNotAllowed) and error.valid_methods:
        answer.headers["Allow"] = ", ".join(sorted(error.valid_methods))
    return answer


def _stale_form(error: CSRFError) -> ResponseReturnValue:
    _note("gate:form:refused", reason=error.description)
    message = "It was open for too long, or in another sign-in. Nothing was changed. Go back, reload it and try again."
    return _answer(400, "This form has gone stale", message)


def _broken_body(error: ParseException) -> ResponseReturnValue:
    """The server's word for a chunked body that is none; it comes up only where the body is read."""
    _leave_nothing_half_done()
    return _answer(400, *PAGES[400])


def _uncaught_problem(problem: Problem) -> ResponseReturnValue:
    """A refusal that no form has a place for: something changed while the request was under way."""
    _leave_nothing_half_done()
    return _answer(409, "Nothing was changed", problem.message)


def _collision(error: SQLAlchemyError) -> ResponseReturnValue:
    """Two requests changed the same thing at once, and the database let one of them win."""
    log.warning("collision", method=request.method, path=request.path, exc_info=error)
    _leave_nothing_half_done()
    message = "Something else changed this in the same moment. Go back, reload the page and try again."
    return _answer(409, "Nothing was changed", message)


def _trouble(error: OperationalError) -> ResponseReturnValue:
    """Two changes that waited for each other: the database ends one of them, and it can be tried again."""
    if getattr(error.orig, "sqlstate", None) in WAITED_FOR_EACH_OTHER:
        return _collision(error)
    return _unexpected(error)


def _out_of_reach(fault: StoreFault) -> ResponseReturnValue:
    """The place of the files does not answer; the log says why."""
    log.error("storage_fault", method=request.method, path=request.path, reason=str(fault))
    _leave_nothing_half_done()
    answer = _answer(503, *PAGES[503])
    answer.headers["Retry-After"] = "60"
    return answer


def _unexpected(error: Exception) -> ResponseReturnValue:
    log.error("unexpected_error", method=request.method, path=request.path, exc_info=error)
    try:
        _leave_nothing_half_done()
    except SQLAlchemyError:
        log.exception("rollback_failed")
    if _is_for_machine():
        return machine_refusal(500, "The index made a mistake; nothing was stored.", code="server_error")
    title, message = PAGES[500]
    page = current_app.jinja_env.get_template("errors/error.html")  # without context processors: they ask the database
    return Response(page.render(code=500, title=title, message=message, advice=[], links=[("Home", "/")]), status=500)


def _note_spent_budget(answer: Response) -> Response:
    """Wherever a budget is spent: whoever looks for guessing in the journal finds it there."""
    if answer.status_code == 429:
        _note("gate:budget:spent")
    return answer


def _note(tag: str, **details: object) -> None:
    """Leave the event of a refusal, and nothing else that was half done."""
    user = None if request.blueprint in MACHINE_BLUEPRINTS else signed_in_user()  # programs' cookies are not looked at
    journal.refuse(
        db.session(),
        tag,
        now=wiring.now(),
        origin=origin_of(request),
        actor_id=user.id if user else None,
        details={"page": request.path[:MAX_PAGE], **details},
    )


def _answer(status: int, title: str, message: str) -> Response:
    if _is_for_machine():
        return machine_refusal(status, f"{title}. {message}")
    links = [
        ("Home", url_for("browse.home")),
        ("Search", url_for("browse.search")),
        ("Help", url_for("site.help")),
    ]
    page = render_template("errors/error.html", code=status, title=title, message=message, advice=[], links=links)
    return Response(page, status=status)


def _is_for_machine() -> bool:
    is_theirs = request.blueprint in MACHINE_BLUEPRINTS or request.path.startswith(MACHINE_PATHS)
    return is_theirs or wants_json()


def _leave_nothing_half_done() -> None:
    db.session.rollback()
