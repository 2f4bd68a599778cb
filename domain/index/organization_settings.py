"""What an organization's owners change about it: what it says of itself, its rule, and its end."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import CompoundSelect, Select, delete, func, or_, select, union
from sqlalchemy.orm import Session

from domain.index import organization_facts, transfers
from domain.index.announcements import announce_in
from domain.index.organization_facts import RETIRED_AS, Facts
from domain.index.organization_members import everybody_in, lock, owners_of, record
from domain.notices import Notices
from domain.policy.actions import Action
from domain.policy.decision import Permit
from domain.policy.principals import Factor
from domain.policy.targets import OrganizationRole
from domain.problems import Problem
from models import (
    ApiToken,
    Invitation,
    Organization,
    OrganizationMember,
    Passkey,
    PendingPublisher,
    Project,
    ProjectRole,
    RetiredName,
    Team,
    TeamMember,
    TeamProject,
    Transfer,
    User,
    token_project,
)


@dataclass(frozen=True)
class Keyless:
    """Somebody whom the rule would stop, with how many projects they work in, and how many of their tokens stop."""

    username: str
    projects: int
    tokens: int


@dataclass(frozen=True)
class Contents:
    """What an organization has that stands in the way of its end, or goes with it."""

    projects: list[str]
    transfers: list[str]
    members: int
    teams: int
    invitations: int
    pending_publishers: int


def edit(
    db: Session, permit: Permit, notices: Notices, organization: Organization, facts: Facts, *, now: datetime
) -> None:
    """Change what the organization says of itself; its owners are told. Raises Problem at the field, and where nothing
    would change."""
    permit.covers(Action.EDIT_ORGANIZATION, organization)
    lock(db, permit, organization, OrganizationRole.OWNER)
    new = organization_facts.clean(facts)
    if new == Facts(organization.display_name, organization.url, organization.description):
        raise Problem("Nothing is different from what it says now.")
    organization.display_name, organization.url, organization.description = new.display_name, new.url, new.description
    db.flush()
    record(db, permit, "organization:settings:edited", organization, None, {}, now=now)
    owners = owners_of(db, organization)
    announce_in(db, permit, notices, "organization-edited", owners, organization=organization, now=now)


def set_rule(
    db: Session, permit: Permit, notices: Notices, organization: Organization, *, asks: bool, now: datetime
) -> None:
    """Ask everybody in the organization for a passkey or security key, or do so no longer. All of them are told.

    Raises Problem for whoever has none: they would shut themselves out; and if it is so already.
    """
    permit.covers(Action.EDIT_ORGANIZATION, organization)
    lock(db, permit, organization, OrganizationRole.OWNER)
    if organization.asks_for_key == asks:
        raise Problem(f"{organization.name} {'asks for it already' if asks else 'does not ask for it anyway'}.")
    if asks and Factor.WEBAUTHN not in permit.account.factors:
        raise Problem(
            "Add a passkey or security key to your own account first.", help_page="/manage/account/two-factor/"
        )
    organization.asks_for_key = asks
    db.flush()
    event = "organization:rule:turned_on" if asks else "organization:rule:turned_off"
    record(db, permit, event, organization, None, {}, now=now)
    everybody = everybody_in(db, organization)
    announce_in(db, permit, notices, "organization-rule", everybody, organization=organization, now=now, asks=asks)


def keyless_in(db: Session, organization: Organization, *, now: datetime) -> list[Keyless]:
    """Everybody in the organization or its projects who has no passkey or security key, by name. Three statements."""
    roles = _roles(organization).subquery()
    has_key = select(Passkey.id).where(Passkey.user_id == User.id).exists()
    members = select(OrganizationMember.user_id).where(OrganizationMember.organization_id == organization.id)
    concerned = or_(User.id.in_(members), User.id.in_(select(roles.c.user_id)))
    people = db.execute(select(User.id, User.username).where(concerned, User.is_active, ~has_key)).all()
    worked_in = select(roles.c.user_id, func.count(roles.c.project_id.distinct())).group_by(roles.c.user_id)
    projects: dict[int, int] = {row[0]: row[1] for row in db.execute(worked_in)}
    is_open = or_(ApiToken.expires_at.is_(None), ApiToken.expires_at > now)
    reached = (
        select(ApiToken.user_id, func.count(ApiToken.id.distinct()))
        .join(roles, roles.c.user_id == ApiToken.user_id)
        .outerjoin(
            token_project,
            (token_project.c.token_id == ApiToken.id) & (token_project.c.project_id == roles.c.project_id),
        )
        .where(is_open, or_(ApiToken.reaches_all, token_project.c.token_id.is_not(None)))
        .group_by(ApiToken.user_id)
    )
    tokens: dict[int, int] = {row[0]: row[1] for row in db.execute(reached)}
    return [
        Keyless(username, projects.get(user_id, 0), tokens.get(user_id, 0))
        for user_id, username in sorted(people, key=lambda row: row.username.lower())
    ]


def contents_of(db: Session, organization: Organization, *, now: datetime, most: int = 50) -> Contents:
    """What the organization has. most: how many names of projects and of projects offered to it are listed."""
    owned = select(Project.name).where(Project.organization_id == organization.id).order_by(Project.normalized_name)
    offered = (
        select(Project.name)
        .join(Transfer, Transfer.project_id == Project.id)
        .where(Transfer.to_organization_id == organization.id, Transfer.expires_at > now)
        .order_by(Project.normalized_name)
    )

    def count(table: type[OrganizationMember | Team | Invitation | PendingPublisher]) -> int:
        rows = select(func.count()).select_from(table).where(table.organization_id == organization.id)
        return db.scalar(rows) or 0

    return Contents(
        projects=list(db.scalars(owned.limit(most))),
        transfers=list(db.scalars(offered.limit(most))),
        members=count(OrganizationMember),
        teams=count(Team),
        invitations=count(Invitation),
        pending_publishers=count(PendingPublisher),
    )


def remove(
    db: Session, permit: Permit, notices: Notices, organization: Organization, *, confirmation: str, now: datetime
) -> None:
    """Delete an organization that owns nothing; nobody gets its name again, and all its people are told. What is
    offered to it is declined.

    confirmation: its name, typed. Raises Problem if that is wrong, or if it owns projects.
    """
    permit.covers(Action.DELETE_ORGANIZATION, organization)
    lock(db, permit, organization, OrganizationRole.OWNER)
    if confirmation.strip() != organization.name:
        raise Problem(f"Type {organization.name} to delete it.", field="confirm")
    contents = contents_of(db, organization, now=now)
    if contents.projects:
        raise Problem(f"{organization.name} still owns projects. Hand them over or delete them first.")
    transfers.decline_all_into(db, permit, notices, organization, now=now)
    everybody = everybody_in(db, organization)
    for user in everybody:
        record(db, permit, "organization:name:deleted", organization, user, {}, now=now)
    announce_in(db, permit, notices, "organization-deleted", everybody, organization=organization, now=now)
    db.add(RetiredName(kind=RETIRED_AS, key=organization.name_key, retired_at=now))
    db.flush()
    db.execute(delete(Organization).where(Organization.id == organization.id))


def _roles(organization: Organization) -> "CompoundSelect[tuple[int, int]]":
    """Who works in which of the organization's projects, whatever lends the role."""
    here = Project.organization_id == organization.id
    own = select(ProjectRole.user_id, ProjectRole.project_id).join(Project).where(here)
    teams = (
        select(TeamMember.user_id, TeamProject.project_id)
        .join(Team, Team.id == TeamMember.team_id)
        .join(TeamProject, TeamProject.team_id == Team.id)
        .join(Project, Project.id == TeamProject.project_id)
        .where(here, Team.organization_id == organization.id)
    )
    owners: Select[int, int] = (
        select(OrganizationMember.user_id, Project.id)
        .join(Project, Project.organization_id == OrganizationMember.organization_id)
        .where(here, OrganizationMember.role == OrganizationRole.OWNER.word)
    )
    return union(own, teams, owners)
