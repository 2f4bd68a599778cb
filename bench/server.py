"""The application with the ceiling beside it: a Flask route that answers a constant, on the same server."""

from flask import Flask, Response
from werkzeug.middleware.dispatcher import DispatcherMiddleware

from app import create_app

CONSTANT = b"x" * 4_096

ceiling = Flask("ceiling")


@ceiling.get("/")
def constant() -> Response:
    """Answer the same bytes every time."""
    return Response(CONSTANT, mimetype="text/html")


application = create_app()
application.wsgi_app = DispatcherMiddleware(application.wsgi_app, {"/_ceiling": ceiling})  # type: ignore[method-assign]
