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


def install(app: Flask) -> None:
    """Add the headers to every response; a view that set one of them itself keeps its own."""
    app.after_request(_add_headers)


def _add_headers(response: Response) -> Response:
    headers = response.headers
    headers.setdefault("Content-Security-Policy", CONTENT_SECURITY_POLICY)
    headers.setdefault("X-Content-Type-Options", "nosniff")
    # same-origin, not no-referrer: over TLS the form check compares the referrer
    headers.setdefault("Referrer-Policy", "same-origin")
    headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
    headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
    headers.setdefault(
        "Permissions-Policy",
        "camera=(), geolocation=(), microphone=(), "
        "publickey-credentials-create=(self), publickey-credentials-get=(self)",
    )
    if wiring.services().is_https:
        headers.setdefault("Strict-Transport-Security", f"max-age={ONE_YEAR_SECONDS}")
    if row_session().was_read:
        headers.setdefault("Cache-Control", "no-store")
    return response
