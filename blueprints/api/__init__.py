"""What programs do besides uploading and installing."""

from flask import Blueprint

bp = Blueprint("api", __name__)
