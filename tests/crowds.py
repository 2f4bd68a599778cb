"""Very many projects, releases and events, written at once: for pages that must not grow with them."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

import sqlalchemy as sa
from packaging.version import Version

from domain.index.names import lookalike_key
from domain.index.versions import version_key
from models import (
    ApiToken,
    DailyDownload,
    Event,
    File,
    Organization,
    OrganizationMember,
    Project,
    ProjectRole,
    Release,
    User,
    db,
)

Row = dict[str, object]


def many_projects(
    count: int, *, owner: User, now: datetime, organization: Organization | None = None, prefix: str = "crowd"
) -> None:
    """Projects that somebody owns, or an organization, each with one release."""
    names = [f"{prefix}-{number:04}" for number in range(count)]
    _insert(
        Project,
        (
            {
                "name": name,
                "normalized_name": name,
                "lookalike_key": lookalike_key(name),
                "created_at": now,
                "updated_at": now + timedelta(seconds=number),
                "organization_id": organization.id if organization else None,
            }
            for number, name in enumerate(names)
        ),
    )
    found = db.session.scalars(sa.select(Project.id).where(Project.name.in_(names)).order_by(Project.id)).all()
    if organization is None:
        _insert(
            ProjectRole,
            ({"project_id": project, "user_id": owner.id, "role": "owner", "since": now} for project in found),
        )
    _insert(Release, (_release(project, "1.0", now) for project in found))
    db.session.commit()


def many_downloads(count: int, *, project: Project, now: datetime) -> None:
    """Downloads of that many versions, on each of ninety days."""
    days = [(now - timedelta(days=ago)).date() for ago in range(90)]
    versions = [f"1.{count}.{number}" for number in range(count)]
    _insert(
        DailyDownload,
        ({"project_id": project.id, "day": day, "version": one, "count": 3} for day in days for one in versions),
    )


def many_releases(count: int, *, project: Project, now: datetime) -> None:
    """So many more releases of one project, each with one wheel."""
    theirs = sa.select(Release.id, Release.version).where(Release.project_id == project.id).order_by(Release.id)
    first = len(db.session.execute(theirs).all())
    _insert(Release, (_release(project.id, f"1.{first + number}", now) for number in range(count)))
    rows = db.session.execute(theirs).all()[first:]
    _insert(File, (_file(project, row.id, row.version, now) for row in rows))
    db.session.commit()


def many_people(count: int, *, project: Project, organization: Organization, now: datetime) -> None:
    """Accounts with a role in the project, who belong to the organization as well."""
    first = db.session.scalar(sa.select(sa.func.count()).select_from(User)) or 0
    names = [f"somebody-{first + number}" for number in range(count)]
    facts = {"password_hash": "none", "password_changed_at": now, "registered_at": now}
    _insert(User, ({"username": name, "username_key": name, **facts} for name in names))
    ids = db.session.scalars(sa.select(User.id).where(User.username.in_(names))).all()
    _insert(
        ProjectRole, ({"project_id": project.id, "user_id": one, "role": "maintainer", "since": now} for one in ids)
    )
    members = ({"organization_id": organization.id, "user_id": one, "role": "member", "since": now} for one in ids)
    _insert(OrganizationMember, members)
    db.session.commit()


def many_events(
    count: int,
    *,
    user: User,
    now: datetime,
    project: Project | None = None,
    organization: Organization | None = None,
) -> None:
    """Things that somebody did, a minute apart."""
    _insert(
        Event,
        (
            {
                "at": now + timedelta(minutes=number),
                "tag": "project:release:added",
                "actor_id": user.id,
                "user_id": user.id,
                "project_id": project.id if project else None,
                "organization_id": organization.id if organization else None,
                "address": "203.0.113.7",
                "user_agent": "twine/6.2.0",
                "details": {"project": "crowd", "version": f"1.{number}"},
            }
            for number in range(count)
        ),
    )
    db.session.commit()


def many_tokens(count: int, *, owner: User, now: datetime, prefix: str = "crowd") -> None:
    """Tokens of one account, many more than it could make: as many as a project's people have together."""
    _insert(
        ApiToken,
        (
            {
                "user_id": owner.id,
                "description": f"{prefix}-{number}",
                "token_hash": f"{prefix}-{number}".encode().rjust(32, b"."),
                "hint": "WXYZ",
                "reaches_all": True,
                "creates_project": False,
                "grants": ["upload"],
                "networks": [],
                "created_at": now,
            }
            for number in range(count)
        ),
    )
    db.session.commit()


@contextmanager
def statements() -> Iterator[list[str]]:
    """The SQL that is run meanwhile; transactions' beginnings are not counted."""
    ran: list[str] = []

    def note(*args: object) -> None:
        if not str(args[2]).startswith("BEGIN"):
            ran.append(str(args[2]))

    sa.event.listen(db.engine, "before_cursor_execute", note)
    try:
        yield ran
    finally:
        sa.event.remove(db.engine, "before_cursor_execute", note)


def _insert(table: Callable[..., object], rows: Iterator[Row]) -> None:
    db.session.execute(sa.insert(table), list(rows))  # type: ignore[arg-type]  # a mapped class, whose type has no name


def _release(project_id: int, version: str, now: datetime) -> Row:
    return {
        "project_id": project_id,
        "version": version,
        "version_key": version_key(Version(version)),
        "is_prerelease": False,
        "created_at": now,
        "core_metadata": {"name": "crowd", "version": version},
    }


def _file(project: Project, release_id: int, version: str, now: datetime) -> Row:
    name = f"{project.normalized_name.replace('-', '_')}-{version}-py3-none-any.whl"
    return {
        "release_id": release_id,
        "filename": name,
        "kind": "bdist_wheel",
        "tags": "Wheel for any Python 3",
        "size_bytes": 20_480,
        "sha256": f"{release_id:064}",
        "blake2_256": f"{release_id:064}",
        "uploaded_at": now,
    }
