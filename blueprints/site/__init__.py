"""Help, policy, health, colours, and the operator's commands."""

from flask import Blueprint

bp = Blueprint("site", __name__, cli_group=None)  # `flask users`, not `flask site users`

# Their routes and commands register themselves.
from blueprints.site import (  # noqa: E402
    blob_commands,  # noqa: F401
    commands,  # noqa: F401
    import_commands,  # noqa: F401
    key_commands,  # noqa: F401
    members,  # noqa: F401
    page_commands,  # noqa: F401
    pages,  # noqa: F401
    project_commands,  # noqa: F401
    user_commands,  # noqa: F401
)
