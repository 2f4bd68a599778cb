"""A project's simple pages, rendered when it changes and kept ready to be sent."""

from datetime import datetime
from operator import itemgetter

from sqlalchemy import bindparam, delete, insert, select
from sqlalchemy.orm import Session

from domain.index import page_changes, releases, search_texts, simple
from domain.index.codings import Coding, decode, encode
from domain.index.simple import Rendered, SimpleFile
from models import File, KeptPage, Project, Release
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
    db.execute(delete(KeptPage).where(KeptPage.project_id == project.id))
    db.execute(insert(KeptPage), [*_rows(project.id, "html", html), *_rows(project.id, "json", json)])
    search_texts.refresh(db, project, newest)
    page_changes.remember(db, project.normalized_name)


def are_right(db: Session, project: Project) -> bool:
    """Whether what is kept says what is there, in every form and coding."""
    html, json = render(db, project)
    kept = select(KeptPage.form, KeptPage.coding, KeptPage.body).where(KeptPage.project_id == project.id)
    found = {(form, coding): decode(body, Coding(coding)) for form, coding, body in db.execute(kept)}
    plain = {"html": html.body, "json": json.body}
    return found == {(form, coding.value): body for form, body in plain.items() for coding in Coding}


def render(db: Session, project: Project) -> tuple[Rendered, Rendered]:
    """The project's page in HTML and in JSON, from what is there now."""
    files = _files_of(db, project.id)
    name, status = project.normalized_name, project.status
    return simple.project_html(name, files, status=status), simple.project_json(name, files, status=status)


def _rows(project_id: int, form: str, rendered: Rendered) -> list[dict[str, object]]:
    """The page in each coding."""
    page = {"project_id": project_id, "form": form}
    coded = [(coding, encode(rendered.body, coding)) for coding in Coding]
    return [{**page, "coding": coding.value, "etag": each.etag, "body": each.body} for coding, each in coded]


_FILES = (
    select(
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
    .join(File.release)
    .where(Release.project_id == bindparam("project_id"))
)


def _files_of(db: Session, project_id: int) -> list[SimpleFile]:
    """By version, then by name. By columns, not objects: a project may have thousands of files."""
    rows = db.execute(_FILES, {"project_id": project_id})
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
