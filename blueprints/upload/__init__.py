"""The upload endpoint."""

from flask import Blueprint

bp = Blueprint("upload", __name__)

from blueprints.upload import routes  # noqa: E402, F401 - its routes register themselves
