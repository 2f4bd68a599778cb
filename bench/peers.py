"""devpi and pypiserver, as their manuals start them, with the same projects on them."""

import json
import shutil
import subprocess
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path

from bench import corpus, environments, figures, indexes, uploads
from bench.figures import Figures
from bench.indexes import Index, Start, say
from bench.load import LoadError
from bench.pages import HTML_ONLY, MANY, WITH_JSON, Page, Round, ask, simple_pages
from bench.processes import Running, free_port, memory_of_workers, running
from bench.uploads import Desk

USER, PASSWORD = "bench", "bench for measuring 9"
DEVPI, PYPISERVER, IN_DOCKER = "devpi", "pypiserver", "pypiserver, as in Docker"
DEVPI_INDEX = "/root/bench/"
HTPASSWD = """\
import sys
from passlib.apache import HtpasswdFile

people = HtpasswdFile(sys.argv[1], new=True)
people.set_password(sys.argv[2], sys.argv[3])
people.save()
"""
GUNICORN = "preload_app = True\nworkers = 1\nworker_class = 'gevent'\n"  # what the image of pypiserver says


def measure_devpi(folder: Path, rounds: Round) -> Figures:
    """devpi-server without devpi-web, which would slow uploads down, and with a login token in the password's place."""
    programs = environments.of_peer(DEVPI)
    kept = environments.FOLDER / DEVPI / "index"
    if not (kept / "loaded").exists():
        say("Loading devpi, once.")
        shutil.rmtree(kept, ignore_errors=True)
        _load_devpi(programs, kept)
    copy = Path(shutil.copytree(kept, folder / "devpi"))
    return _measure(DEVPI, lambda: _devpi(programs, copy), _devpi_index, rounds, has_json=True)


def measure_pypiserver(folder: Path, rounds: Round, *, in_docker: bool) -> Figures:
    """With the settings that it has when it is installed, or with those of its image."""
    name = IN_DOCKER if in_docker else PYPISERVER
    programs, place = environments.of_peer(PYPISERVER), folder / name
    packages = place / "packages"
    packages.mkdir(parents=True)
    for project, files in corpus.projects().items():
        for version, tag in files:
            corpus.wheel(project, version, tag=tag).write(packages)
    (place / "gunicorn.conf.py").write_text(GUNICORN)
    subprocess.run([programs / "python", "-c", HTPASSWD, place / "people", USER, PASSWORD], check=True)

    def start() -> Iterator[Running]:
        port = free_port()
        how = ["gunicorn", "--backend", "cached-dir"] if in_docker else ["wsgiref", "--backend", "simple-dir"]
        command = [
            str(programs / "pypi-server"),
            "run",
            "-p",
            str(port),
            "-i",
            "127.0.0.1",
            "-P",
            str(place / "people"),
        ]
        with running([*command, "--server", *how, str(packages)], port, folder=place, ready="/simple/") as server:
            yield server

    def index(server: Running) -> Index:
        return Index(name, server, "/simple/", Desk("/", USER, PASSWORD))

    found = _measure(name, contextmanager(start), index, rounds, has_json=False)
    for number in range(corpus.MANY_NAMES - corpus.ROOT_NAMES):
        corpus.wheel(f"more-{number:04}", "1.0").write(packages)
    with contextmanager(start)() as server:
        load = ask(server, Page(MANY, "/simple/", HTML_ONLY["HTML"]), rounds.seconds)
    return found | {f"{MANY}, HTML": figures.of_load(load)}


def _measure(
    name: str, start: Start, index_at: Callable[[Running], Index], rounds: Round, *, has_json: bool
) -> Figures:
    say(f"{name}: start-up")
    found = {indexes.START: figures.of_seconds(indexes.start_often(start))}
    with start() as server:
        index = index_at(server)
        found[indexes.MEMORY_EARLY] = figures.of_memory(memory_of_workers(server.pid))
        for page in simple_pages(index.simple, WITH_JSON if has_json else HTML_ONLY):
            say(f"{name}: {page.what}")
            ask(server, page, 1)
            found[page.what] = figures.of_load(ask(server, page, rounds.seconds))
        say(f"{name}: downloads and uploads")
        wheel, heavy = indexes.downloads(index, Round(rounds.seconds, 1))
        found |= {indexes.WHEEL: figures.of_load(wheel), indexes.HEAVY: figures.of_stream(heavy)}
        found |= {what: figures.of_uploads(each) for what, each in indexes.time_all_uploads(index).items()}
        found[indexes.MEMORY_LATE] = figures.of_memory(memory_of_workers(server.pid))
    return found


@contextmanager
def _devpi(programs: Path, folder: Path) -> Iterator[Running]:
    port = free_port()
    command = [str(programs / "devpi-server"), "--serverdir", str(folder), "--host", "127.0.0.1", "--port", str(port)]
    ready = f"{DEVPI_INDEX}+simple/" if (folder / "loaded").exists() else "/"
    with running([*command, "--offline-mode"], port, folder=folder, ready=ready) as server:
        yield server


def _devpi_index(server: Running) -> Index:
    said = _call_devpi(server, "POST", "/+login", {"user": "root", "password": PASSWORD})
    token = str(json.loads(said)["result"]["password"])
    return Index(DEVPI, server, f"{DEVPI_INDEX}+simple/", Desk(DEVPI_INDEX, "root", token))


def _load_devpi(programs: Path, folder: Path) -> None:
    command = [str(programs / "devpi-init"), "--serverdir", str(folder), "--no-root-pypi", "--root-passwd", PASSWORD]
    subprocess.run(command, check=True, capture_output=True)
    with _devpi(programs, folder) as server:
        index = _devpi_index(server)
        _call_devpi(server, "PUT", DEVPI_INDEX.rstrip("/"), {"type": "stage", "bases": []}, index.desk)
        connection = HTTPConnection("127.0.0.1", server.port, timeout=120)
        for name, files in corpus.projects().items():
            for version, tag in files:
                wheel = corpus.wheel(name, version, tag=tag)
                uploads.hand_in(connection, index.desk, uploads.parcel(name, version, wheel))
        connection.close()
    (folder / "loaded").touch()


def _call_devpi(server: Running, method: str, path: str, sent: dict[str, object], desk: Desk | None = None) -> bytes:
    headers = {"Content-Type": "application/json", "Accept": "application/json"}
    if desk is not None:
        headers["X-Devpi-Auth"] = b64encode(f"{desk.username}:{desk.password}".encode()).decode()
    connection = HTTPConnection("127.0.0.1", server.port, timeout=120)
    connection.request(method, path, json.dumps(sent), headers)
    answer = connection.getresponse()
    said = answer.read()
    connection.close()
    if answer.status not in (200, 201):
        raise LoadError(f"devpi, {method} {path}: {answer.status} {said[:500]!r}")
    return said
