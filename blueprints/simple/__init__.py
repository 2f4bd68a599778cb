"""The simple index and the files."""

from flask import Blueprint

bp = Blueprint("simple", __name__)

from blueprints.simple import files, index  # noqa: E402, F401 - their routes register themselves
