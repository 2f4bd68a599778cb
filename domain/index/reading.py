"""For whom projects are there that only their people may read."""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session

from models import OrganizationMember, Project, ProjectRole, TeamMember, TeamProject


@dataclass(frozen=True)
class Reader:
    """Whose eyes a list is for.

    user_id: whose account; None for somebody who may read no private project, whoever they are.
    project_ids: the projects that a token was made for; None where it, or the person, reaches all.
    """

    user_id: int | None = None
    project_ids: frozenset[int] | None = None


NOBODY = Reader()


def visible_to(reader: Reader) -> ColumnElement[bool]:
    """The condition on `Project` under which a list may show it: everybody may read it, or this reader has a part in
    it. The same parts count as for the judge, who decides about one project."""
    is_open = Project.is_private.is_(False)
    if reader.user_id is None:
        return is_open
    own = select(ProjectRole.project_id).where(ProjectRole.user_id == reader.user_id)
    lent = (
        select(TeamProject.project_id)
        .join(TeamMember, TeamMember.team_id == TeamProject.team_id)
        .where(TeamMember.user_id == reader.user_id)
    )
    memberships = select(OrganizationMember.organization_id).where(OrganizationMember.user_id == reader.user_id)
    is_theirs = or_(Project.id.in_(own), Project.id.in_(lent), Project.organization_id.in_(memberships))
    if reader.project_ids is not None:
        is_theirs &= Project.id.in_(reader.project_ids)
    return or_(is_open, is_theirs)


def are_any_private(db: Session, reader: Reader | None = None) -> bool:
    """Whether the index has a private project; with a reader, one that they may read."""
    found = select(Project.id).where(Project.is_private.is_(True))
    if reader is not None:
        found = found.where(visible_to(reader))
    return db.scalar(found.limit(1)) is not None
