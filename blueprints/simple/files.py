"""`/packages/…`: the files themselves, and the metadata beside them."""

from flask import Response, request, send_file
from flask.typing import ResponseReturnValue

from adapters.storage import key_of
from blueprints import reading, wiring
from blueprints.caller import Channel
from blueprints.gate import for_readers
from blueprints.machine_answers import machine_refusal
from blueprints.simple import bp
from blueprints.simple.kept import OCTETS, headers_of_file, is_address
from domain.index import quick_reads
from domain.index.downloads import Key
from domain.index.quick_reads import KnownFile
from models import db


@bp.get("/packages/<first>/<second>/<rest>/<filename>")
@for_readers(Channel.MACHINE)
def file(first: str, second: str, rest: str, filename: str) -> ResponseReturnValue:
    """Send a file, and count it where all of it is sent. Its address names its digest and its name, and both must be
    those of one row."""
    sha256 = first + second + rest
    found = _find(sha256, filename)
    if found is None:
        return _not_here()
    response = _by_cloud(sha256, is_private=found.is_private) or _send(sha256, filename)
    if request.method == "GET" and response.status_code in (200, 302) and "Range" not in request.headers:
        wiring.services().downloads.add(Key(found.project_id, wiring.now().date(), found.version))
    return _by_proxy(response, sha256)


@bp.get("/packages/<first>/<second>/<rest>/<filename>.metadata")
@for_readers(Channel.MACHINE)
def file_metadata(first: str, second: str, rest: str, filename: str) -> ResponseReturnValue:
    """Send a wheel's METADATA, for installers that resolve without downloading (PEP 658)."""
    found = _find(first + second + rest, filename)
    if found is None or found.metadata_sha256 is None:
        return _not_here()
    return _by_proxy(_send(found.metadata_sha256, f"{filename}.metadata"), found.metadata_sha256)


def _find(sha256: str, filename: str) -> KnownFile | None:
    """What is known of the file of this digest and name; None if there is none for whoever asks."""
    if not is_address(sha256, filename):
        return None
    found = quick_reads.find_file(db.engine, filename, sha256)
    if found is None or (found.is_private and not reading.may_read_private(found.project_id, Channel.MACHINE)):
        return None
    return found


def _not_here() -> Response:
    return reading.not_here(machine_refusal(404, "There is no such file on this index.", code="no_file"))


def _send(sha256: str, name: str) -> Response:
    """A blob that never changes: it may be kept for ever, and read in parts."""
    store = wiring.services().store
    path = store.local_path(sha256)
    if path is not None:
        response = send_file(path, OCTETS, as_attachment=True, download_name=name, etag=sha256)
    else:
        blob = store.open(sha256)
        response = Response(blob)
        response.content_length = blob.size_bytes
        response.set_etag(sha256)
        response.make_conditional(request, accept_ranges=True, complete_length=blob.size_bytes)
    response.headers.update(headers_of_file(name, sha256))
    return response


def _by_cloud(sha256: str, *, is_private: bool) -> Response | None:
    """To where the cloud itself sends the file for a while, if the operator wants that; whoever was let in here needs
    no credentials there."""
    valid_for = wiring.services().signed_for
    if valid_for is None or request.method != "GET" or "If-None-Match" in request.headers:
        return None
    address = wiring.services().store.signed_url(sha256, valid_for)
    half = int(valid_for.total_seconds()) // 2
    kept = "private, no-store" if is_private else f"public, max-age={half}"
    headers = {"Location": address, "Cache-Control": kept}
    return Response(f"{address}\n", status=302, headers=headers, mimetype="text/plain")


def _by_proxy(response: Response, sha256: str) -> Response:
    """The answer as it is; where a proxy sends the files, one that has it send this one under the same headers.

    Ranges are the proxy's then. What If-Match asks for it could not compare, since it makes another ETag.
    """
    prefix = wiring.services().accel_prefix
    if not prefix or response.status_code not in (200, 206) or "If-Match" in request.headers:
        return response
    response.close()
    handed = Response(headers=response.headers)
    for name in ("Accept-Ranges", "Content-Length", "Content-Range"):
        del handed.headers[name]
    handed.headers["X-Accel-Redirect"] = prefix + key_of(sha256)
    return handed
