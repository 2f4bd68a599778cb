"""Teams: members of an organization who have roles in its projects together.

Whatever changes a team locks its organization first, and a project after it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, delete, func, select, true
from sqlalchemy.orm import Session, contains_eager

from domain import journal, naming
from domain.index import keepers, organizations, parting, projects
from domain.index.announcements import announce, announce_in
from domain.notices import Notices
from domain.policy.actions import Action
from domain.policy.decision import Permit
from domain.policy.targets import OrganizationRole, Role, with_article
from domain.problems import Problem
from models import Organization, OrganizationMember, Project, Team, TeamMember, TeamProject, User
from models.organization import organization_key
from models.user import username_key

PAGE = 50


@dataclass(frozen=True)
class Line:
    """A team in the list of its organization, with how many are in it and how many projects it has roles in."""

    team: Team
    members: int
    projects: int


@dataclass(frozen=True)
class TeamsLeaf:
    """One page of an organization's teams. next: what `after` the next page begins; None for the last."""

    lines: list[Line]
    next: str | None


@dataclass(frozen=True)
class MembersLeaf:
    """One page of a team's members. next: what `after` the next page begins; None for the last."""

    members: list[TeamMember]
    next: str | None


@dataclass(frozen=True)
class RolesLeaf:
    """One page of a team's roles in projects. next: what `after` the next page begins; None for the last."""

    roles: list[TeamProject]
    next: str | None


def find(db: Session, organization: Organization, name: str) -> Team | None:
    """The organization's team of this name, in whichever case it is spelt; None if there is none."""
    if not naming.looks_like_name(name):
        return None
    named = (Team.organization_id == organization.id) & (Team.name_key == organization_key(name))
    return db.scalar(select(Team).where(named))


def leaf(db: Session, organization: Organization, *, after: str = "", most: int = PAGE) -> TeamsLeaf:
    """The organization's teams by name: those behind the key `after`."""
    members = select(func.count()).where(TeamMember.team_id == Team.id).scalar_subquery()
    roles = select(func.count()).where(TeamProject.team_id == Team.id).scalar_subquery()
    behind = Team.name_key > after if _is_key(after) else true()
    found = select(Team, members, roles).where(Team.organization_id == organization.id, behind)
    rows = [Line(*row) for row in db.execute(found.order_by(Team.name_key).limit(most + 1))]
    return TeamsLeaf(rows[:most], next=rows[most - 1].team.name_key if len(rows) > most else None)


def members_of(db: Session, team: Team, *, after: str = "", most: int = PAGE) -> MembersLeaf:
    """Who is in the team, by name: those behind the key `after`."""
    behind = User.username_key > after if _is_key(after) else true()
    rows = list(db.scalars(_members(team).where(behind).order_by(User.username_key).limit(most + 1)))
    return MembersLeaf(rows[:most], next=rows[most - 1].user.username_key if len(rows) > most else None)


def roles_of(db: Session, team: Team, *, after: str = "", most: int = PAGE) -> RolesLeaf:
    """The team's roles in projects, by their names: those behind the normalized name `after`."""
    roles = select(TeamProject).join(TeamProject.project).options(contains_eager(TeamProject.project))
    behind = Project.normalized_name > after if _is_key(after) else true()
    found = roles.where(TeamProject.team_id == team.id, behind)
    rows = list(db.scalars(found.order_by(Project.normalized_name).limit(most + 1)))
    return RolesLeaf(rows[:most], next=rows[most - 1].project.normalized_name if len(rows) > most else None)


def member_of(db: Session, team: Team, username: str) -> TeamMember | None:
    """The membership of whoever has this name; None if they are not in the team."""
    if not naming.looks_like_name(username.strip()):
        return None
    return db.scalar(_members(team).where(User.username_key == username_key(username.strip())))


def of_project(db: Session, project: Project) -> list[TeamProject]:
    """The teams' roles in a project of their organization: owners first, then by name."""
    roles = select(TeamProject).join(TeamProject.team).options(contains_eager(TeamProject.team))
    lent = roles.where(TeamProject.project_id == project.id, Team.organization_id == project.organization_id)
    return list(db.scalars(lent.order_by(TeamProject.role.desc(), Team.name_key)))


def create(db: Session, permit: Permit, organization: Organization, *, name: str, now: datetime) -> Team:
    """Make a team without members or roles. Raises Problem: a name that it cannot have, or that another team has."""
    permit.covers(Action.CREATE_TEAM, organization)
    organizations.lock(db, permit, organization, OrganizationRole.MANAGER)
    called = _free_name(db, organization, name)
    team = Team(organization=organization, name=called, name_key=organization_key(called), created_at=now)
    db.add(team)
    db.flush()
    _record(db, permit, "organization:team:created", team, now=now)
    return team


def rename(db: Session, permit: Permit, team: Team, *, name: str, now: datetime) -> None:
    """Call a team otherwise. Raises Problem as `create` does, and if the team is gone."""
    permit.covers(Action.RENAME_TEAM, team)
    _lock_team(db, permit, team, OrganizationRole.MANAGER)
    was = team.name
    if name.strip() == was:
        raise Problem("The team is called so already.", field="name")
    team.name = _free_name(db, team.organization, name, besides=team)
    team.name_key = organization_key(team.name)
    db.flush()
    _record(db, permit, "organization:team:renamed", team, now=now, was=was)


