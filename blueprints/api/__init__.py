"""What programs do and read besides uploading and installing."""

from flask import Blueprint

bp = Blueprint("api", __name__)

from blueprints.api import feeds, leaks, project_json, yanks  # noqa: E402, F401 - their routes register themselves
