"""How the pages that are kept are chosen and sent: in the form and the coding that the client likes best."""

from functools import lru_cache

from blueprints.headers import SANDBOX
from domain.index import codings, simple
from domain.index.codings import Coding
from domain.index.simple import Format


@lru_cache(maxsize=256)  # the clients there are send a handful of each
def negotiate(accept: str | None, accept_encoding: str | None) -> tuple[Format, Coding]:
    """What to send to whoever sends these headers."""
    return simple.negotiate(accept), codings.choose(accept_encoding)


def headers_of(form: Format, coding: Coding) -> dict[str, str]:
    """The headers of a page that may be kept but must be asked for again each time: an upload can be installed the
    moment it is there, and asking costs a 304 while nothing has changed."""
    headers = {
        "Content-Type": form.value if form is Format.JSON else f"{form.value}; charset=utf-8",
        "Cache-Control": "public, no-cache",
        "Vary": "Accept, Accept-Encoding",
        "Content-Security-Policy": SANDBOX,
    }
    return headers if coding is Coding.IDENTITY else {**headers, "Content-Encoding": coding.value}
