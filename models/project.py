"""Projects, who looks after them, and who was asked to."""

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, Column, ForeignKey, Index, LargeBinary, String, Table
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import Base, Id
from models.organization import Organization, Team
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
    status: Mapped[str] = mapped_column(String(16), default="active")  # PEP 792's word
    takes_tokens: Mapped[bool] = mapped_column(default=True)  # False: files from trusted publishers only
    is_private: Mapped[bool] = mapped_column(default=False, index=True)  # only its people may know of it
    organization_id: Mapped[int | None] = mapped_column(ForeignKey("organization.id"), index=True)
    # The operator's limits for this project alone; None for those of the index.
    max_file_bytes: Mapped[int | None] = mapped_column(BigInteger)
    max_total_bytes: Mapped[int | None] = mapped_column(BigInteger)

    organization: Mapped[Organization | None] = relationship()

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


class TeamProject(Base):
    """A team's part in a project of its organization: owner or maintainer."""

    __tablename__ = "team_project"
    __table_args__ = (Index("uq_team_project_team_id_project_id", "team_id", "project_id", unique=True),)

    id: Mapped[Id]
    team_id: Mapped[int] = mapped_column(ForeignKey("team.id", ondelete="CASCADE"))
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id", ondelete="CASCADE"), index=True)
    role: Mapped[str] = mapped_column(String(16))
    since: Mapped[datetime]

    team: Mapped[Team] = relationship()
    project: Mapped[Project] = relationship()


class Invitation(Base):
    """A role in a project or in an organization, offered to an account or to an address; good until it is answered,
    revoked or expired.

    user_id: None where an address was invited: whoever has proved that it is theirs may answer.
    """

    __tablename__ = "invitation"
    __table_args__ = (
        Index("uq_invitation_project_id_user_id", "project_id", "user_id", unique=True),
        Index("uq_invitation_project_id_address_key", "project_id", "address_key", unique=True),
        Index("uq_invitation_organization_id_user_id", "organization_id", "user_id", unique=True),
        Index("uq_invitation_organization_id_address_key", "organization_id", "address_key", unique=True),
        CheckConstraint("(project_id IS NULL) <> (organization_id IS NULL)", name="one_place"),
        CheckConstraint("(user_id IS NULL) <> (address_key IS NULL)", name="one_guest"),
    )

    id: Mapped[Id]
    project_id: Mapped[int | None] = mapped_column(ForeignKey("project.id", ondelete="CASCADE"))
    organization_id: Mapped[int | None] = mapped_column(ForeignKey("organization.id", ondelete="CASCADE"))
    user_id: Mapped[int | None] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"), index=True)
    address: Mapped[str | None] = mapped_column(String(254))  # as it was typed
    address_key: Mapped[str | None] = mapped_column(String(254), index=True)  # lower case
    role: Mapped[str] = mapped_column(String(16))
    invited_by_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]

    project: Mapped[Project | None] = relationship()
    organization: Mapped[Organization | None] = relationship()
    user: Mapped[User | None] = relationship(foreign_keys=[user_id])
    invited_by: Mapped[User] = relationship(foreign_keys=[invited_by_id])


class Transfer(Base):
    """A project offered to another person or to an organization; good until it is answered, withdrawn or expired."""

    __tablename__ = "transfer"
    __table_args__ = (CheckConstraint("(to_user_id IS NULL) <> (to_organization_id IS NULL)", name="one_receiver"),)

    id: Mapped[Id]
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id", ondelete="CASCADE"), unique=True)
    to_user_id: Mapped[int | None] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"), index=True)
    to_organization_id: Mapped[int | None] = mapped_column(
        ForeignKey("organization.id", ondelete="CASCADE"), index=True
    )
    offered_by_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]

    project: Mapped[Project] = relationship()
    to_user: Mapped[User | None] = relationship(foreign_keys=[to_user_id])
    to_organization: Mapped[Organization | None] = relationship()
    offered_by: Mapped[User] = relationship(foreign_keys=[offered_by_id])


kept_name_owner = Table(
    "kept_name_owner",
    Base.metadata,
    Column("kept_name_id", ForeignKey("kept_name.id", ondelete="CASCADE"), primary_key=True),
    Column("user_id", ForeignKey("user.id", ondelete="CASCADE"), primary_key=True, index=True),
)


class KeptName(Base):
    """The name of a deleted project, kept for a while for those who owned it."""

    __tablename__ = "kept_name"

    id: Mapped[Id]
    name: Mapped[str] = mapped_column(String(100))
    normalized_name: Mapped[str] = mapped_column(String(100), unique=True)
    lookalike_key: Mapped[str] = mapped_column(String(100), index=True)
    organization_id: Mapped[int | None] = mapped_column(ForeignKey("organization.id", ondelete="SET NULL"))
    deleted_at: Mapped[datetime]
    kept_until: Mapped[datetime]

    owners: Mapped[list[User]] = relationship(secondary=kept_name_owner)


class Catalogue(Base):
    """How often the list of all projects has changed: one row, as soon as there was a project."""

    __tablename__ = "catalogue"

    id: Mapped[Id]
    changes: Mapped[int]


class KeptPage(Base):
    """A project's simple page, made when the project changed and served as it is.

    form: "json" or "html". coding: as in Content-Encoding, or "identity". The body comes last: SQLite reads its way
    through whatever stands before what it is asked for.
    """

    __tablename__ = "kept_page"

    project_id: Mapped[int] = mapped_column(ForeignKey("project.id", ondelete="CASCADE"), primary_key=True)
    form: Mapped[str] = mapped_column(String(8), primary_key=True)
    coding: Mapped[str] = mapped_column(String(8), primary_key=True)
    etag: Mapped[str] = mapped_column(String(80))
    body: Mapped[bytes] = mapped_column(LargeBinary)
