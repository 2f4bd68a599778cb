"""How pages and files that are kept are sent: pages in the form and the coding that the client likes best."""

import re
from functools import lru_cache

from werkzeug.http import dump_options_header

from blueprints.headers import SANDBOX
from domain.index import codings, simple
from domain.index.codings import Coding
from domain.index.simple import Format

OCTETS = "application/octet-stream"
ONE_YEAR_SECONDS = 31_536_000
SHA256 = re.compile("[0-9a-f]{64}")


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


def is_address(sha256: str, filename: str) -> bool:
    """Whether a file could be here under this digest and name; what could not is not looked for."""
    return SHA256.fullmatch(sha256) is not None and filename.isascii() and filename.isprintable()


def headers_of_file(name: str, sha256: str) -> dict[str, str]:
    """The headers of a file that never changes: it may be kept for ever, and read in parts."""
    return {
        "Content-Type": OCTETS,
        "Content-Disposition": dump_options_header("attachment", {"filename": name}),
        "ETag": f'"{sha256}"',
        "Accept-Ranges": "bytes",
        "Cache-Control": f"public, max-age={ONE_YEAR_SECONDS}, immutable",
        "Content-Security-Policy": SANDBOX,
    }
