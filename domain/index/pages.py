"""A project's simple pages, rendered when it changes and kept ready to be sent."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from domain.index import releases, search_texts, simple
from domain.index.codings import PACKED, encode
from domain.index.simple import Rendered, SimpleFile
from models import File, PackedPage, Project, Release, SimplePage
from models.release import download_path


def changed(db: Session, project: Project, *, now: datetime) -> None:
    """The project's releases or files are others now: what is shown of it follows, in the same transaction."""
    db.flush()
    project.updated_at = now
    project.summary = releases.summary_of(db, project)
    refresh(db, project)


def refresh(db: Session, project: Project) -> None:
    """Render the project's pages anew, and take the words that it is found by, in the transaction that changed it:
    readers see all of it or nothing."""
    db.flush()
    html, json = render(db, project)
    page = db.get(SimplePage, project.id)
    if page is None:
        page = SimplePage(project_id=project.id)
        db.add(page)
    page.html, page.html_etag = html.body, html.etag
    page.json, page.json_etag = json.body, json.etag
    _pack(db, project.id, {"json": json.body, "html": html.body})
    search_texts.refresh(db, project)


def render(db: Session, project: Project) -> tuple[Rendered, Rendered]:
    """The project's page in HTML and in JSON, from what is there now."""
    files = _files_of(db, project.id)
    name, status = project.normalized_name, project.status
    return simple.project_html(name, files, status=status), simple.project_json(name, files, status=status)


def _pack(db: Session, project_id: int, bodies: Mapping[str, bytes]) -> None:
    """Keep the pages in each coding beside them."""
    db.execute(delete(PackedPage).where(PackedPage.project_id == project_id))
    packed = [(form, coding, encode(body, coding)) for form, body in bodies.items() for coding in PACKED]
    rows = [
        {"project_id": project_id, "form": form, "coding": coding.value, "etag": page.etag, "body": page.body}
        for form, coding, page in packed
    ]
    db.execute(insert(PackedPage), rows)


def _files_of(db: Session, project_id: int) -> list[SimpleFile]:
    """By columns, not objects: a project may have thousands of files."""
    rows = db.execute(
        select(
            File.filename,
            Release.version,
            File.sha256,
            File.size_bytes,
            File.uploaded_at,
            File.requires_python,
            File.metadata_sha256,
            Release.yanked_at,
            Release.yanked_reason,
        )
        .join(Release, File.release_id == Release.id)
        .where(Release.project_id == project_id)
    )
    return [
        SimpleFile(
            filename=row.filename,
            version=row.version,
            url=download_path(row.sha256, row.filename),
            sha256=row.sha256,
            size_bytes=row.size_bytes,
            uploaded_at=row.uploaded_at,
            requires_python=row.requires_python,
            metadata_sha256=row.metadata_sha256,
            yanked_reason=None if row.yanked_at is None else row.yanked_reason or "",
        )
        for row in rows
    ]
