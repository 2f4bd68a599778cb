"""Security headers on every response, and what may be kept by caches."""

from flask import Flask, Response

from blueprints import wiring
from blueprints.browser_session import row_session

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
# What strangers wrote is never to run as a page of ours, whatever a browser takes it for.
SANDBOX = "sandbox; default-src 'none'; frame-ancestors 'none'"
ONE_YEAR_SECONDS = 31_536_000


# same-origin, not no-referrer: over TLS the form check compares the referrer
ALWAYS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), "
    "publickey-credentials-create=(self), publickey-credentials-get=(self)",
}
HTTPS_ONLY = {"Strict-Transport-Security": f"max-age={ONE_YEAR_SECONDS}"}


def always(*, is_https: bool) -> dict[str, str]:
    """What every response carries. is_https: whether browsers are to come by HTTPS only."""
    return ALWAYS | HTTPS_ONLY if is_https else ALWAYS


def install(app: Flask) -> None:
    """Add the headers to every response; a view that set one of them itself keeps its own."""
    app.after_request(_add_headers)


def _add_headers(response: Response) -> Response:
    own = {name.lower() for name, _ in response.headers}
    added = always(is_https=wiring.services().is_https)
    response.headers.extend([(name, value) for name, value in added.items() if name.lower() not in own])
    if row_session().was_read and "cache-control" not in own:
        response.headers["Cache-Control"] = "no-store"
    return response
