"""What programs do besides uploading and installing."""

from flask import Blueprint

bp = Blueprint("api", __name__)

from blueprints.api import leaks, yanks  # noqa: E402, F401 - their routes register themselves
