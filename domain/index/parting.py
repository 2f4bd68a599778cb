"""What hangs on a role in a project and goes with it, whichever way the role was held and however it ended.

Nobody who comes back finds an old token working again, and nobody comes in at the word of somebody who has left.
"""

from sqlalchemy import ColumnElement, Select, delete, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session
from sqlalchemy.sql.elements import KeyedColumnElement

from domain.policy.targets import OrganizationRole, Role
from models import (
    ApiToken,
    Invitation,
    OrganizationMember,
    Project,
    ProjectRole,
    Team,
    TeamMember,
    TeamProject,
    Transfer,
    User,
    token_project,
)

Id = InstrumentedAttribute[int] | InstrumentedAttribute[int | None] | KeyedColumnElement[int]


def end_of_role(db: Session, project: Project, user: User) -> None:
    """Take away what hung on a role that somebody has just lost in a project; nothing of what another role of theirs
    there still carries, be it their own, a team's or of an owner of the organization."""
    drop_lost(db, select(Project.id).where(Project.id == project.id), select(User.id).where(User.id == user.id))


def drop_lost(db: Session, projects: Select[int], users: Select[int] | None = None) -> None:
    """The same for many at once. projects, users: the ids to look at; everybody unless users are named.

    Without any role one's tokens reach the project no longer; who owns it no longer has invited and offered in vain.
    """
    db.flush()
    theirs = select(ApiToken.id).where(~_holds(token_project.c.project_id, ApiToken.user_id))
    sent = delete(Invitation).where(Invitation.project_id.in_(projects))
    offered = delete(Transfer).where(Transfer.project_id.in_(projects))
    if users is not None:
        theirs = theirs.where(ApiToken.user_id.in_(users))
        sent = sent.where(Invitation.invited_by_id.in_(users))
        offered = offered.where(Transfer.offered_by_id.in_(users))
    within = token_project.c.project_id.in_(projects)
    db.execute(delete(token_project).where(within, token_project.c.token_id.in_(theirs)))
    db.execute(sent.where(~_holds(Invitation.project_id, Invitation.invited_by_id, as_owner=True)))
    db.execute(offered.where(~_holds(Transfer.project_id, Transfer.offered_by_id, as_owner=True)))


def _holds(project_id: Id, user_id: Id, *, as_owner: bool = False) -> ColumnElement[bool]:
    """Whether somebody has a role in a project, as `projects.role_of` finds it; only an owner's if `as_owner`."""
    own = select(ProjectRole.id).where(ProjectRole.project_id == project_id, ProjectRole.user_id == user_id)
    team = (
        select(TeamProject.id)
        .join(Team, Team.id == TeamProject.team_id)
        .join(TeamMember, TeamMember.team_id == Team.id)
        .join(Project, (Project.id == TeamProject.project_id) & (Project.organization_id == Team.organization_id))
        .where(TeamProject.project_id == project_id, TeamMember.user_id == user_id)
    )
    organization = (
        select(OrganizationMember.id)
        .join(Project, Project.organization_id == OrganizationMember.organization_id)
        .where(
            Project.id == project_id,
            OrganizationMember.user_id == user_id,
            OrganizationMember.role == OrganizationRole.OWNER.word,
        )
    )
    if as_owner:
        own = own.where(ProjectRole.role == Role.OWNER.word)
        team = team.where(TeamProject.role == Role.OWNER.word)
    # The row that is looked at may stand two statements further out, where nothing is correlated by itself.
    return or_(
        own.correlate_except(ProjectRole).exists(),
        team.correlate_except(TeamProject, Team, TeamMember, Project).exists(),
        organization.correlate_except(OrganizationMember, Project).exists(),
    )
