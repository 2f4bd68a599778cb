"""Signing up, signing in, and proving who one is."""

from flask import Blueprint

bp = Blueprint("auth", __name__)
