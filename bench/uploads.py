"""How long uploads take, sent as twine sends them: one file in a form, over a connection that is kept or a new one."""

import statistics
import subprocess
import tempfile
import time
from base64 import b64encode
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from io import BytesIO

from werkzeug.datastructures import FileStorage
from werkzeug.test import encode_multipart

from bench.load import LoadError
from bench.processes import Running, cpu_seconds
from tests.packages import Package

MOST_SECONDS = 15  # for one kind of upload; a slow server gets fewer
FEWEST = 20
READERS = 4
WALK = """\
local pages, at = {{{pages}}}, 0
request = function()
  at = at % #pages + 1
  return wrk.format("GET", pages[at])
end
"""


@dataclass(frozen=True)
class Desk:
    """Where files are handed in, and with which credentials."""

    path: str
    username: str
    password: str

    @property
    def authorization(self) -> str:
        return "Basic " + b64encode(f"{self.username}:{self.password}".encode()).decode()


@dataclass(frozen=True)
class Parcel:
    """A request that uploads one file."""

    content_type: str
    body: bytes


@dataclass(frozen=True)
class Uploads:
    """Times of uploads, one after another. cpu_ms: CPU time of the server for each."""

    p50_ms: float
    p95_ms: float
    cpu_ms: float


def parcel(name: str, version: str, wheel: Package) -> Parcel:
    """The form that twine fills in, without the description and other fields that no index needs."""
    fields = {
        ":action": "file_upload",
        "protocol_version": "1",
        "name": name,
        "version": version,
        "filetype": "bdist_wheel",
        "pyversion": "py3",
        "metadata_version": "2.4",
        "sha256_digest": wheel.sha256,
        "content": FileStorage(BytesIO(wheel.content), filename=wheel.filename),
    }
    boundary, body = encode_multipart(fields)
    return Parcel(f"multipart/form-data; boundary={boundary}", body)


def time_uploads(server: Running, desk: Desk, parcels: Sequence[Parcel], *, keeps_connection: bool) -> Uploads:
    """Send them one after another, as many as the time allows. Raises LoadError for one that is refused."""
    took: list[float] = []
    before, began = cpu_seconds(server.pid), time.perf_counter()
    connection = HTTPConnection("127.0.0.1", server.port, timeout=120)
    for each in parcels:
        if len(took) >= FEWEST and time.perf_counter() - began > MOST_SECONDS:
            break
        started = time.perf_counter()
        hand_in(connection, desk, each)
        if not keeps_connection:
            connection.close()
        took.append((time.perf_counter() - started) * 1_000)
    connection.close()
    cpu_ms = (cpu_seconds(server.pid) - before) / len(took) * 1_000
    return Uploads(statistics.median(took), statistics.quantiles(took, n=20)[-1], cpu_ms)


def hand_in(connection: HTTPConnection, desk: Desk, sent: Parcel) -> None:
    """Upload one file. Raises LoadError if it is refused."""
    headers = {"Content-Type": sent.content_type, "Authorization": desk.authorization, "User-Agent": "twine/7.0.0"}
    connection.request("POST", desk.path, sent.body, headers)
    answer = connection.getresponse()
    said = answer.read()
    if answer.status != 200:
        raise LoadError(f"upload to {desk.path}: {answer.status} {answer.reason} {said[:500]!r}")


@contextmanager
def readers(server: Running, pages: Sequence[str]) -> Iterator[None]:
    """Have four connections read these pages meanwhile, as fast as they are answered."""
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write(WALK.format(pages=", ".join(f'"{page}"' for page in pages)))
        script.flush()
        command = ["wrk", "-t1", f"-c{READERS}", "-d600s", "--timeout=60s", "-s", script.name, server.url]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        try:
            time.sleep(0.5)
            yield
            if process.poll() is not None:
                raise LoadError("wrk stopped reading")
        finally:
            process.kill()
            process.wait()
