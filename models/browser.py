"""Browsers that an account was signed in with."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Id


class KnownBrowser(Base):
    """A browser from which somebody signed in to an account before. Its cookie holds a random handle, and here is only
    the hash; several accounts may know one browser."""

    __tablename__ = "known_browser"
    __table_args__ = (Index("uq_known_browser_handle_hash_user_id", "handle_hash", "user_id", unique=True),)

    id: Mapped[Id]
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"), index=True)
    handle_hash: Mapped[bytes] = mapped_column(LargeBinary(32))
    first_seen_at: Mapped[datetime]
    last_seen_at: Mapped[datetime] = mapped_column(index=True)
    trusted_until: Mapped[datetime | None]  # until then the password is enough here to sign in
    address: Mapped[str] = mapped_column(String(64))
    user_agent: Mapped[str] = mapped_column(String(255))
