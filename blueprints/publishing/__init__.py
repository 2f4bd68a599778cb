"""Trusted publishing: where CI jobs exchange who they are for a token."""

from flask import Blueprint

bp = Blueprint("publishing", __name__)

from blueprints.publishing import exchange  # noqa: E402, F401 - its routes register themselves
