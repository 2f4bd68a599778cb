"""The cookie by which an account knows a browser again: one random handle, and nothing that signs anybody in."""

from flask import Response, after_this_request, request

from blueprints import wiring
from domain.identity import browsers


def handle() -> str | None:
    """What the browser has kept from an earlier sign-in."""
    return request.cookies.get(_name())


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
