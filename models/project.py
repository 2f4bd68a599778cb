"""Projects, who looks after them, and who was asked to."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import Base, Id
from models.user import User


class Project(Base):
    """A name on this index. It may be reserved long before the first release."""

    __tablename__ = "project"

    id: Mapped[Id]
    name: Mapped[str] = mapped_column(String(100))  # as its owner spells it
    normalized_name: Mapped[str] = mapped_column(String(100), unique=True)  # PEP 503
    lookalike_key: Mapped[str] = mapped_column(String(100), index=True)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime] = mapped_column(index=True)  # last upload or deletion
    summary: Mapped[str] = mapped_column(String(512), default="")  # of the latest release, for lists

    roles: Mapped[list["ProjectRole"]] = relationship(
        back_populates="project", cascade="all, delete-orphan", passive_deletes=True
    )


class ProjectRole(Base):
    """Somebody's part in a project: owner or maintainer."""

    __tablename__ = "project_role"
    __table_args__ = (Index("uq_project_role_project_id_user_id", "project_id", "user_id", unique=True),)

    id: Mapped[Id]
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id", ondelete="CASCADE"))
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"), index=True)
    role: Mapped[str] = mapped_column(String(16))
    since: Mapped[datetime]

    project: Mapped[Project] = relationship(back_populates="roles")
    user: Mapped[User] = relationship()


class Invitation(Base):
    """A role offered to somebody, good until it is answered, revoked or expired."""

    __tablename__ = "invitation"
    __table_args__ = (Index("uq_invitation_project_id_user_id", "project_id", "user_id", unique=True),)

    id: Mapped[Id]
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id", ondelete="CASCADE"))
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"), index=True)
    role: Mapped[str] = mapped_column(String(16))
    invited_by_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]

    project: Mapped[Project] = relationship()
    user: Mapped[User] = relationship(foreign_keys=[user_id])
    invited_by: Mapped[User] = relationship(foreign_keys=[invited_by_id])


class SimplePage(Base):
    """A project's simple page, rendered when the project changed and served as it is."""

    __tablename__ = "simple_page"

    project_id: Mapped[int] = mapped_column(ForeignKey("project.id", ondelete="CASCADE"), primary_key=True)
    html: Mapped[bytes] = mapped_column(LargeBinary)
    html_etag: Mapped[str] = mapped_column(String(80))
    json: Mapped[bytes] = mapped_column(LargeBinary)
    json_etag: Mapped[str] = mapped_column(String(80))
