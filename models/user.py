"""Accounts and their email addresses."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, LargeBinary, String, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import Base, Id


def username_key(username: str) -> str:
    """What of a username must be unique, and by which it is found."""
    return username.lower()


class User(Base):
    """One person's account. Nothing here says what it may do: that is domain/policy."""

    __tablename__ = "user"

    id: Mapped[Id]
    username: Mapped[str] = mapped_column(String(50))  # as it was typed at registration
    username_key: Mapped[str] = mapped_column(String(50), unique=True)  # lower case; the one that must be unique
    full_name: Mapped[str] = mapped_column(String(100), default="")
    password_hash: Mapped[str | None] = mapped_column(String(255))  # None: no password was ever set, or it is void
    password_changed_at: Mapped[datetime]
    registered_at: Mapped[datetime]
    is_active: Mapped[bool] = mapped_column(default=True)
    is_admin: Mapped[bool] = mapped_column(default=False)
    recovery_codes_confirmed_at: Mapped[datetime | None]  # when one was typed to prove that they are kept
    # What passkeys call the account: random, so that it tells nothing. Made with the first one.
    passkey_handle: Mapped[bytes | None] = mapped_column(LargeBinary(64), unique=True)
    # Since when the address has to be proved again before a second factor is added, because nobody was here for long.
    address_proof_due_since: Mapped[datetime | None]

    emails: Mapped[list["Email"]] = relationship(
        back_populates="user", order_by="Email.id", cascade="all, delete-orphan", lazy="selectin"
    )

    @property
    def primary_email(self) -> "Email | None":
        """The address that notices and links go to."""
        return next((email for email in self.emails if email.is_primary), None)

    @property
    def has_verified_email(self) -> bool:
        """Whether the primary address was proved to be theirs."""
        return self.primary_email is not None and self.primary_email.verified_at is not None


class Email(Base):
    """An address of an account. An address is unique only once it is verified, so that nobody can reserve
    or probe another person's by typing it."""

    __tablename__ = "email"
    __table_args__ = (
        Index("uq_email_user_id_address_key", "user_id", "address_key", unique=True),
        Index(
            "uq_email_verified_address_key",
            "address_key",
            unique=True,
            sqlite_where=text("verified_at IS NOT NULL"),
            postgresql_where=text("verified_at IS NOT NULL"),
        ),
        Index(
            "uq_email_primary_user_id",
            "user_id",
            unique=True,
            sqlite_where=text("is_primary"),
            postgresql_where=text("is_primary"),
        ),
    )

    id: Mapped[Id]
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"), index=True)
    address: Mapped[str] = mapped_column(String(254))
    address_key: Mapped[str] = mapped_column(String(254), index=True)  # lower case
    is_primary: Mapped[bool] = mapped_column(default=False)
    is_public: Mapped[bool] = mapped_column(default=False)  # shown on the person's public page
    added_at: Mapped[datetime]
    verified_at: Mapped[datetime | None]

    user: Mapped[User] = relationship(back_populates="emails")


class RetiredName(Base):
    """A name that an account or organization had and that nobody gets again: old links and pins would lead to whoever
    took it. kind: "user" or "organization"; key: in lower case."""

    __tablename__ = "retired_name"

    kind: Mapped[str] = mapped_column(String(16), primary_key=True)
    key: Mapped[str] = mapped_column(String(50), primary_key=True)
    retired_at: Mapped[datetime]
