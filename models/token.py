"""API tokens."""

from datetime import datetime

from sqlalchemy import JSON, Column, ForeignKey, Index, LargeBinary, String, Table
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import Base, Id
from models.project import Project
from models.user import User

token_project = Table(
    "token_project",
    Base.metadata,
    Column("token_id", ForeignKey("api_token.id", ondelete="CASCADE"), primary_key=True),
    Column("project_id", ForeignKey("project.id", ondelete="CASCADE"), primary_key=True, index=True),
)


class ApiToken(Base):
    """A secret that uploads in its owner's name. Shown once; here is its SHA-256."""

    __tablename__ = "api_token"
    __table_args__ = (Index("uq_api_token_user_id_description", "user_id", "description", unique=True),)

    id: Mapped[Id]
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"), index=True)
    description: Mapped[str] = mapped_column(String(100))
    token_hash: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    hint: Mapped[str] = mapped_column(String(8))  # the last characters, to recognise it in a list
    reaches_all: Mapped[bool]  # the whole account; otherwise only `projects`, be they none any more
    creates_project: Mapped[bool] = mapped_column(default=False)  # until the upload that creates it
    grants: Mapped[list[str]] = mapped_column(JSON)  # what it may do, in the words of domain.policy.principals.Grant
    networks: Mapped[list[str]] = mapped_column(JSON, default=list)  # CIDR; empty: from anywhere
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    # After a rotation the secret before it is good for a while: nothing stops until all places have the new one.
    former_hash: Mapped[bytes | None] = mapped_column(LargeBinary(32), unique=True)
    former_hint: Mapped[str | None] = mapped_column(String(8))
    former_until: Mapped[datetime | None]
    rotated_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]
    last_used_with: Mapped[str | None] = mapped_column(String(64))
    last_used_from: Mapped[str | None] = mapped_column(String(64))
    last_used_project_id: Mapped[int | None] = mapped_column(ForeignKey("project.id", ondelete="SET NULL"))

    user: Mapped[User] = relationship()
    last_used_project: Mapped[Project | None] = relationship(foreign_keys=[last_used_project_id])
    projects: Mapped[list[Project]] = relationship(
        secondary=token_project, order_by=Project.normalized_name, lazy="selectin"
    )
