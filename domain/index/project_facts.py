"""A project and its files as facts for programs: the JSON form that PyPI has for them."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from domain.index import collaborators, releases
from domain.index.filenames import FileKind
from models import File, Project, Release
from models.release import download_path

Facts = dict[str, Any]  # Any: JSON
TEXTS = (
    "author", "author_email", "description", "description_content_type", "download_url", "home_page", "license",
    "license_expression", "maintainer", "maintainer_email", "metadata_version", "summary",
)  # fmt: skip
LISTS = ("classifiers", "dynamic", "license_files", "provides_extra", "requires_dist")
COLUMNS = (
    Release.version,
    File.filename,
    File.kind,
    File.sha256,
    File.blake2_256,
    File.size_bytes,
    File.uploaded_at,
    File.requires_python,
    Release.yanked_at,
    Release.yanked_reason,
)


def of_project(db: Session, project: Project, *, public_url: str) -> Facts | None:
    """What `/pypi/<name>/json` says: the newest release, its files, and the files of all releases by version; None
    where nothing was published. public_url: the origin of this index. Five statements, however many releases."""
    newest = releases.newest(db, project)
    if newest is None:
        return None
    by_version: dict[str, list[Facts]] = {version: [] for version in _versions(db, project)}
    for row in _files(db, project):
        by_version[row.version].append(_file(row, public_url))
    facts = _facts(db, project, newest, by_version[newest.version], public_url)
    return {**facts, "releases": by_version}


def of_release(db: Session, release: Release, *, public_url: str) -> Facts:
    """What `/pypi/<name>/<version>/json` says: one release and its files."""
    files = [_file(row, public_url) for row in _files(db, release.project, release)]
    return _facts(db, release.project, release, files, public_url)


def _versions(db: Session, project: Project) -> list[str]:
    return list(
        db.scalars(select(Release.version).where(Release.project_id == project.id).order_by(Release.version_key))
    )


def _files(db: Session, project: Project, release: Release | None = None) -> Iterable[Row[Any]]:
    found = select(*COLUMNS).join(Release, File.release_id == Release.id).where(Release.project_id == project.id)
    if release is not None:
        found = found.where(Release.id == release.id)
    return db.execute(found.order_by(File.filename))


def _facts(db: Session, project: Project, release: Release, files: list[Facts], public_url: str) -> Facts:
    owners = collaborators.of_project(db, project)
    organization = project.organization
    return {
        "info": _info(project, release, public_url),
        "urls": files,
        "vulnerabilities": [],
        "ownership": {
            "organization": organization.name if organization is not None else None,
            "roles": [{"user": part.user.username, "role": part.role.capitalize()} for part in owners],
        },
    }


def _info(project: Project, release: Release, public_url: str) -> Facts:
    metadata = release.core_metadata
    page = f"{public_url}/project/{project.normalized_name}/"
    return {
        **{name: metadata.get(name) for name in TEXTS},
        **{name: metadata.get(name) or None for name in LISTS},
        "classifiers": metadata.get("classifiers", []),
        "keywords": ",".join(metadata.get("keywords", [])) or None,
        "name": project.name,
        "package_url": page,
        "project_url": page,
        "project_urls": metadata.get("project_urls") or None,
        "release_url": f"{page}{release.version}/",
        "requires_python": release.requires_python,
        "version": release.version,
        "yanked": release.yanked_at is not None,
        "yanked_reason": release.yanked_reason or None,
    }


def _file(row: Row[Any], public_url: str) -> Facts:
    at: datetime = row.uploaded_at.astimezone(UTC)
    return {
        "comment_text": "",
        "digests": {"blake2b_256": row.blake2_256, "sha256": row.sha256},
        "filename": row.filename,
        "has_sig": False,
        "packagetype": row.kind,
        "python_version": _python_version(row.filename, row.kind),
        "requires_python": row.requires_python,
        "size": row.size_bytes,
        "upload_time": f"{at:%Y-%m-%dT%H:%M:%S}",
        "upload_time_iso_8601": f"{at:%Y-%m-%dT%H:%M:%S.%fZ}",
        "url": f"{public_url}{download_path(row.sha256, row.filename)}",
        "yanked": row.yanked_at is not None,
        "yanked_reason": row.yanked_reason or None,
    }


def _python_version(filename: str, kind: str) -> str:
    """ "source", or the Python tag of a wheel (PEP 427)."""
    return "source" if kind == FileKind.SDIST.value else filename.removesuffix(".whl").split("-")[-3]
