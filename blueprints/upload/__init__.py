"""The upload endpoint."""

from flask import Blueprint

bp = Blueprint("upload", __name__)
