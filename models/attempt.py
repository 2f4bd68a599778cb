"""Budgets of attempts."""

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base


class Attempt(Base):
    """How often something was tried since `started_at`, in one window of one budget."""

    __tablename__ = "attempt"

    bucket: Mapped[str] = mapped_column(String(120), primary_key=True)  # "password:user:12"
    window_seconds: Mapped[int] = mapped_column(primary_key=True)
    started_at: Mapped[datetime]
    count: Mapped[int]
