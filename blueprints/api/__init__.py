"""What programs do besides uploading and installing."""

from flask import Blueprint

bp = Blueprint("api", __name__)

from blueprints.api import yanks  # noqa: E402, F401 - its routes register themselves
