"""Signing up, signing in, and proving who one is."""

from flask import Blueprint

bp = Blueprint("auth", __name__)

from blueprints.auth import (  # noqa: E402, F401 - their routes register themselves
    confirm_sign_in,
    passkeys,
    passwords,
    reauthenticate,
    register,
    second_step,
    sign_in,
    verify_email,
)
