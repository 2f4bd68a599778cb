"""Browser sessions: ours, not the cookie's."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Id


class BrowserSession(Base):
    """What one browser's cookie stands for. The cookie holds a random handle; here is only its hash."""

    __tablename__ = "session"

    id: Mapped[Id]
    handle_hash: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"), index=True)
    level: Mapped[str] = mapped_column(String(16))  # anonymous, half (password given), full
    method: Mapped[str] = mapped_column(String(32), default="")  # how the last step up was made
    created_at: Mapped[datetime]
    stepped_up_at: Mapped[datetime | None]  # when the level last rose; a half sign-in ends soon after
    confirmed_at: Mapped[datetime | None]  # when the person last proved to be there ("confirm it is you")
    seen_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    browser_id: Mapped[int | None] = mapped_column(ForeignKey("known_browser.id", ondelete="SET NULL"), index=True)
    address: Mapped[str] = mapped_column(String(64))
    user_agent: Mapped[str] = mapped_column(String(255))
    data: Mapped[dict[str, Any]] = mapped_column(
        JSON, default=dict
    )  # Any: flashes and the CSRF secret, as Flask keeps them
