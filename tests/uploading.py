"""Sends files as uploading tools do."""

import hashlib
import io
from base64 import b64encode
from typing import Any

import sqlalchemy as sa
from flask import Flask, has_app_context
from werkzeug.datastructures import FileStorage
from werkzeug.test import TestResponse, encode_multipart

from models import KeptPage, db
from tests.browsing import wiring_of
from tests.packages import Package

TWINE = "twine/7.0.0 requests/2.34.2 CPython/3.11.7"


def fields_of(package: Package, **changes: str | None) -> dict[str, str]:
    """The form as twine fills it in; a change to None leaves the field out. `action` is `:action`."""
    stem = package.filename.removesuffix(".tar.gz").removesuffix(".whl").split("-")
    is_wheel = package.filename.endswith(".whl")
    fields: dict[str, str | None] = {
        "action": "file_upload",
        "protocol_version": "1",
        "metadata_version": "2.4",
        "name": stem[0].replace("_", "-"),
        "version": stem[1],
        "filetype": "bdist_wheel" if is_wheel else "sdist",
        "pyversion": "py3" if is_wheel else "source",
        "sha256_digest": package.sha256,
        "blake2_256_digest": hashlib.blake2b(package.content, digest_size=32).hexdigest(),
        **changes,
    }
    kept = {name: value for name, value in fields.items() if value is not None}
    return {":action" if name == "action" else name: value for name, value in kept.items()}


def authorized(token: str, username: str = "__token__") -> dict[str, str]:
    """Basic credentials and the name of a client."""
    credentials = b64encode(f"{username}:{token}".encode()).decode()
    return {"Authorization": f"Basic {credentials}", "User-Agent": TWINE}


def body_of(package: Package, **changes: str | None) -> tuple[bytes, str]:
    """The whole body and its content type; keywords change the form as in `fields_of`."""
    content = FileStorage(io.BytesIO(package.content), package.filename)
    boundary, body = encode_multipart({**fields_of(package, **changes), "content": content})
    return body, f"multipart/form-data; boundary={boundary}"


def upload(
    app: Flask, token: str | None, package: Package, *, accept: str = "*/*", **changes: str | None
) -> TestResponse:
    """Send a file with a token, or without credentials for None; keywords change the form as in `fields_of`."""
    body, content_type = body_of(package, **changes)
    headers = {"Accept": accept, **(authorized(token) if token is not None else {})}
    return post(app, data=body, content_type=content_type, headers=headers)


def post(app: Flask, *, environ: dict[str, Any] | None = None, **request: Any) -> TestResponse:
    """Send any request to the upload address, in a context of its own.

    environ: what the server would say otherwise (Any, as in WSGI). request: whatever the test client takes.
    """
    if has_app_context():
        db.session.rollback()  # a test that still reads would hold the lock
    base_url = f"http://{wiring_of(app).site.host}"
    with app.app_context():
        overrides = {"REMOTE_ADDR": "198.51.100.9", **(environ or {})}
        return app.test_client().post("/legacy/", base_url=base_url, environ_overrides=overrides, **request)


def kept_page(form: str) -> bytes:
    """What is kept of the only project's simple page, unpacked. form: "html" or "json"."""
    page = sa.select(KeptPage.body).where(KeptPage.form == form, KeptPage.coding == "identity")
    return db.session.scalars(page).one()
