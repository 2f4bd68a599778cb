"""The application with the ceilings beside it: a Flask route that answers constants, on the same server."""

import json
import os
from functools import cache
from pathlib import Path

from flask import Flask, Response
from werkzeug.middleware.dispatcher import DispatcherMiddleware

from app import create_app

CEILINGS = "BENCH_CEILINGS"  # the variable that names their folder

ceiling = Flask("ceiling")


@ceiling.get("/<name>")
def constant(name: str) -> Response:
    """Answer the same bytes every time."""
    body, headers = _kept(name)
    return Response(body, headers=headers)


@cache
def _kept(name: str) -> tuple[bytes, dict[str, str]]:
    folder = Path(os.environ[CEILINGS])
    return (folder / name).read_bytes(), json.loads((folder / f"{name}.json").read_text())


application = create_app()
application.wsgi_app = DispatcherMiddleware(application.wsgi_app, {"/_ceiling": ceiling})  # type: ignore[method-assign]
