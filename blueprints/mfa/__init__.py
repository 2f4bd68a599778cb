"""Second factors: choosing, connecting, recovery codes."""

from flask import Blueprint

bp = Blueprint("mfa", __name__)
