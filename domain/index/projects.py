"""Projects: who has one, and which part somebody has in it."""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, CompoundSelect, Integer, bindparam, case, func, literal, select, union_all
from sqlalchemy.orm import Session, contains_eager

from domain.index.names import normalize
from domain.policy.decision import Permit
from domain.policy.targets import OrganizationRole, ProjectStatus, Role, Subject, Target
from domain.problems import Problem
from models import OrganizationMember, Project, ProjectRole, Team, TeamMember, TeamProject


class Gone(Problem):
    """A project that was deleted while something was to be done to it."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} is gone: somebody deleted it.", code="not_found")


# What each upload asks several times is put together once: that takes SQLAlchemy longer than the database to answer.
_NAMED = select(Project).where(Project.normalized_name == bindparam("name"))
_MINE, _OURS = bindparam("user_id", type_=Integer), bindparam("organization_id", type_=Integer)
_PARTS = union_all(
    select(literal("own"), ProjectRole.role).where(
        ProjectRole.project_id == bindparam("project_id"), ProjectRole.user_id == _MINE
    ),
    select(literal("organization"), OrganizationMember.role).where(
        OrganizationMember.organization_id == _OURS, OrganizationMember.user_id == _MINE
    ),
    select(literal("team"), TeamProject.role)
    .join(Team, Team.id == TeamProject.team_id)
    .join(TeamMember, TeamMember.team_id == Team.id)
    .where(
        TeamProject.project_id == bindparam("project_id"), Team.organization_id == _OURS, TeamMember.user_id == _MINE
    ),
)


def find(db: Session, name: str) -> Project | None:
    """The project of this name, however it is spelt; None if there is none."""
    if not (name.isascii() and name.isprintable()):  # no project has such a name, and PostgreSQL takes no NUL
        return None
    return db.scalar(_NAMED, {"name": normalize(name)})


def role_of(db: Session, project: Project, user_id: int) -> Role | None:
    """The part that somebody has in a project, of their own, by a team or as an owner of its organization; the
    greatest of these, None for none."""
    return parts_of(db, project, user_id)[0]


def parts_of(db: Session, project: Project, user_id: int) -> tuple[Role | None, OrganizationRole | None]:
    """Somebody's part in a project, as `role_of` has it, and their part in its organization. One statement."""
    roles: list[Role] = []
    in_organization = None
    asked = {"project_id": project.id, "organization_id": project.organization_id, "user_id": user_id}
    for source, word in db.execute(_PARTS, asked):
        if source == "organization":
            in_organization = OrganizationRole.from_word(word)
        elif (role := Role.from_word(word)) is not None:
            roles.append(role)
    if in_organization is OrganizationRole.OWNER:
        roles.append(Role.OWNER)
    return max(roles, default=None), in_organization


def target_of(
    db: Session, project: Project, user_id: int | None, *, subject: Subject | None = None, name: str | None = None
) -> Target:
    """A project, or something that belongs to it, as the target of an action by this account, or by none.

    subject, name: what of the project it is, such as a release; the project itself unless said otherwise.
    """
    role, organization_role = parts_of(db, project, user_id) if user_id is not None else (None, None)
    organization = project.organization
    return Target(
        subject or project,
        name or project.name,
        role=role,
        project_id=project.id,
        status=ProjectStatus(project.status),
        takes_tokens=project.takes_tokens,
        is_private=project.is_private,
        in_organization=organization is not None,
        organization_role=organization_role,
        asks_for_key=organization.name if organization is not None and organization.asks_for_key else None,
    )


def lock(db: Session, permit: Permit, project: Project) -> None:
    """Have all changes to a project wait for each other, but not the events that name it, or two of them would wait for
    each other's; and look again whether the permit's holder has the role that
    it was given for, and whether the project's status still allows it. Raises Problem, and Gone."""
    locked = select(Project).where(Project.id == project.id).with_for_update(key_share=True)
    if db.scalar(locked.execution_options(populate_existing=True)) is None:
        raise Gone(project.name)
    needs = permit.action.needs
    role, organization_role = parts_of(db, project, permit.account.user_id)
    asked: list[tuple[Role | OrganizationRole | None, Role | OrganizationRole | None]] = [(needs.role, role)]
    if project.organization_id is not None:
        asked.append((needs.organization_role, organization_role))
    if any(needed is not None and (held is None or held < needed) for needed, held in asked):
        raise Problem(f"You no longer have the role in {project.name} that this asks for.")
    if ProjectStatus(project.status) not in needs.statuses:
        raise Problem(f"{project.name} is {project.status} by now, and that stands in the way.")


