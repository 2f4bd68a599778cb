"""Public pages: home, search, projects, people."""

from flask import Blueprint

bp = Blueprint("browse", __name__)
