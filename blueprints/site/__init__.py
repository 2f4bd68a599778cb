"""Help, policy, health, colours, and the operator's commands."""

from flask import Blueprint

bp = Blueprint("site", __name__, cli_group=None)  # `flask users`, not `flask site users`

# Their routes and commands register themselves.
from blueprints.site import commands, import_commands, key_commands, pages, project_commands, user_commands  # noqa: E402, F401
