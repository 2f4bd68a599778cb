"""The simple index and the files."""

from flask import Blueprint

bp = Blueprint("simple", __name__)
