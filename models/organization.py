"""Organizations, the requests for them, their people and their teams."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import Base, Id
from models.user import User


def organization_key(name: str) -> str:
    """What of an organization's or a team's name must be unique, and by which it is found."""
    return name.lower()


class Organization(Base):
    """People who own projects together."""

    __tablename__ = "organization"

    id: Mapped[Id]
    name: Mapped[str] = mapped_column(String(50))  # as it was requested; it never changes
    name_key: Mapped[str] = mapped_column(String(50), unique=True)  # lower case
    display_name: Mapped[str] = mapped_column(String(100))
    url: Mapped[str] = mapped_column(String(400), default="")
    description: Mapped[str] = mapped_column(String(400), default="")
    asks_for_key: Mapped[bool] = mapped_column(default=False)  # its people must have a passkey or security key
    created_at: Mapped[datetime]


class OrganizationRequest(Base):
    """A wish for an organization, and what an administrator said to it.

    status: "open", "asked" (a question waits for an answer), "approved" or "declined".
    """

    __tablename__ = "organization_request"

    id: Mapped[Id]
    name: Mapped[str] = mapped_column(String(50))
    name_key: Mapped[str] = mapped_column(String(50), index=True)
    display_name: Mapped[str] = mapped_column(String(100))
    url: Mapped[str] = mapped_column(String(400), default="")
    description: Mapped[str] = mapped_column(String(400), default="")
    purpose: Mapped[str] = mapped_column(String(1024))
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"), index=True)
    created_at: Mapped[datetime]
    status: Mapped[str] = mapped_column(String(16), default="open", index=True)
    question: Mapped[str] = mapped_column(Text, default="")
    answer: Mapped[str] = mapped_column(Text, default="")
    reason: Mapped[str] = mapped_column(Text, default="")  # why it was declined
    decided_at: Mapped[datetime | None]
    decided_by_id: Mapped[int | None] = mapped_column(ForeignKey("user.id", ondelete="SET NULL"))

    user: Mapped[User] = relationship(foreign_keys=[user_id])


class OrganizationMember(Base):
    """Somebody's part in an organization: owner, manager or member."""

    __tablename__ = "organization_member"
    __table_args__ = (
        Index("uq_organization_member_organization_id_user_id", "organization_id", "user_id", unique=True),
    )

    id: Mapped[Id]
    organization_id: Mapped[int] = mapped_column(ForeignKey("organization.id", ondelete="CASCADE"))
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"), index=True)
    role: Mapped[str] = mapped_column(String(16))
    since: Mapped[datetime]

    organization: Mapped[Organization] = relationship()
    user: Mapped[User] = relationship()


class Team(Base):
    """Members of an organization who have their parts in its projects together."""

    __tablename__ = "team"
    __table_args__ = (Index("uq_team_organization_id_name_key", "organization_id", "name_key", unique=True),)

    id: Mapped[Id]
    organization_id: Mapped[int] = mapped_column(ForeignKey("organization.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(50))
    name_key: Mapped[str] = mapped_column(String(50))  # lower case
    created_at: Mapped[datetime]

    organization: Mapped[Organization] = relationship()


class TeamMember(Base):
    """Somebody who is in a team. Whoever leaves the organization leaves its teams, by the domain's rule."""

    __tablename__ = "team_member"
    __table_args__ = (Index("uq_team_member_team_id_user_id", "team_id", "user_id", unique=True),)

    id: Mapped[Id]
    team_id: Mapped[int] = mapped_column(ForeignKey("team.id", ondelete="CASCADE"))
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"), index=True)
    since: Mapped[datetime]

    team: Mapped[Team] = relationship()
    user: Mapped[User] = relationship()
