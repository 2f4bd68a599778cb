"""What administrators of the index do: requests for organizations, issuers of identities."""

from flask import Blueprint

bp = Blueprint("admin", __name__)
