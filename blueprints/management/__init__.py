"""Account, projects, releases, collaborators and tokens."""

from flask import Blueprint

bp = Blueprint("management", __name__)
