"""Account, projects, releases, collaborators and tokens."""

from flask import Blueprint

bp = Blueprint("management", __name__)

from blueprints.management import account, emails, password, resume, why  # noqa: E402, F401 - for their routes
