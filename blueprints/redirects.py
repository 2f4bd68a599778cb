"""Where a person is sent next; never off this site."""

from urllib.parse import urlsplit

from flask import current_app, request
from werkzeug.exceptions import HTTPException
from werkzeug.routing import RequestRedirect

MAX_LENGTH = 2_000


def safe_next(address: str | None, *, otherwise: str) -> str:
    """`address` if it is a path of this site that a GET can open, else `otherwise`.

    Browsers read `//evil`, `/\\evil` and control characters in ways of their own; only a plain path that our own
    router knows is taken, and rebuilt from its parts.
    """
    if not address or len(address) > MAX_LENGTH or not address.isprintable() or "\\" in address:
        return otherwise
    try:
        parts = urlsplit(address)
    except ValueError:  # as for //[
        return otherwise
    if parts.scheme or parts.netloc or not parts.path.startswith("/") or parts.path.startswith("//"):
        return otherwise
    adapter = current_app.create_url_adapter(request)
    assert adapter is not None  # noqa: S101 - there is a request
    try:
        adapter.match(parts.path, method="GET")
    except (HTTPException, RequestRedirect):
        return otherwise
    return f"{parts.path}?{parts.query}" if parts.query else parts.path
