"""From an address to the object of an action, and the part that whoever asks has in it."""

from typing import TypeVar

from flask import abort

from blueprints.rendering import browser as browser_name
from blueprints.url_values import ROW_ID as ROW_ID
from domain.index import (
    invitations,
    organization_requests,
    organizations,
    pending_publishers,
    projects,
    publishers,
    releases,
    removals,
    teams,
    transfers,
)
from domain.policy.principals import Member, Principal
from domain.policy.targets import Subject, Target
from models import (
    ApiToken,
    BrowserSession,
    Email,
    KnownBrowser,
    OrganizationRequest,
    PendingPublisher,
    Project,
    db,
)

Own = TypeVar("Own", Email, ApiToken, BrowserSession, KnownBrowser, OrganizationRequest, PendingPublisher)


def project_from_url(principal: Principal, name: str) -> Target:
    """The project; everybody may know that it exists, unless it is private."""
    return _within(principal, _project(name))


def release_from_url(principal: Principal, name: str, version: str) -> Target:
    """The release; what one may do to it depends on one's part in its project."""
    project = _project(name)
    release = releases.find(db.session(), project, version) or abort(404)
    called = f"{project.name} {release.version}"
    return _within(principal, project, subject=release, name=called)


def file_from_url(principal: Principal, name: str, version: str, filename: str) -> Target:
    """A file of a release."""
    project = _project(name)
    release = releases.find(db.session(), project, version) or abort(404)
    file = next((each for each in release.files if each.filename == filename), None) or abort(404)
    return _within(principal, project, subject=file, name=file.filename)


def deleted_from_url(principal: Principal, name: str, deleted_id: int) -> Target:
    """What was taken off a project and can be put back."""
    project = _project(name)
    removed = removals.find(db.session(), project, deleted_id) or abort(404)
    called = f"{project.name} {removed.version}"
    return _within(principal, project, subject=removed, name=called)


def publisher_from_url(principal: Principal, name: str, publisher_id: int) -> Target:
    """A trusted publisher of this project; 404 for another project's."""
    project = _project(name)
    publisher = publishers.find(db.session(), project, publisher_id) or abort(404)
    called = publishers.called(publisher)
    return _within(principal, project, subject=publisher, name=called)


def pending_from_url(principal: Principal, pending_id: int) -> Target:
    """What one registered oneself for a project of one's own."""
    pending = _own(principal, PendingPublisher, pending_id)
    if pending.organization_id is not None:
        abort(404)
    return pending_publishers.target_of(pending)


def organization_pending_from_url(principal: Principal, organization: str, waiting_id: int) -> Target:
    """What waits to create a project of the organization."""
    user_id = _user_id_of(principal)
    found = organizations.find(db.session(), organization) or abort(404)
    pending = pending_publishers.find(db.session(), waiting_id)
    if pending is None or pending.organization_id != found.id:
        abort(404)
    called = pending_publishers.called(pending)
    return organizations.target_of(db.session(), found, user_id, subject=pending, name=called)


def organization_from_url(principal: Principal, organization: str) -> Target:
    """The organization; everybody may know that it exists."""
    found = organizations.find(db.session(), organization) or abort(404)
    return organizations.target_of(db.session(), found, _user_id_of(principal))


def organization_project_from_url(principal: Principal, organization: str, name: str) -> Target:
    """A project of the organization, as the organization's to give away."""
    found = organizations.find(db.session(), organization) or abort(404)
    project = _project(name)
    if project.organization_id != found.id:
        abort(404)
    return _within(principal, project)


def transfer_from_url(principal: Principal, transfer_id: int) -> Target:
    """A project that is offered to oneself; 404 for what is offered to others."""
    transfer = transfers.find(db.session(), transfer_id)
    if transfer is None or transfer.to_user_id != _user_id_of(principal):
        abort(404)
    return transfers.target_of(transfer)


def organization_transfer_from_url(principal: Principal, organization: str, offer_id: int) -> Target:
    """A project that is offered to the organization; 404 for what is offered to others."""
    user_id = _user_id_of(principal)
    found = organizations.find(db.session(), organization) or abort(404)
    transfer = transfers.find(db.session(), offer_id)
    if transfer is None or transfer.to_organization_id != found.id:
        abort(404)
    target = organizations.target_of(db.session(), found, user_id, subject=transfer, name=transfer.project.name)
    return abort(404) if transfer.project.is_private and not target.is_among_own else target


def team_from_url(principal: Principal, organization: str, team: str) -> Target:
    """The team; what one may do to it depends on one's part in its organization."""
    user_id = _user_id_of(principal)
    found = organizations.find(db.session(), organization) or abort(404)
    row = teams.find(db.session(), found, team) or abort(404)
    return organizations.target_of(db.session(), found, user_id, subject=row, name=row.name)


def request_from_url(principal: Principal, request_id: int) -> Target:
    """One's own request for an organization."""
    return organization_requests.target_of(_own(principal, OrganizationRequest, request_id))


def email_from_url(principal: Principal, email_id: int) -> Target:
    """One's own address."""
    email = _own(principal, Email, email_id)
    return Target(email, email.address, owner_id=email.user_id)


def token_from_url(principal: Principal, token_id: int) -> Target:
    """One's own token."""
    token = _own(principal, ApiToken, token_id)
    return Target(token, token.description, owner_id=token.user_id)


def invitation_from_url(principal: Principal, invitation_id: int) -> Target:
    """An invitation to oneself, or to an address that is proved to be one's own."""
    user_id = _user_id_of(principal)
    invitation = invitations.find(db.session(), invitation_id, user_id=user_id) or abort(404)
    return invitations.target_of(invitation, user_id)


def session_from_url(principal: Principal, session_id: int) -> Target:
    """One's own session."""
    session = _own(principal, BrowserSession, session_id)
    return Target(session, browser_name(session.user_agent), owner_id=session.user_id)


def browser_from_url(principal: Principal, browser_id: int) -> Target:
    """A browser that one's own account knows."""
    browser = _own(principal, KnownBrowser, browser_id)
    return Target(browser, browser_name(browser.user_agent), owner_id=browser.user_id)


def _own(principal: Principal, table: type[Own], row_id: int) -> Own:
    """One's own row; 404 for anybody else's, of which nobody may know."""
    row = db.session.get(table, row_id)
    if row is None or row.user_id != _user_id_of(principal):
        abort(404)
    return row


def _project(name: str) -> Project:
    return projects.find(db.session(), name) or abort(404)


def _within(
    principal: Principal, project: Project, *, subject: Subject | None = None, name: str | None = None
) -> Target:
    """A project, or what belongs to it; 404 where it is private and whoever asks has no part in it."""
    target = projects.target_of(db.session(), project, _user_id_of(principal), subject=subject, name=name)
    return abort(404) if target.is_hidden else target


def _user_id_of(principal: Principal) -> int:
    """Whose account asks; 404 for anybody without one."""
    if not isinstance(principal, Member):
        abort(404)
    return principal.account.user_id
