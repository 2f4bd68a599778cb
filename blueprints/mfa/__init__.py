"""Second factors: choosing, connecting, recovery codes."""

from flask import Blueprint

bp = Blueprint("mfa", __name__)

from blueprints.mfa import apps, choose, recovery_codes, totp  # noqa: E402, F401 - their routes register themselves
