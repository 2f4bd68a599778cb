"""What every template knows: the site, who looks at it, and the chosen colours."""

from dataclasses import dataclass

from flask import Flask, g, request
from sqlalchemy import func, select

from blueprints import intent, reading, wiring
from blueprints.caller import signed_in_user
from domain.identity import recovery
from domain.identity.standing import standing_of
from domain.policy.targets import OrganizationRole, Role, Target
from models import Project, db

THEME_COOKIE = "theme"
THEMES = ("auto", "light", "dark")


@dataclass(frozen=True)
class Viewer:
    """The person who is signed in, as the frame of a page shows them."""

    username: str
    is_admin: bool
    has_second_factor: bool
    needs_recovery_codes: bool
    email_verified: bool
    codes_left: int
    has_few_codes: bool


class Site:
    """The index, as pages show it. The number of projects is counted only where a page says it."""

    def __init__(self) -> None:
        facts = wiring.services().site
        self.name, self.host, self.public_url, self.version = (
            facts.name,
            facts.host,
            facts.public_url,
            facts.version,
        )
        self.members_only = wiring.services().policy.members_only

    @property
    def project_count(self) -> int:
        """How many names there are, for whoever may read them; 0 for anybody else."""
        if self.members_only and signed_in_user() is None:
            return 0
        return db.session.scalar(select(func.count(Project.id)).where(reading.visible())) or 0


def install(app: Flask) -> None:
    """Give every template `site`, `viewer`, `theme`, `kept_action()`, `owns_project()` and
    `owns_organization()`."""
    app.context_processor(_context)


def _context() -> dict[str, object]:
    theme = request.cookies.get(THEME_COOKIE, "auto")
    return {
        "site": Site(),
        "viewer": _viewer(),
        "theme": theme if theme in THEMES else "auto",
        "kept_action": intent.peek,
        "owns_project": _owns_project,
        "owns_organization": _owns_organization,
    }


def _owns_project() -> bool:
    """Whether the viewer may act as an owner of the project that this page is about."""
    judged = g.get("judged")
    return isinstance(judged, Target) and judged.role is Role.OWNER


def _owns_organization() -> bool:
    """The same for the organization that this page is about."""
    judged = g.get("judged")
    return isinstance(judged, Target) and judged.organization_role is OrganizationRole.OWNER


def _viewer() -> Viewer | None:
    user = signed_in_user()
    standing = standing_of(db.session(), user.id) if user else None
    if user is None or standing is None:
        return None
    codes_left = recovery.codes_left(db.session(), user.id)
    return Viewer(
        username=user.username,
        is_admin=user.is_admin,
        has_second_factor=standing.has_second_factor,
        needs_recovery_codes=standing.has_second_factor and user.recovery_codes_confirmed_at is None,
        email_verified=standing.has_verified_email,
        codes_left=codes_left,
        has_few_codes=standing.has_second_factor and codes_left <= recovery.FEW,
    )
