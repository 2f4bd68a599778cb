"""RSS 2.0 feeds of what is new (https://www.rssboard.org/rss-specification)."""

import hashlib
import re
from collections.abc import Sequence
from email.utils import format_datetime
from xml.etree.ElementTree import Element, SubElement, tostring

from flask import Response, request, url_for
from flask.typing import ResponseReturnValue

from blueprints import reading, wiring
from blueprints.api import bp
from blueprints.caller import Channel
from blueprints.gate import for_readers
from blueprints.headers import SANDBOX
from blueprints.machine_answers import machine_refusal, moved
from domain.index import news, projects
from domain.index.news import Item
from models import Project, db

# What XML 1.0 cannot hold (§2.2); everything else of a text stays, spaces and joiners of all scripts too.
NOT_IN_XML = re.compile("[^\\t\\n\\r\\x20-\\ud7ff\\ue000-\\ufffd\\U00010000-\\U0010ffff]")


@bp.get("/rss/updates.xml")
@for_readers(Channel.MACHINE)
def updates() -> ResponseReturnValue:
    """The newest releases."""
    return _feed("newest releases", "/", news.new_releases(db.session(), reading.visible(Channel.MACHINE)))


@bp.get("/rss/packages.xml")
@for_readers(Channel.MACHINE)
def packages() -> ResponseReturnValue:
    """The newest projects."""
    return _feed("newest projects", "/", news.new_projects(db.session(), reading.visible(Channel.MACHINE)))


@bp.get("/rss/project/<name>/releases.xml")
@for_readers(Channel.MACHINE)
def project_releases(name: str) -> ResponseReturnValue:
    """The newest releases of one project."""
    project = projects.find(db.session(), name)
    if project is None or not reading.may_read(project, Channel.MACHINE):
        words = "There is no project of this name on this index."
        return reading.not_here(machine_refusal(404, words, code="no_project"))
    if name != project.normalized_name:
        return moved(url_for("api.project_releases", name=project.normalized_name))
    page = f"/project/{project.normalized_name}/"
    return _feed(f"releases of {project.name}", page, news.new_releases(db.session(), Project.id == project.id))


def _feed(what: str, path: str, items: Sequence[Item]) -> Response:
    """path: of the page that the feed goes with."""
    site = wiring.services().site
    rss = Element("rss", version="2.0")
    channel = SubElement(rss, "channel")
    _add(channel, title=f"{site.name}: {what}", link=f"{site.public_url}{path}")
    _add(channel, description=f"The {what} at {site.host}", language="en")
    for item in items:
        address = f"{site.public_url}/project/{item.normalized_name}/"
        title = item.name if item.version is None else f"{item.name} {item.version}"
        link = address if item.version is None else f"{address}{item.version}/"
        entry = SubElement(channel, "item")
        _add(entry, title=title, link=link, description=item.summary, guid=link, pubDate=format_datetime(item.at))
    body = tostring(rss, encoding="utf-8", xml_declaration=True)
    response = Response(body, mimetype="application/rss+xml")
    response.set_etag(hashlib.sha256(body).hexdigest()[:32])
    response.headers["Cache-Control"] = "public, no-cache"
    response.headers["Content-Security-Policy"] = SANDBOX
    response.make_conditional(request)
    return response


def _add(parent: Element, **texts: str) -> None:
    for name, text in texts.items():
        SubElement(parent, name).text = NOT_IN_XML.sub("", text)
