"""Account, projects, releases, collaborators and tokens."""

from flask import Blueprint

bp = Blueprint("management", __name__)

from blueprints.management import resume, why  # noqa: E402, F401 - their routes register themselves