def remove(db: Session, permit: Permit, notices: Notices, team: Team, *, now: datetime) -> None:
    """Delete a team: its members lose the roles that it lent them. They and the organization's owners are told, once
    each. Raises Problem if it is gone already."""
    permit.covers(Action.DELETE_TEAM, team)
    _lock_team(db, permit, team, OrganizationRole.MANAGER)
    organization, called = team.organization, team.name
    members = [part.user for part in db.scalars(_members(team))]
    roles = list(db.scalars(select(TeamProject).join(TeamProject.project).where(TeamProject.team_id == team.id)))
    for user in members:
        _record(db, permit, "organization:team:member_removed", team, now=now, user=user)
    for role in roles:
        _record(db, permit, "organization:team:role_removed", team, now=now, project=role.project, role=role.role)
    _record(db, permit, "organization:team:deleted", team, now=now)
    member_ids, project_ids = [user.id for user in members], [role.project_id for role in roles]
    db.delete(team)
    db.flush()
    in_projects = select(Project.id).where(Project.id.in_(project_ids))
    parting.drop_lost(db, in_projects, select(User.id).where(User.id.in_(member_ids)))
    told = _once(organizations.owners_of(db, organization), members)
    announce_in(db, permit, notices, "team-deleted", told, organization=organization, now=now, team=called)


def add_member(db: Session, permit: Permit, notices: Notices, team: Team, *, username: str, now: datetime) -> None:
    """Put somebody of the organization into a team. They and the organization's owners are told.

    Raises Problem: nobody of that name in the organization, in the team already, a frozen account, or the team is gone.
    """
    permit.covers(Action.ADD_TEAM_MEMBER, team)
    _lock_team(db, permit, team, OrganizationRole.MANAGER)
    user = _in_organization(db, team.organization, username)
    if member_of(db, team, username) is not None:
        raise Problem(f"{user.username} is in {team.name} already.", field="username")
    db.add(TeamMember(team_id=team.id, user_id=user.id, since=now))
    db.flush()
    _record(db, permit, "organization:team:member_added", team, now=now, user=user)
    _tell_of_member(db, permit, notices, "team-member-added", team, user, now=now)


def remove_member(db: Session, permit: Permit, notices: Notices, team: Team, *, username: str, now: datetime) -> None:
    """Take somebody out of a team, and what hung on the roles that it lent them. They and the organization's owners
    are told. Raises Problem if they are not in it, or the team is gone."""
    permit.covers(Action.REMOVE_TEAM_MEMBER, team)
    _lock_team(db, permit, team, OrganizationRole.MANAGER)
    part = member_of(db, team, username)
    if part is None:
        raise Problem(f"Nobody of that name is in {team.name}.", field="username")
    user = part.user
    db.delete(part)
    parting.drop_lost(db, _project_ids(team), select(User.id).where(User.id == user.id))
    _record(db, permit, "organization:team:member_removed", team, now=now, user=user)
    _tell_of_member(db, permit, notices, "team-member-removed", team, user, now=now)


def set_role(
    db: Session, permit: Permit, notices: Notices, team: Team, *, project_name: str, role: Role, now: datetime
) -> None:
    """Give a team a role in a project of its organization, or another one. The team and the project's owners are told.

    Raises Problem: no such project of the organization, that role already, or the team is gone.
    """
    permit.covers(Action.SET_TEAM_ROLE, team)
    _lock_team(db, permit, team, OrganizationRole.OWNER)
    project = _project(db, team, project_name)
    held = _role_in(db, team, project)
    if held is not None and held.role == role.word:
        raise Problem(f"{team.name} is {with_article(role.word)} of {project.name} already.", field="project")
    if held is None:
        db.add(TeamProject(team_id=team.id, project_id=project.id, role=role.word, since=now))
    else:
        held.role = role.word
    _end_what_was_lent(db, team, project)
    _record(db, permit, "organization:team:role_set", team, now=now, project=project, role=role.word)
    values = {"team": team.name, "organization": team.organization, "role": role.word}
    announce(db, permit, notices, "team-role-set", _concerned(db, team, project), project=project, now=now, **values)


def remove_role(db: Session, permit: Permit, notices: Notices, team: Team, *, project_name: str, now: datetime) -> None:
    """Take a team's role in a project away, and what hung on it. The team and the project's owners are told.

    Raises Problem if it has none there, or the team is gone.
    """
    permit.covers(Action.REMOVE_TEAM_ROLE, team)
    _lock_team(db, permit, team, OrganizationRole.OWNER)
    project = _project(db, team, project_name)
    held = _role_in(db, team, project)
    if held is None:
        raise Problem(f"{team.name} has no role in {project.name}.", field="project")
    told = _concerned(db, team, project)
    db.delete(held)
    _end_what_was_lent(db, team, project)
    _record(db, permit, "organization:team:role_removed", team, now=now, project=project, role=held.role)
    values = {"team": team.name, "organization": team.organization}
    announce(db, permit, notices, "team-role-removed", told, project=project, now=now, **values)


