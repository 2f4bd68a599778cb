"""Public pages: home, search, projects, people."""

from flask import Blueprint

bp = Blueprint("browse", __name__)

from blueprints.browse import home, organization, project, search, user  # noqa: E402, F401 - their routes register themselves
