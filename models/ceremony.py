"""One-shot things: links in mails, pending secrets, interrupted actions."""

from datetime import datetime

from sqlalchemy import ForeignKey, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Id


class Ceremony(Base):
    """Something that was begun and can be finished once, before it expires, by whoever holds the handle.

    Of the handle only the hash is kept. The payload is sealed; what it holds depends on the purpose.
    """

    __tablename__ = "ceremony"

    id: Mapped[Id]
    purpose: Mapped[str] = mapped_column(String(32), index=True)
    handle_hash: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"), index=True)
    session_id: Mapped[int | None] = mapped_column(ForeignKey("session.id", ondelete="CASCADE"), index=True)
    payload_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)
