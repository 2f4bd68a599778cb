"""The words by which a project is found, kept in step with its latest release."""

import re
import unicodedata
from collections.abc import Mapping
from html.parser import HTMLParser
from typing import Any

from sqlalchemy import delete, insert
from sqlalchemy.orm import Session

from models import Project, PythonVersion, Release, SearchText

MAX_DESCRIPTION = 100_000  # characters of it that are searched; PostgreSQL takes no more than a megabyte of words
_NO_WORD = re.compile(r"[\W_]+")
_PYTHON = re.compile(r"Programming Language :: Python :: (\d+\.\d+)")


def refresh(db: Session, project: Project, release: Release | None) -> None:
    """Take the words of a project anew, in the transaction that changed it. release: its latest; None for none."""
    metadata: Mapping[str, Any] = release.core_metadata if release is not None else {}  # Any: metadata as JSON
    html = release.description_html if release is not None else ""
    kept = db.get(SearchText, project.id)
    if kept is None:
        kept = SearchText(project_id=project.id)
        db.add(kept)
    for column, text in texts_of(project.name, project.summary, metadata, html).items():
        setattr(kept, column, text)
    db.execute(delete(PythonVersion).where(PythonVersion.project_id == project.id))
    if versions := pythons_of(metadata):
        db.execute(insert(PythonVersion), [{"project_id": project.id, "version": version} for version in versions])
    db.flush()


def texts_of(name: str, summary: str, metadata: Mapping[str, Any], description_html: str) -> dict[str, str]:
    """The words of a project by column. metadata: core metadata as JSON (PEP 566)."""
    topics = [*metadata.get("keywords", []), *metadata.get("classifiers", [])]
    return {
        "name": words(name),
        "summary": words(summary),
        "keywords": words(" ".join(topics)),
        "description": words(_Text(description_html).text[:MAX_DESCRIPTION]),
    }


def pythons_of(metadata: Mapping[str, Any]) -> list[str]:
    """The Python versions that the classifiers name, such as "3.12"."""
    found = {match[1] for text in metadata.get("classifiers", []) if (match := _PYTHON.fullmatch(text))}
    return sorted(found)


def words(text: str) -> str:
    """Letters and digits in lower case and without accents, with a space for whatever stands between them: both
    databases and the query take words apart in just this way."""
    plain = "".join(sign for sign in unicodedata.normalize("NFKD", text) if not unicodedata.combining(sign))
    return _NO_WORD.sub(" ", plain.casefold()).strip()


class _Text(HTMLParser):
    """What a rendered description says, without its marks."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self._pieces: list[str] = []
        self.feed(html)
        self.close()

    def handle_data(self, data: str) -> None:
        self._pieces.append(data)

    @property
    def text(self) -> str:
        return " ".join(self._pieces)
