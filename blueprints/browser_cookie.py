"""The cookie by which an account knows a browser again: one random handle, and nothing that signs anybody in."""

import re

from flask import Response, after_this_request, request

from blueprints import wiring
from domain.identity import browsers

FORM = re.compile(r"[A-Za-z0-9_-]{43}")  # as `handles.new_handle` makes them


def handle() -> str | None:
    """What the browser has kept from an earlier sign-in. What cannot have come from us is nothing: it would be kept as
    the name of this browser, however short, long or well known it is."""
    value = request.cookies.get(_name(), "")
    return value if FORM.fullmatch(value) else None


def keep(handle: str) -> None:
    """Have the browser keep the handle, for as long as browsers do that."""

    @after_this_request
    def add_cookie(response: Response) -> Response:
        response.set_cookie(
            _name(),
            handle,
            max_age=browsers.KNOWN_FOR,
            path="/",
            secure=wiring.services().is_https,
            httponly=True,
            samesite="Lax",
        )
        return response


def _name() -> str:
    return "__Host-countersign-browser" if wiring.services().is_https else "countersign-browser"
