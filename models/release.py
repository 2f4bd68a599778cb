"""Releases and their files."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import Base, Id
from models.project import Project
from models.user import User


def download_path(sha256: str, filename: str) -> str:
    """Where a file is downloaded, from the root of the site."""
    return f"/packages/{sha256[:2]}/{sha256[2:4]}/{sha256[4:]}/{filename}"


class ReleaseFacts:
    """What is known of a release, on the index or taken off it."""

    version: Mapped[str] = mapped_column(String(64))  # canonical PEP 440
    version_key: Mapped[bytes] = mapped_column(LargeBinary(256))  # sorts as the version does
    is_prerelease: Mapped[bool]
    created_at: Mapped[datetime]
    uploaded_by_id: Mapped[int | None] = mapped_column(ForeignKey("user.id", ondelete="SET NULL"))
    summary: Mapped[str] = mapped_column(String(512), default="")
    requires_python: Mapped[str | None] = mapped_column(String(255))
    description_html: Mapped[str] = mapped_column(Text, default="")  # rendered and sanitised once, at upload
    core_metadata: Mapped[dict[str, Any]] = mapped_column(JSON)  # Any: the metadata's JSON form (PEP 566), as parsed
    yanked_at: Mapped[datetime | None]
    yanked_reason: Mapped[str | None] = mapped_column(String(255))


class FileFacts:
    """What is known of a file, on the index or taken off it."""

    kind: Mapped[str] = mapped_column(String(16))  # bdist_wheel or sdist, as uploaders say it
    tags: Mapped[str] = mapped_column(String(255))  # in words: "Wheel for any Python 3"
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[str] = mapped_column(String(64), index=True)
    blake2_256: Mapped[str] = mapped_column(String(64))
    metadata_sha256: Mapped[str | None] = mapped_column(String(64))  # of the wheel's METADATA, itself a blob
    requires_python: Mapped[str | None] = mapped_column(String(255))
    uploaded_at: Mapped[datetime] = mapped_column(index=True)
    uploaded_with: Mapped[str] = mapped_column(String(255), default="")  # the client's user agent
    # The CI job that published it, by title, ref and sha; None for an API token.
    publisher: Mapped[dict[str, str] | None] = mapped_column(JSON(none_as_null=True))


class Release(ReleaseFacts, Base):
    """One version of a project, described by the metadata of its first file."""

    __tablename__ = "release"
    __table_args__ = (
        Index("uq_release_project_id_version", "project_id", "version", unique=True),
        Index("uq_release_project_id_version_key", "project_id", "version_key", unique=True),
    )

    id: Mapped[Id]
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id", ondelete="CASCADE"), index=True)

    project: Mapped[Project] = relationship()
    uploaded_by: Mapped[User | None] = relationship(foreign_keys="Release.uploaded_by_id")
    files: Mapped[list["File"]] = relationship(
        back_populates="release", order_by="File.filename", cascade="all, delete-orphan", passive_deletes=True
    )

    @property
    def publisher(self) -> dict[str, str] | None:
        """The CI job that published its first file; None for an API token."""
        first = min(self.files, key=lambda file: file.uploaded_at, default=None)
        return first.publisher if first is not None else None


class File(FileFacts, Base):
    """A wheel or sdist. Its bytes are a blob, found by sha256."""

    __tablename__ = "file"

    id: Mapped[Id]
    release_id: Mapped[int] = mapped_column(ForeignKey("release.id", ondelete="CASCADE"), index=True)
    filename: Mapped[str] = mapped_column(String(255), unique=True)

    release: Mapped[Release] = relationship(back_populates="files")

    @property
    def path(self) -> str:
        """Where the file is downloaded, from the root of the site."""
        return download_path(self.sha256, self.filename)


class DeletedRelease(ReleaseFacts, Base):
    """A release, or some files of one, taken off the index and kept for a while so that an owner can put it back.

    No page and no installer reads this table: what stands here is not on the index.
    """

    __tablename__ = "deleted_release"

    id: Mapped[Id]
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id", ondelete="CASCADE"), index=True)
    deleted_at: Mapped[datetime] = mapped_column(index=True)
    deleted_by_id: Mapped[int | None] = mapped_column(ForeignKey("user.id", ondelete="SET NULL"))

    project: Mapped[Project] = relationship()
    deleted_by: Mapped[User | None] = relationship(foreign_keys="DeletedRelease.deleted_by_id")
    files: Mapped[list["DeletedFile"]] = relationship(
        order_by="DeletedFile.filename", cascade="all, delete-orphan", passive_deletes=True
    )


class DeletedFile(FileFacts, Base):
    """A file of what was taken off the index."""

    __tablename__ = "deleted_file"

    id: Mapped[Id]
    deleted_release_id: Mapped[int] = mapped_column(ForeignKey("deleted_release.id", ondelete="CASCADE"), index=True)
    filename: Mapped[str] = mapped_column(String(255), unique=True)


class DeletedFilename(Base):
    """A name that was once downloaded and can never mean other bytes."""

    __tablename__ = "deleted_filename"

    filename: Mapped[str] = mapped_column(String(255), primary_key=True)
    deleted_at: Mapped[datetime]
