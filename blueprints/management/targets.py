"""From an address to the object of an action, and the part that whoever asks has in it."""

from flask import abort

from domain.index import projects, releases
from domain.policy.principals import Member, Principal
from domain.policy.targets import Target
from models import ApiToken, Email, Invitation, Project, db


def project_from_url(principal: Principal, name: str) -> Target:
    """The project; everybody may know that it exists."""
    project = _project(name)
    role = projects.role_of(db.session(), project, user_id_of(principal))
    return Target(project, project.name, role=role, project_id=project.id)


def release_from_url(principal: Principal, name: str, version: str) -> Target:
    """The release; what one may do to it depends on one's part in its project."""
    project = _project(name)
    release = releases.find(db.session(), project, version) or abort(404)
    role = projects.role_of(db.session(), project, user_id_of(principal))
    return Target(release, f"{project.name} {release.version}", role=role, project_id=project.id)


def email_from_url(principal: Principal, email_id: int) -> Target:
    """One's own address; nobody may know of anybody else's."""
    email = db.session.get(Email, email_id) or abort(404)
    if email.user_id != user_id_of(principal):
        abort(404)
    return Target(email, email.address, owner_id=email.user_id)


def token_from_url(principal: Principal, token_id: int) -> Target:
    """One's own token; nobody may know of anybody else's."""
    token = db.session.get(ApiToken, token_id) or abort(404)
    if token.user_id != user_id_of(principal):
        abort(404)
    return Target(token, token.description, owner_id=token.user_id)


def invitation_from_url(principal: Principal, invitation_id: int) -> Target:
    """An invitation to oneself; nobody may know of anybody else's."""
    invitation = db.session.get(Invitation, invitation_id) or abort(404)
    if invitation.user_id != user_id_of(principal):
        abort(404)
    return Target(invitation, invitation.project.name, owner_id=invitation.user_id)


def _project(name: str) -> Project:
    return projects.find(db.session(), name) or abort(404)


def user_id_of(principal: Principal) -> int:
    """Whose account asks; 404 for anybody without one."""
    if not isinstance(principal, Member):
        abort(404)
    return principal.account.user_id
