"""`/pypi/<name>/json`: what PyPI's JSON says of a project, for programs that read it."""

import hashlib

import orjson
from flask import Response, request, url_for
from flask.typing import ResponseReturnValue

from blueprints import reading, wiring
from blueprints.api import bp
from blueprints.caller import Channel
from blueprints.gate import for_readers
from blueprints.headers import SANDBOX
from blueprints.machine_answers import moved
from domain.index import project_facts, projects, releases
from domain.index.project_facts import Facts
from models import db


@bp.get("/pypi/<name>/json/")
@bp.get("/pypi/<name>/json")
@for_readers(Channel.MACHINE)
def project_json(name: str) -> ResponseReturnValue:
    """The newest release of a project, and the files of all."""
    project = projects.find(db.session(), name)
    if project is None or not reading.may_read(project, Channel.MACHINE):
        return reading.not_here(_nothing())
    if name != project.normalized_name:
        return moved(url_for("api.project_json", name=project.normalized_name))
    return _answer(project_facts.of_project(db.session(), project, public_url=_origin()))


@bp.get("/pypi/<name>/<version>/json/")
@bp.get("/pypi/<name>/<version>/json")
@for_readers(Channel.MACHINE)
def release_json(name: str, version: str) -> ResponseReturnValue:
    """One release of a project."""
    project = projects.find(db.session(), name)
    if project is None or not reading.may_read(project, Channel.MACHINE):
        return reading.not_here(_nothing())
    release = releases.find(db.session(), project, version)
    if release is None:
        return _nothing()
    if (name, version) != (project.normalized_name, release.version):
        return moved(url_for("api.release_json", name=project.normalized_name, version=release.version))
    return _answer(project_facts.of_release(db.session(), release, public_url=_origin()))


def _origin() -> str:
    return wiring.services().site.public_url


def _answer(facts: Facts | None) -> Response:
    """As the simple pages: it may be kept, and is asked for again each time, which costs a 304."""
    if facts is None:
        return _nothing()
    body = orjson.dumps(facts)
    response = Response(body, mimetype="application/json")
    response.set_etag(hashlib.sha256(body).hexdigest()[:32])
    response.headers["Cache-Control"] = "public, no-cache"
    response.headers["Content-Security-Policy"] = SANDBOX
    response.make_conditional(request)
    return response


def _nothing() -> Response:
    response = Response(orjson.dumps({"message": "Not Found"}), status=404, mimetype="application/json")
    response.headers["Cache-Control"] = "no-store"
    return response
