"""Second factors: choosing, connecting, recovery codes."""

from flask import Blueprint

bp = Blueprint("mfa", __name__)

from blueprints.mfa import choose, factors, passkeys, recovery_codes, totp  # noqa: E402, F401 - they bring the routes
