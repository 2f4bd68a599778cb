"""What is new on the index: releases and projects, the newest first."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from models import Project, Release

MOST = 40


@dataclass(frozen=True)
class Item:
    """Something new. version: None for a project that has just come into being."""

    name: str
    normalized_name: str
    version: str | None
    summary: str
    at: datetime


def new_releases(db: Session, among: ColumnElement[bool], *, most: int = MOST) -> list[Item]:
    """The releases that were published last, of the projects that the condition lets through."""
    found = select(Project.name, Project.normalized_name, Release.version, Release.summary, Release.created_at)
    found = found.join(Release, Release.project_id == Project.id).where(among)
    newest_first = found.order_by(Release.created_at.desc(), Release.id.desc()).limit(most)
    return [Item(*row) for row in db.execute(newest_first)]


def new_projects(db: Session, among: ColumnElement[bool], *, most: int = MOST) -> list[Item]:
    """The projects whose first release came last, of those that the condition lets through; names that are only
    reserved are left out."""
    is_released = select(Release.id).where(Release.project_id == Project.id).exists()
    newest = (
        select(Project).where(is_released, among).order_by(Project.created_at.desc(), Project.id.desc()).limit(most)
    )
    return [
        Item(project.name, project.normalized_name, None, project.summary, project.created_at)
        for project in db.scalars(newest)
    ]
