"""Projects: who has one, which part somebody has in it, and how a name is given out."""

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session, contains_eager

from domain import journal
from domain.index.names import check_name, lookalike_key, normalize
from domain.policy.actions import Action
from domain.policy.decision import Permit
from domain.policy.targets import Role
from domain.problems import Problem
from models import Project, ProjectRole


class NameTaken(Problem):
    """A name that somebody has, or one so like it that people would mix them up."""

    def __init__(self, message: str) -> None:
        super().__init__(message, field="name", code="name_taken")


def find(db: Session, name: str) -> Project | None:
    """The project of this name, however it is spelt; None if there is none."""
    if not (name.isascii() and name.isprintable()):  # no project has such a name, and PostgreSQL takes no NUL
        return None
    return db.scalar(select(Project).where(Project.normalized_name == normalize(name)))


def role_of(db: Session, project: Project, user_id: int) -> Role | None:
    """The part that somebody has in a project; None for none."""
    part = select(ProjectRole.role).where(ProjectRole.project_id == project.id, ProjectRole.user_id == user_id)
    return Role.from_word(db.scalar(part))


def of_user(db: Session, user_id: int) -> list[ProjectRole]:
    """Somebody's parts in projects, each with its project, the one that changed last first."""
    parts = select(ProjectRole).join(ProjectRole.project).options(contains_eager(ProjectRole.project))
    newest_first = parts.order_by(Project.updated_at.desc(), Project.normalized_name)
    return list(db.scalars(newest_first.where(ProjectRole.user_id == user_id)))


def reserve(db: Session, permit: Permit, *, name: str, now: datetime) -> Project:
    """Give a name to whoever holds the permit, before anything is uploaded.

    Raises InvalidName and NameTaken. The caller counts the try in `throttle.RESERVE_NAME`.
    """
    permit.covers(Action.RESERVE_PROJECT)
    return _give(db, permit, name, event="project:name:reserved", now=now)


def create_by_upload(db: Session, permit: Permit, *, name: str, now: datetime) -> Project:
    """Give a name to whoever uploads the first file under it. The same rules as for `reserve` hold."""
    permit.covers(Action.CREATE_PROJECT)
    return _give(db, permit, name, event="project:name:created", now=now)


def _give(db: Session, permit: Permit, name: str, *, event: str, now: datetime) -> Project:
    normalized, key = check_name(name), lookalike_key(name)
    if db.get_bind().dialect.name == "postgresql":  # SQLite has one writer at a time anyway
        db.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(key, 0))))
    alike = db.scalar(select(Project).where(Project.lookalike_key == key).limit(1))
    if alike is not None and alike.normalized_name == normalized:
        raise NameTaken(f"The project name {name} is taken. Choose another one.")
    if alike is not None:
        raise NameTaken(f"The project name {name} is too like {alike.name}, which exists. Choose another one.")
    project = Project(name=name, normalized_name=normalized, lookalike_key=key, created_at=now, updated_at=now)
    user_id = permit.account.user_id
    project.roles = [ProjectRole(user_id=user_id, role=Role.OWNER.word, since=now)]
    db.add(project)
    db.flush()
    origin, details = permit.principal.origin, {"name": name}
    journal.record(db, event, now=now, origin=origin, actor_id=user_id, project_id=project.id, details=details)
    return project
