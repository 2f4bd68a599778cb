"""What administrators of the index do: requests for organizations, issuers of identities."""

from flask import Blueprint

bp = Blueprint("admin", __name__)

from blueprints.admin import issuers, requests  # noqa: E402, F401 - their routes register themselves
