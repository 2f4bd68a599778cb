"""The journal."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Id


class Event(Base):
    """Something that happened. Only ever added: accounts and projects may go, their events stay."""

    __tablename__ = "event"
    __table_args__ = (
        Index("ix_event_user_id_tag_id", "user_id", "tag", "id"),
        Index("ix_event_project_id_id", "project_id", "id"),
        Index("ix_event_organization_id_id", "organization_id", "id"),
    )

    id: Mapped[Id]
    at: Mapped[datetime] = mapped_column(index=True)
    tag: Mapped[str] = mapped_column(String(64))  # source:subject:action
    actor_id: Mapped[int | None] = mapped_column(ForeignKey("user.id", ondelete="SET NULL"))  # who did it
    user_id: Mapped[int | None] = mapped_column(ForeignKey("user.id", ondelete="SET NULL"))  # whose account it concerns
    project_id: Mapped[int | None] = mapped_column(ForeignKey("project.id", ondelete="SET NULL"))
    organization_id: Mapped[int | None] = mapped_column(ForeignKey("organization.id", ondelete="SET NULL"))
    address: Mapped[str] = mapped_column(String(64))
    user_agent: Mapped[str] = mapped_column(String(255))
    details: Mapped[dict[str, Any]] = mapped_column(JSON)  # Any: each tag has its own few facts
