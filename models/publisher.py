"""Trusted publishers, those that wait for their project, and who may issue their identities."""

from datetime import datetime

from sqlalchemy import JSON, Column, ForeignKey, Index, LargeBinary, String, Table
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import Base, Id
from models.organization import Organization
from models.project import Project
from models.user import User


class Identity:
    """The CI identity that a publisher trusts.

    provider: "github", "gitlab", "google", "activestate" or "oidc".
    issuer: who signs its tokens, an https URL.
    facts: what the tokens must say, by the field names of the provider's form.
    fingerprint: SHA-256 of provider, issuer and facts, in hexadecimal: equal ones are the same identity.
    """

    provider: Mapped[str] = mapped_column(String(16))
    issuer: Mapped[str] = mapped_column(String(255))
    facts: Mapped[dict[str, str]] = mapped_column(JSON)
    fingerprint: Mapped[str] = mapped_column(String(64))
    place: Mapped[str] = mapped_column(String(512))  # of the facts, where its jobs run: "acme/acme-utils"


class TrustedPublisher(Identity, Base):
    """A CI identity that may upload to a project."""

    __tablename__ = "trusted_publisher"
    __table_args__ = (
        Index("uq_trusted_publisher_project_id_fingerprint", "project_id", "fingerprint", unique=True),
        Index("ix_trusted_publisher_issuer_place", "issuer", "place"),
    )

    id: Mapped[Id]
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id", ondelete="CASCADE"))
    added_by_id: Mapped[int | None] = mapped_column(ForeignKey("user.id", ondelete="SET NULL"))
    added_at: Mapped[datetime]
    last_used_at: Mapped[datetime | None]
    ids: Mapped[dict[str, str]] = mapped_column(JSON, default=dict)  # of the job that it was first used for

    project: Mapped[Project] = relationship()
    added_by: Mapped[User | None] = relationship()


class PendingPublisher(Identity, Base):
    """A CI identity that may create a project by its first upload, which then belongs to whoever registered it."""

    __tablename__ = "pending_publisher"
    __table_args__ = (
        Index("uq_pending_publisher_normalized_name_fingerprint", "normalized_name", "fingerprint", unique=True),
        Index("ix_pending_publisher_issuer_place", "issuer", "place"),
    )

    id: Mapped[Id]
    project_name: Mapped[str] = mapped_column(String(100))
    normalized_name: Mapped[str] = mapped_column(String(100))
    lookalike_key: Mapped[str] = mapped_column(String(100), index=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"), index=True)
    organization_id: Mapped[int | None] = mapped_column(ForeignKey("organization.id", ondelete="CASCADE"), index=True)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    reminded_at: Mapped[datetime | None]

    user: Mapped[User] = relationship()
    organization: Mapped[Organization | None] = relationship()


class Issuer(Base):
    """Somebody besides the built-in ones whose identities publishers may name, let in by an administrator.

    provider: whose claims its tokens have: "gitlab" for a self-managed GitLab, "oidc" for anything else.
    """

    __tablename__ = "issuer"

    id: Mapped[Id]
    url: Mapped[str] = mapped_column(String(255), unique=True)
    provider: Mapped[str] = mapped_column(String(16))
    name: Mapped[str] = mapped_column(String(64))
    allows_private: Mapped[bool] = mapped_column(default=False)  # its address may lie in a private network
    added_by_id: Mapped[int | None] = mapped_column(ForeignKey("user.id", ondelete="SET NULL"))
    added_at: Mapped[datetime]


minted_token_publisher = Table(
    "minted_token_publisher",
    Base.metadata,
    Column("token_id", ForeignKey("minted_token.id", ondelete="CASCADE"), primary_key=True),
    Column("publisher_id", ForeignKey("trusted_publisher.id", ondelete="CASCADE"), primary_key=True, index=True),
)


class MintedToken(Base):
    """A token that a CI job got for its identity token; good for a quarter of an hour. Here is its SHA-256.

    title, ref, sha: of the job, as `domain.index.publisher_claims.Job` has them.
    """

    __tablename__ = "minted_token"

    id: Mapped[Id]
    token_hash: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    title: Mapped[str] = mapped_column(String(1300))
    ref: Mapped[str] = mapped_column(String(1000), default="")
    sha: Mapped[str] = mapped_column(String(1000), default="")
    expires_at: Mapped[datetime] = mapped_column(index=True)

    publishers: Mapped[list[TrustedPublisher]] = relationship(secondary=minted_token_publisher)


class SpentIdentity(Base):
    """An identity token that was exchanged, by a digest: it is good once. Swept when it has expired anyway."""

    __tablename__ = "spent_identity"

    digest: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    until: Mapped[datetime] = mapped_column(index=True)
