"""The simple index as bytes: PEP 503 HTML and PEP 691 JSON of one project, or of all of them."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from html import escape
from typing import NamedTuple

import orjson

from domain.index.preferences import weight, wishes

API_VERSION = "1.4"  # PEP 700 sizes and times, PEP 714 core-metadata, PEP 792 project-status


class Format(Enum):
    """What a client can be answered with; the value is the content type."""

    JSON = "application/vnd.pypi.simple.v1+json"
    HTML = "application/vnd.pypi.simple.v1+html"
    PLAIN_HTML = "text/html"

    @property
    def kept_as(self) -> str:
        """The word under which such a page is kept: the two of HTML are one."""
        return "json" if self is Format.JSON else "html"


class SimpleFile(NamedTuple):
    """A file as installers see it; a tuple, because a project may have thousands.

    url: where it is downloaded; relative addresses are allowed (PEP 503).
    metadata_sha256: of the METADATA beside it, if there is one (PEP 714).
    yanked_reason: None if it is not yanked, else why, which may be empty (PEP 592).
    """

    filename: str
    version: str
    url: str
    sha256: str
    size_bytes: int
    uploaded_at: datetime
    requires_python: str | None = None
    metadata_sha256: str | None = None
    yanked_reason: str | None = None


@dataclass(frozen=True)
class Rendered:
    """A page ready to be sent. etag: strong, with its quotes."""

    body: bytes
    etag: str


def project_json(name: str, files: Sequence[SimpleFile], *, status: str = "active") -> Rendered:
    """A project's page as JSON. name: normalised. files: by version, the oldest first. status: PEP 792's word."""
    page = {
        "meta": {"api-version": API_VERSION},
        "name": name,
        "project-status": {"status": status},
        "versions": list(dict.fromkeys(file.version for file in files)),
        "files": [_file_facts(file) for file in files],
    }
    return _rendered(orjson.dumps(page))


def project_html(name: str, files: Sequence[SimpleFile], *, status: str = "active") -> Rendered:
    """The same as HTML, in the form that PEP 833 froze."""
    lines = [_anchor(file) for file in files]
    marker = f'<meta name="pypi:project-status" content="{escape(status)}">'
    return _rendered(_page(f"Links for {name}", marker, lines))


def index_json(names: Sequence[tuple[str, str]]) -> Rendered:
    """All projects as JSON. names: (normalised, as its owner spells it)."""
    page = {"meta": {"api-version": API_VERSION}, "projects": [{"name": shown} for _, shown in names]}
    return _rendered(orjson.dumps(page))


def index_html(names: Sequence[tuple[str, str]]) -> Rendered:
    """All projects as HTML. names: (normalised, as its owner spells it)."""
    lines = [f'<a href="/simple/{escape(normalized)}/">{escape(shown)}</a><br>' for normalized, shown in names]
    return _rendered(_page("Simple index", "", lines))


def negotiate(accept: str | None) -> Format:
    """The format that a client prefers by its Accept header (RFC 9110 §12.5.1, PEP 691); HTML where none fits.

    Never raises: what cannot be read counts as absent. Of two equal wishes JSON wins, as the smaller one.
    """
    wished = wishes(accept or "*/*")
    best, best_quality = Format.PLAIN_HTML, 0.0
    for candidate in (Format.JSON, Format.HTML, Format.PLAIN_HTML):
        quality = weight(_names(candidate), wished) or 0.0
        if quality > best_quality:
            best, best_quality = candidate, quality
    only_wildcards = all("*" in media_type for media_type, _ in wished)
    return Format.PLAIN_HTML if only_wildcards else best


def _names(candidate: Format) -> list[str]:
    """What a format goes by, the most exact name first."""
    names = [candidate.value, candidate.value.partition("/")[0] + "/*", "*/*"]
    if candidate is Format.JSON:
        names.insert(1, "application/vnd.pypi.simple.latest+json")
    elif candidate is Format.HTML:
        names.insert(1, "application/vnd.pypi.simple.latest+html")
    return names


def _file_facts(file: SimpleFile) -> dict[str, object]:
    metadata = {"sha256": file.metadata_sha256} if file.metadata_sha256 else False
    facts: dict[str, object] = {
        "filename": file.filename,
        "url": file.url,
        "hashes": {"sha256": file.sha256},
        "size": file.size_bytes,
        "upload-time": file.uploaded_at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z",
        "core-metadata": metadata,
        "data-dist-info-metadata": metadata,  # the older name that pip before 23.2 reads
        "yanked": False if file.yanked_reason is None else file.yanked_reason or True,
    }
    if file.requires_python:
        facts["requires-python"] = file.requires_python
    return facts


def _anchor(file: SimpleFile) -> str:
    marks = [f'href="{escape(file.url)}#sha256={file.sha256}"']
    if file.requires_python:
        marks.append(f'data-requires-python="{escape(file.requires_python)}"')
    if file.metadata_sha256:
        digest = f"sha256={file.metadata_sha256}"
        marks.append(f'data-core-metadata="{digest}" data-dist-info-metadata="{digest}"')
    if file.yanked_reason is not None:
        marks.append(f'data-yanked="{escape(file.yanked_reason)}"')
    return f"<a {' '.join(marks)}>{escape(file.filename)}</a><br>"


def _page(title: str, head: str, lines: Sequence[str]) -> bytes:
    version = f'<meta name="pypi:repository-version" content="{API_VERSION}">'
    start = f'<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n{version}\n{head}\n'
    body = "\n".join(lines)
    return f"{start}<title>{escape(title)}</title>\n</head>\n<body>\n{body}\n</body>\n</html>\n".encode()


def _rendered(body: bytes) -> Rendered:
    return Rendered(body, etag_of(body))


def etag_of(body: bytes) -> str:
    """A strong ETag, with its quotes: other bytes have another one."""
    return f'"{hashlib.sha256(body).hexdigest()[:32]}"'
