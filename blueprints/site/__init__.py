"""Help, policy, health, colours, and the operator's commands."""

from flask import Blueprint

bp = Blueprint("site", __name__)