def forget_project(db: Session, project: Project) -> None:
    """End all teams' roles in a project that has left its organization, and what hung on these, on the roles of the
    organization's owners, and on any other that is no more. Call it once the project belongs to nobody or another."""
    db.flush()
    db.execute(delete(TeamProject).where(TeamProject.project_id == project.id))
    parting.drop_lost(db, select(Project.id).where(Project.id == project.id))


def forget_member(db: Session, organization: Organization, user: User) -> None:
    """Take somebody who has left an organization out of its teams, and end what hung on the roles that it and they
    lent. Call it once their part is gone, with the organization locked."""
    db.flush()
    teams = select(Team.id).where(Team.organization_id == organization.id)
    db.execute(delete(TeamMember).where(TeamMember.user_id == user.id, TeamMember.team_id.in_(teams)))
    owned = select(Project.id).where(Project.organization_id == organization.id)
    parting.drop_lost(db, owned, select(User.id).where(User.id == user.id))


def _lock_team(db: Session, permit: Permit, team: Team, least: OrganizationRole) -> None:
    organizations.lock(db, permit, team.organization, least)
    there = select(Team).where(Team.id == team.id).execution_options(populate_existing=True)
    if db.scalar(there) is None:
        raise Problem("This team is gone: somebody deleted it.")


def _is_key(after: str) -> bool:
    return after.isascii() and after.isprintable()  # PostgreSQL takes no NUL


def _free_name(db: Session, organization: Organization, typed: str, *, besides: Team | None = None) -> str:
    name = typed.strip()
    naming.check_form(name, field="name", what="a name for the team")
    there = find(db, organization, name)
    if there is not None and there is not besides:
        raise Problem(f"{organization.name} has a team {there.name} already.", field="name")
    return name


def _members(team: Team) -> Select[TeamMember]:
    members = select(TeamMember).join(TeamMember.user).options(contains_eager(TeamMember.user))
    return members.where(TeamMember.team_id == team.id)


def _in_organization(db: Session, organization: Organization, username: str) -> User:
    name = username.strip()
    member = select(User).join(OrganizationMember, OrganizationMember.user_id == User.id)
    user = None
    if naming.looks_like_name(name):
        member = member.where(OrganizationMember.organization_id == organization.id)
        user = db.scalar(member.where(User.username_key == username_key(name), User.is_active))
    if user is None:
        raise Problem(
            f"Nobody of that name belongs to {organization.name}. Check the spelling, or invite them first.",
            field="username",
        )
    return user


def _project(db: Session, team: Team, name: str) -> Project:
    """The project of this name, locked, if the team's organization owns it."""
    project = projects.find(db, name.strip())
    if project is not None:
        again = select(Project).where(Project.id == project.id, Project.organization_id == team.organization_id)
        project = db.scalar(again.with_for_update(key_share=True).execution_options(populate_existing=True))
    if project is None:
        raise Problem(f"{team.organization.name} has no project of that name. Check the spelling.", field="project")
    return project


def _role_in(db: Session, team: Team, project: Project) -> TeamProject | None:
    role = select(TeamProject).where(TeamProject.team_id == team.id, TeamProject.project_id == project.id)
    return db.scalar(role)


def _end_what_was_lent(db: Session, team: Team, project: Project) -> None:
    members = select(TeamMember.user_id).where(TeamMember.team_id == team.id)
    parting.drop_lost(db, select(Project.id).where(Project.id == project.id), members)


def _project_ids(team: Team) -> Select[int]:
    return select(TeamProject.project_id).where(TeamProject.team_id == team.id)


def _concerned(db: Session, team: Team, project: Project) -> list[User]:
    """Whom a team's role in a project concerns: its owners, and the team."""
    members = [part.user for part in db.scalars(_members(team).order_by(User.username_key))]
    return _once(keepers.owners_of(db, project), members)


def _once(*groups: Iterable[User]) -> list[User]:
    """All of these who can act, each once."""
    return list({user.id: user for group in groups for user in group if user.is_active}.values())


def _tell_of_member(
    db: Session, permit: Permit, notices: Notices, notice: str, team: Team, user: User, *, now: datetime
) -> None:
    told = _once([user], organizations.owners_of(db, team.organization))
    values = {"team": team.name, "person": user.username}
    announce_in(db, permit, notices, notice, told, organization=team.organization, now=now, **values)


def _record(
    db: Session,
    permit: Permit,
    event: str,
    team: Team,
    *,
    now: datetime,
    user: User | None = None,
    project: Project | None = None,
    **details: object,
) -> None:
    facts = {"team": team.name, "organization": team.organization.name, **details}
    if user is not None:
        facts["person"] = user.username
    if project is not None:
        facts["project"] = project.name
    journal.record(
        db,
        event,
        now=now,
        origin=permit.principal.origin,
        actor_id=permit.account.user_id,
        user_id=user.id if user is not None else None,
        project_id=project.id if project is not None else None,
        organization_id=team.organization_id,
        details=facts,
    )
