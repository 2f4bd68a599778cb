"""Second factors: authenticator apps, passkeys and security keys, recovery codes."""

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Id


class TotpApp(Base):
    """An authenticator app. The secret is sealed for this row: `public_id` is part of the seal's context."""

    __tablename__ = "totp_app"
    __table_args__ = (Index("uq_totp_app_user_id_label", "user_id", "label", unique=True),)

    id: Mapped[Id]
    public_id: Mapped[str] = mapped_column(String(32), unique=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"), index=True)
    label: Mapped[str] = mapped_column(String(64))
    secret_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    last_step: Mapped[int]  # 30-second counter of the newest code accepted; only greater ones are taken
    added_at: Mapped[datetime]
    last_used_at: Mapped[datetime | None]

    @property
    def kind(self) -> str:
        """What people call it."""
        return "authenticator app"


class Passkey(Base):
    """A passkey or a security key: a WebAuthn credential. Its private half never leaves the authenticator."""

    __tablename__ = "passkey"
    __table_args__ = (Index("uq_passkey_user_id_label", "user_id", "label", unique=True),)

    id: Mapped[Id]
    public_id: Mapped[str] = mapped_column(String(32), unique=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"), index=True)
    label: Mapped[str] = mapped_column(String(64))
    credential_id: Mapped[bytes] = mapped_column(LargeBinary(1023), unique=True)
    public_key: Mapped[bytes] = mapped_column(LargeBinary)  # a COSE key (RFC 9052 §7)
    sign_count: Mapped[int] = mapped_column(BigInteger)  # 0 for good where the authenticator keeps none
    aaguid: Mapped[str] = mapped_column(String(36))  # which make it says to be
    transports: Mapped[str] = mapped_column(String(100))  # how browsers reach it: "usb nfc"
    # It checked its owner when it was added: a PIN that a thief sets afterwards is none.
    verifies_user: Mapped[bool]
    is_discoverable: Mapped[bool]  # it knows whose it is, and can sign in without a username
    is_backup_eligible: Mapped[bool]  # its keeper may copy it to other devices; never changes
    is_backed_up: Mapped[bool]  # there is such a copy now
    added_at: Mapped[datetime]
    last_used_at: Mapped[datetime | None]
    last_used_with: Mapped[str | None] = mapped_column(String(255))  # the browser, as it names itself
    refused_since: Mapped[datetime | None]  # its counter fell: there may be a copy, and none of them signs in any more

    @property
    def kind(self) -> str:
        """What people call it: a small device to carry is a security key, what lives elsewhere a passkey."""
        lives_in_something = self.is_backup_eligible or {"internal", "hybrid"} & set(self.transports.split())
        return "passkey" if lives_in_something else "security key"

    @property
    def signs_in_alone(self) -> bool:
        """Whether it needs neither username nor password: it knows whose it is, and checks that it is they."""
        return self.is_discoverable and self.verifies_user


class RecoveryCode(Base):
    """One of ten ways back in, each good once."""

    __tablename__ = "recovery_code"

    id: Mapped[Id]
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"), index=True)
    code_hash: Mapped[str] = mapped_column(String(255))
    made_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    used_from: Mapped[str | None] = mapped_column(String(64))
