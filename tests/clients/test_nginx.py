"""nginx with `deploy/nginx.conf` in front of a real index: itself, and what goes through it."""

import os
import re
import socket
import subprocess
from http.client import HTTPConnection
from pathlib import Path

import pytest
import sqlalchemy as sa
import trustme

from bench.processes import free_port
from models import Event, db
from tests.clients.nginx import adapted, on_ports, write_configuration
from tests.clients.site import PAGE, Site, ask
from tests.clients.tools import install, twine_upload
from tests.packages import a_wheel
from tests.uploading import authorized, body_of

pytestmark = pytest.mark.clients


def test_nginx_takes_the_configuration_as_it_stands(tmp_path: Path, nginx: None) -> None:
    certificate = trustme.CA().issue_cert("index.example")
    certificate.cert_chain_pems[0].write_to_path(tmp_path / "index.example.pem")
    certificate.private_key_pem.write_to_path(tmp_path / "index.example.key")
    text = adapted(backend_port=8000, pages=tmp_path, files=tmp_path)
    text = on_ports(text, tls=free_port(), plain=free_port())
    text = re.sub(r"/etc/ssl/\w+/", f"{tmp_path}/", text)

    command = [*write_configuration(tmp_path, text), "-t"]
    done = subprocess.run(command, capture_output=True, text=True)

    assert done.returncode == 0, done.stderr
    assert all(line.startswith("nginx: ") and "[" not in line for line in done.stderr.splitlines()), done.stderr


def test_nginx_has_nothing_to_complain_of(site: Site) -> None:
    site.ask(PAGE)

    assert site.nginx.errors() == ""


def test_pip_installs_what_twine_has_just_uploaded(site: Site) -> None:
    site.publish("harbour")

    done = install("pip", site.nginx.url, site.work, "harbour")

    assert done.returncode == 0, done.stdout
    assert (site.work / "target/harbour").is_dir()


def test_twine_shows_why_an_upload_was_refused(site: Site) -> None:
    done = twine_upload(site.nginx.url, "csn_nothing", [a_wheel("other").write(site.work)])

    assert done.returncode != 0
    assert "This API token is not valid" in done.stdout, done.stdout


def test_a_refusal_reaches_whoever_is_still_sending_a_large_file(site: Site) -> None:
    large = a_wheel("large", extra={"large/data.bin": os.urandom(40_000_000)}).write(site.work)

    done = twine_upload(site.nginx.url, "csn_nothing", [large])

    assert done.returncode != 0
    assert "This API token is not valid" in done.stdout, done.stdout


def test_a_refusal_does_not_wait_for_the_file(site: Site) -> None:
    credentials = authorized("csn_nothing")["Authorization"]
    head = f"POST /legacy/ HTTP/1.1\r\nHost: localhost\r\nAuthorization: {credentials}\r\nContent-Length: 50000000\r\n"
    kind = "Content-Type: multipart/form-data; boundary=x\r\n\r\n"

    with socket.create_connection(("127.0.0.1", site.nginx.port), timeout=10) as connection:
        connection.sendall(f"{head}{kind}--x\r\n".encode())
        answer = connection.recv(1_000)

    assert answer.startswith(b"HTTP/1.1 403 This API token is not valid")


def test_addresses_are_those_of_the_clients_whatever_they_claim(site: Site) -> None:
    body, content_type = body_of(a_wheel("from-where"))
    connection = HTTPConnection("127.0.0.1", site.nginx.port, timeout=30)
    claim = {"X-Forwarded-For": "203.0.113.9", "X-Real-IP": "203.0.113.9", "Forwarded": "for=203.0.113.9"}
    connection.request("POST", "/legacy/", body, {"Content-Type": content_type, **authorized(site.token), **claim})
    status = connection.getresponse().status
    connection.close()

    with site.app.app_context():
        newest = sa.select(Event.address).where(Event.tag == "project:file:added").order_by(Event.id.desc())
        address = db.session.scalars(newest).first()
    assert (status, address) == (200, "127.0.0.1")


@pytest.mark.parametrize("path", [PAGE, "/simple/", "/help/"])
def test_another_host_name_is_refused(site: Site, path: str) -> None:
    answer = site.ask(path, Host="evil.example")

    assert answer.status == 400
    assert b"acme-utils" not in answer.body


def test_whoever_comes_without_tls_is_sent_to_it(site: Site) -> None:
    answer = ask(site.nginx.http_port, f"{PAGE}?a=b", Host="localhost")

    assert (answer.status, answer["Location"]) == (308, f"https://index.example{PAGE}?a=b")
