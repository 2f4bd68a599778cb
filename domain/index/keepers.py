"""Who keeps a project: people with a role of their own, teams, and the owners of its organization."""

from dataclasses import dataclass

from sqlalchemy import Integer, Select, bindparam, literal, select, union_all
from sqlalchemy.orm import Session

from domain import naming
from domain.policy.targets import OrganizationRole, Role
from domain.problems import Problem
from models import Organization, OrganizationMember, Project, ProjectRole, Team, TeamMember, TeamProject, User
from models.user import username_key


@dataclass(frozen=True)
class Keeper:
    """Somebody who may act for a project, with their greatest role in it.

    by: the name of the team or organization that lends the role; empty for a role of their own.
    """

    user: User
    role: Role
    by: str


_PROJECT, _OURS = bindparam("project_id", type_=Integer), bindparam("organization_id", type_=Integer)
_PARTS = union_all(
    select(ProjectRole.user_id, ProjectRole.role, literal("").label("by")).where(ProjectRole.project_id == _PROJECT),
    select(TeamMember.user_id, TeamProject.role, Team.name)
    .join(Team, Team.id == TeamMember.team_id)
    .join(TeamProject, TeamProject.team_id == Team.id)
    .where(TeamProject.project_id == _PROJECT, Team.organization_id == _OURS),
    select(OrganizationMember.user_id, literal(Role.OWNER.word), Organization.name)
    .join(Organization, Organization.id == OrganizationMember.organization_id)
    .where(OrganizationMember.organization_id == _OURS, OrganizationMember.role == OrganizationRole.OWNER.word),
).subquery()
_KEEPERS = select(User, _PARTS.c.role, _PARTS.c.by).join(User, User.id == _PARTS.c.user_id)
_LENT = select(_PARTS.c.role).where(_PARTS.c.user_id == bindparam("user_id"), _PARTS.c.by != "")


def keepers_of(db: Session, project: Project) -> list[Keeper]:
    """Everybody with a role in the project, each once: owners first, then by name. Frozen accounts are left out: they
    look after nothing. `projects.role_of` asks the same of one person."""
    found: dict[int, Keeper] = {}
    for user, word, by in db.execute(_KEEPERS, _which(project)):
        role = Role[word.upper()]
        held = found.get(user.id)
        if user.is_active and (held is None or (role, not by) > (held.role, not held.by)):
            found[user.id] = Keeper(user, role, by)
    return sorted(found.values(), key=lambda keeper: (-keeper.role, keeper.user.username_key))


def find_person(db: Session, typed: str, *, field: str) -> User:
    """The account that somebody means by a username, in any case. Raises Problem at the field if there is none that can
    act, which the public pages of people tell, too."""
    name, user = typed.strip(), None
    if naming.looks_like_name(name):
        user = db.scalar(select(User).where(User.username_key == username_key(name), User.is_active))
    if user is None:
        raise Problem("There is nobody of that name on this index. Check the spelling.", field=field)
    return user


def lent_to(db: Session, project: Project, user_id: int) -> Role | None:
    """The greatest role that teams or the organization lend somebody in the project; None for none."""
    words = db.scalars(_LENT, {**_which(project), "user_id": user_id})
    return max((role for word in words if (role := Role.from_word(word)) is not None), default=None)


def hold(db: Session, user_id: int) -> User:
    """The account that is about to get a role, held against its own deletion until the transaction ends: else a project
    could be left to nobody. Raises Problem if it is gone or frozen."""
    held = select(User).where(User.id == user_id).with_for_update(read=True, key_share=True)
    user = db.scalar(held.execution_options(populate_existing=True))
    if user is None or not user.is_active:
        raise Problem("This account is frozen or gone.")
    return user


def owners_of(db: Session, project: Project) -> list[User]:
    """Everybody who may act as an owner of the project, each once, by name."""
    return [keeper.user for keeper in keepers_of(db, project) if keeper.role is Role.OWNER]


def ids_of(project: Project) -> Select[int]:
    """The accounts with a role in the project, frozen ones among them; some may come more than once."""
    return select(_PARTS.c.user_id).params(_which(project))


def _which(project: Project) -> dict[str, int | None]:
    return {"project_id": project.id, "organization_id": project.organization_id}
