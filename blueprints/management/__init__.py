"""Account, projects, releases, collaborators and tokens."""

from flask import Blueprint

bp = Blueprint("management", __name__)

from blueprints.management import (  # noqa: E402, F401 - their routes register themselves
    account,
    collaborators,
    delete_account,
    emails,
    history,
    organization_people,
    organization_projects,
    organization_settings,
    organizations,
    password,
    pending_publishers,
    project_settings,
    project_tokens,
    projects,
    publishers,
    releases,
    removals,
    resume,
    sessions,
    teams,
    token_changes,
    tokens,
    transfers,
    why,
)
