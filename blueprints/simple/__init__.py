"""The simple index and the files."""

from flask import Blueprint

bp = Blueprint("simple", __name__)

# What strangers wrote is never to run as a page of ours, whatever a browser takes it for.
SANDBOX = "sandbox; default-src 'none'; frame-ancestors 'none'"

from blueprints.simple import files, index  # noqa: E402, F401 - their routes register themselves