PAGE = 50
MOST_NAMED = 100  # projects that one token names
MOST_SHOWN = 100  # characters, of a project's name


@dataclass(frozen=True)
class Mine:
    """A project in which somebody has a part, and whether they may act as an owner of it."""

    project: Project
    is_owner: bool


@dataclass(frozen=True)
class Leaf:
    """One page of somebody's projects. older: what `before` the next page begins with; None where this is the last."""

    mine: list[Mine]
    older: int | None

    @property
    def projects(self) -> list[Project]:
        """The projects alone."""
        return [each.project for each in self.mine]


def leaf(db: Session, user_id: int, *, archived: bool = False, before: int | None = None, most: int = PAGE) -> Leaf:
    """The projects in which somebody has a role, of their own, by a team or as an owner of an organization; the
    one that changed last first.

    archived: those that are archived, instead of all others.
    before: the id of the last project of the page above; an unknown one gives the first page.
    """
    parts = _parts_of(user_id).subquery()
    is_owner = func.max(case((parts.c.role == Role.OWNER.word, 1), else_=0)).label("is_owner")
    greatest = select(parts.c.project_id, is_owner).group_by(parts.c.project_id).subquery()
    theirs = select(Project, greatest.c.is_owner).join(greatest, greatest.c.project_id == Project.id)
    status = Project.status == ProjectStatus.ARCHIVED.value
    theirs = theirs.where(status if archived else ~status)
    last = db.get(Project, before) if before is not None else None
    if last is not None:
        at_once = (Project.updated_at == last.updated_at) & (Project.normalized_name > last.normalized_name)
        theirs = theirs.where((Project.updated_at < last.updated_at) | at_once)
    in_order = theirs.order_by(Project.updated_at.desc(), Project.normalized_name)
    found = [Mine(row[0], is_owner=bool(row[1])) for row in db.execute(in_order.limit(most + 1))]
    return Leaf(found[:most], older=found[most - 1].project.id if len(found) > most else None)


def held(db: Session, user_id: int, names: frozenset[str]) -> list[Project]:
    """The projects of these names, however they are spelt, in each of which somebody has a role.

    They are locked, so that whoever takes such a role away waits. Raises Problem if one is not there or not theirs.
    """
    none_of_theirs = Problem("Choose among the projects that you have a role in.", field="scope")
    if len(names) > MOST_NAMED:
        raise Problem(f"Name at most {MOST_NAMED} projects.", field="scope")
    if not all(name.isascii() and name.isprintable() for name in names):
        raise none_of_theirs
    wanted = {normalize(name): name for name in names}
    named = select(Project.id).where(Project.normalized_name.in_(wanted)).order_by(Project.id)
    locked = db.scalars(named.with_for_update(read=True)).all()
    theirs = select(_parts_of(user_id).subquery().c.project_id)
    found = list(db.scalars(select(Project).where(Project.id.in_(locked), Project.id.in_(theirs))))
    there = {project.normalized_name for project in found}
    missing = [name for normalized, name in wanted.items() if normalized not in there]
    if missing and len(missing[0]) <= MOST_SHOWN:
        raise Problem(f"{none_of_theirs.message} {missing[0]} is none of them.", field="scope")
    if missing:
        raise none_of_theirs
    return found


def _parts_of(user_id: int) -> "CompoundSelect[int, str]":
    """Somebody's parts in projects, of their own, by a team or as an owner of an organization, each with its role."""
    own = select(ProjectRole.project_id, ProjectRole.role).where(ProjectRole.user_id == user_id)
    owned = (
        select(Project.id, literal(Role.OWNER.word))
        .join(OrganizationMember, OrganizationMember.organization_id == Project.organization_id)
        .where(OrganizationMember.user_id == user_id, OrganizationMember.role == OrganizationRole.OWNER.word)
    )
    lent = (
        select(TeamProject.project_id, TeamProject.role)
        .join(TeamMember, TeamMember.team_id == TeamProject.team_id)
        .where(TeamMember.user_id == user_id)
    )
    return union_all(own, owned, lent)


def of_user(db: Session, user_id: int, *, among: ColumnElement[bool]) -> list[ProjectRole]:
    """Somebody's parts in projects, each with its project, the one that changed last first. among: which projects are
    there for the reader."""
    parts = select(ProjectRole).join(ProjectRole.project).options(contains_eager(ProjectRole.project))
    newest_first = parts.order_by(Project.updated_at.desc(), Project.normalized_name)
    return list(db.scalars(newest_first.where(ProjectRole.user_id == user_id, among)))
