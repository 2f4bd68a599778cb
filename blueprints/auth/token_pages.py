"""Pages that are opened by a link in a mail, with a token in their address."""

from flask import Response, make_response, render_template

from blueprints.form_problems import Status


def token_page(template: str, status: Status, **values: object) -> Response:
    """The page, which tells no other page its address.

    Not no-referrer, which would have browsers send no referrer with its own form, either, and over TLS the form check
    wants one. The origin alone is enough for that and has no token in it.
    """
    response = make_response(render_template(template, **values), *status)
    response.headers["Referrer-Policy"] = "strict-origin"
    return response
