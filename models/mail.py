"""The outbox."""

from datetime import datetime

from sqlalchemy import ForeignKey, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Id


class Mail(Base):
    """A message, written in the transaction of the change that it tells of, and delivered afterwards.

    The parts are sealed: a mail may carry a link that opens an account.
    """

    __tablename__ = "mail"

    id: Mapped[Id]
    message_id: Mapped[str] = mapped_column(String(255), unique=True)
    notice: Mapped[str] = mapped_column(String(64))
    to: Mapped[str] = mapped_column(String(254))
    user_id: Mapped[int | None] = mapped_column(ForeignKey("user.id", ondelete="SET NULL"), index=True)
    subject: Mapped[str] = mapped_column(String(255))
    text_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    html_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime]
    due_at: Mapped[datetime | None] = mapped_column(index=True)  # None: sent, or given up
    attempts: Mapped[int] = mapped_column(default=0)
    sent_at: Mapped[datetime | None]
    last_error: Mapped[str] = mapped_column(String(255), default="")
