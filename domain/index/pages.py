"""A project's simple pages, rendered when it changes and kept ready to be sent."""

from collections.abc import Mapping
from datetime import datetime
from operator import itemgetter

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from domain.index import page_changes, releases, search_texts, simple
from domain.index.codings import PACKED, encode
from domain.index.simple import Rendered, SimpleFile
from models import File, PackedPage, Project, Release, SimplePage, insert_into
from models.release import download_path


def changed(db: Session, project: Project, *, now: datetime) -> None:
    """The project's releases or files are others now: what is shown of it follows, in the same transaction."""
    db.flush()
    newest = releases.newest(db, project)
    project.updated_at = now
    project.summary = newest.summary if newest is not None else ""
    _refresh(db, project, newest)


def refresh(db: Session, project: Project) -> None:
    """Render the project's pages anew, and take the words that it is found by, in the transaction that changed it:
    readers see all of it or nothing."""
    db.flush()
    _refresh(db, project, releases.newest(db, project))


def _refresh(db: Session, project: Project, newest: Release | None) -> None:
    html, json = render(db, project)
    page = {"html": html.body, "html_etag": html.etag, "json": json.body, "json_etag": json.etag}
    kept = insert_into(db, SimplePage).values(project_id=project.id, **page)
    db.execute(kept.on_conflict_do_update(index_elements=["project_id"], set_=page))
    _pack(db, project.id, {"json": json.body, "html": html.body})
    search_texts.refresh(db, project, newest)
    page_changes.remember(db, project.normalized_name)


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
    """By version, then by name. By columns, not objects: a project may have thousands of files."""
    columns = (
        Release.version_key,
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
    rows = db.execute(select(*columns).join(File.release).where(Release.project_id == project_id))
    return [
        SimpleFile(
            filename=filename,
            version=version,
            url=download_path(sha256, filename),
            sha256=sha256,
            size_bytes=size_bytes,
            uploaded_at=uploaded_at,
            requires_python=requires_python,
            metadata_sha256=metadata_sha256,
            yanked_reason=None if yanked_at is None else yanked_reason or "",
        )
        for (
            _,
            filename,
            version,
            sha256,
            size_bytes,
            uploaded_at,
            requires_python,
            metadata_sha256,
            yanked_at,
            yanked_reason,
        ) in sorted(rows, key=itemgetter(0, 1))
    ]
