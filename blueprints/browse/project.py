"""A project and its releases, for people."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlsplit

from flask import abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from blueprints import reading, wiring
from blueprints.browse import bp
from blueprints.browse.download_chart import Chart, chart
from blueprints.gate import for_readers
from domain.index import catalogue, downloads, projects, releases
from models import Project, Release, db

TABS = ("description", "files", "history", "dependencies", "downloads")
DOWNLOAD_DAYS = 90
OTHERS = 3  # releases named below the files
MAX_LICENCE = 60  # characters; some packages put the whole text there
Metadata = Mapping[str, Any]  # Any: core metadata as JSON


@dataclass(frozen=True)
class Downloads:
    """What the page says of downloads. first, last: the days that are shown, in UTC. by_day: newest first."""

    first: date
    last: date
    days: int
    total: int
    chart: Chart
    by_day: list[tuple[date, int]]
    versions: list[tuple[str, int]]


@bp.get("/project/<name>/")
@for_readers()
def project(name: str) -> ResponseReturnValue:
    """Show the latest release of a project, or that its name is only reserved."""
    found = _project(name)
    if name != found.normalized_name:
        return redirect(url_for("browse.project", name=found.normalized_name, tab=request.args.get("tab")), 301)
    shown = releases.newest(db.session(), found)
    if shown is None:
        return render_template("browse/reserved.html", project=found, people=catalogue.people(db.session(), found))
    return _page(found, shown, requirement=found.name)


@bp.get("/project/<name>/<version>/")
@for_readers()
def release(name: str, version: str) -> ResponseReturnValue:
    """Show one release."""
    found = _project(name)
    shown = releases.find(db.session(), found, version)
    if shown is None:
        abort(404)
    if (name, version) != (found.normalized_name, shown.version):
        name, version, tab = found.normalized_name, shown.version, request.args.get("tab")
        return redirect(url_for("browse.release", name=name, version=version, tab=tab), 301)
    return _page(found, shown, requirement=f"{found.name}=={shown.version}")


def _project(name: str) -> Project:
    """The project of this name; 404 if there is none for whoever asks."""
    found = projects.find(db.session(), name)
    return found if found is not None and reading.may_read(found) else abort(404)


def _page(project: Project, release: Release, *, requirement: str) -> ResponseReturnValue:
    """requirement: what an installer is asked for."""
    tab = request.args.get("tab", TABS[0])
    if tab not in TABS:
        abort(404)
    metadata = release.core_metadata
    before, most = (request.args.get("before"), releases.PAGE) if tab == "history" else (None, OTHERS + 1)
    history = catalogue.history(db.session(), project, before=before, most=most)
    return render_template(
        "browse/project.html",
        project=project,
        release=release,
        tab=tab,
        history=history,
        release_count=releases.count(db.session(), project),
        others=[line for line in history.lines if line.version != release.version][:OTHERS],
        newest=releases.newest(db.session(), project),
        people=catalogue.people(db.session(), project),
        dependencies=catalogue.dependencies(db.session(), metadata.get("requires_dist", []), among=reading.visible()),
        links=[(label, url) for label, url in metadata.get("project_urls", {}).items() if _is_web_address(url)],
        licence=_licence(metadata),
        python=_python_in_words(release.requires_python),
        classifiers=metadata.get("classifiers", []),
        keywords=metadata.get("keywords", []),
        requirement=requirement,
        downloads=_downloads(project) if tab == "downloads" else None,
    )


def _downloads(project: Project) -> Downloads:
    last = wiring.now().date()
    first = last - timedelta(days=DOWNLOAD_DAYS - 1)
    counts = downloads.by_day(db.session(), project, since=first)
    return Downloads(
        first=first,
        last=last,
        days=DOWNLOAD_DAYS,
        total=sum(counts.values()),
        chart=chart(counts, first=first, days=DOWNLOAD_DAYS),
        by_day=sorted(counts.items(), reverse=True),
        versions=downloads.by_version(db.session(), project, since=first),
    )


def _is_web_address(url: str) -> bool:
    """Asked again where the link is written: `javascript:` in it would act in our visitor's name."""
    return urlsplit(url).scheme in {"http", "https"}


def _licence(metadata: Metadata) -> str | None:
    """The licence in a word: the expression, else the classifier, else a free text if it is short."""
    if expression := metadata.get("license_expression"):
        return str(expression)
    named = [each.rpartition(" :: ")[2] for each in metadata.get("classifiers", []) if each.startswith("License ::")]
    free_text = str(metadata.get("license", ""))
    return ", ".join(named) or (free_text if len(free_text) <= MAX_LICENCE else None) or None


def _python_in_words(specifier: str | None) -> str | None:
    """`>=3.10` is "3.10 and newer"; anything more involved stays as it is written."""
    least = re.fullmatch(r">=\s*([0-9.]+)", specifier or "")
    return f"{least[1]} and newer" if least else specifier
