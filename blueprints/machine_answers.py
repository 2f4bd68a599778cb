"""What programs are told: the sentence in the status line, where twine looks, and in the body, where uv looks."""

import orjson
from flask import Response, request

from blueprints.form_problems import status_of
from domain.problems import Problem

MAX_PHRASE = 250


def wants_json() -> bool:
    """Whether the client would rather have JSON than a page."""
    accepts = request.accept_mimetypes
    return accepts["application/json"] > accepts["text/html"]


def machine_refusal(
    status: int,
    sentence: str,
    *,
    code: str | None = None,
    rule: str | None = None,
    setup_url: str | None = None,
    field: str | None = None,
) -> Response:
    """A refusal for a program: reason phrase and body carry the same sentence.

    The body is problem+json (RFC 9457) where the client names application/json, else plain text. It has no title,
    which would say the same again: uv prints both. 401 asks for Basic credentials.
    """
    if "application/json" in request.headers.get("Accept", ""):
        facts = {
            "status": status,
            "detail": sentence,
            "code": code,
            "rule": rule,
            "setup_url": setup_url,
            "field": field,
        }
        body = orjson.dumps({name: value for name, value in facts.items() if value is not None})
        mimetype = "application/problem+json"
    else:
        body, mimetype = f"{sentence}\n".encode(), "text/plain"
    response = Response(body, status=f"{status} {_phrase(sentence)}", mimetype=mimetype)
    response.headers["Cache-Control"] = "no-store"
    if status == 401:
        response.headers["WWW-Authenticate"] = 'Basic realm="Countersign"'
    return response


def moved(location: str) -> Response:
    """To where a name is spelt as it is kept. How names are normalised never changes: it may be kept for a day."""
    response = Response(f"{location}\n", status=301, mimetype="text/plain")
    response.headers["Location"] = location
    response.headers["Cache-Control"] = "public, max-age=86400"
    return response


def problem_refusal(problem: Problem) -> Response:
    """The same for a refusal of the domain: its sentence and code, and for a spent budget the seconds to wait."""
    status, headers = status_of(problem)
    response = machine_refusal(status, problem.message, code=problem.code, field=problem.field)
    response.headers.update(headers)
    return response


def _phrase(sentence: str) -> str:
    """The sentence as a reason phrase: one line of printable ASCII, so that it can neither break the status line nor
    add a header (RFC 9112 §4)."""
    ascii_only = sentence.encode("ascii", "replace").decode()
    return " ".join("".join(c if c.isprintable() else " " for c in ascii_only).split())[:MAX_PHRASE]
