"""Files that nginx sends: under the headers that the application would send them under."""

import pytest
import sqlalchemy as sa

from models import File, db
from tests.clients.site import Answer, Site
from tests.packages import a_wheel

pytestmark = pytest.mark.clients


@pytest.mark.parametrize("ending", ["", ".metadata"])
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Range": "bytes=0-9"},
        {"Range": "bytes=-5"},
        {"Range": "bytes=10-"},
        {"Range": "bytes=99999999-"},
        {"Range": "bytes=0-9", "If_Range": '"{sha256}"'},
        {"Range": "bytes=0-9", "If_Range": '"other"'},
        {"If_None_Match": '"{sha256}"'},
        {"If_None_Match": '"other"'},
        {"If_None_Match": "*"},
        {"If_None_Match": '"other"', "If_Modified_Since": "{modified}"},
        {"If_Modified_Since": "{modified}"},
        {"If_Modified_Since": "Thu, 01 Jan 1970 00:00:00 GMT"},
        {"If_Match": '"{sha256}"'},
        {"If_Match": '"other"'},
        {"Accept_Encoding": "gzip"},
        {"Origin": "https://other.example"},
    ],
    ids=str,
)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_file_is_sent_as_the_application_would_send_it(
    site: Site, ending: str, headers: dict[str, str], method: str
) -> None:
    with site.app.app_context():
        file = db.session.scalars(sa.select(File).where(File.filename == a_wheel().filename)).one()
        path, sha256 = f"{file.path}{ending}", file.metadata_sha256 if ending else file.sha256
    modified = site.ask(path, "HEAD")["Last-Modified"]
    named = {name: value.format(sha256=sha256, modified=modified) for name, value in headers.items()}

    by_nginx = site.ask(path, method, **named)

    environ = {f"HTTP_{name.upper()}": value for name, value in named.items()}
    alone = site.application()
    with alone.app_context():
        answer = alone.test_client().open(
            path, method=method, base_url=site.nginx.url, environ_overrides=environ, buffered=True
        )
        db.engine.dispose()
    itself = Answer(answer.status_code, answer.status.partition(" ")[2], list(answer.headers), answer.data)
    assert by_nginx["ETag"] == itself["ETag"]
    assert by_nginx.told == itself.told
    assert by_nginx["Accept-Ranges"] == ("" if by_nginx.status == 206 else itself["Accept-Ranges"])


@pytest.mark.parametrize(
    "path", ["/_files/", "/_files/{blob}", "/_files/../_files/{blob}", "/%5ffiles/{blob}", "/_files/incoming/"]
)
def test_nothing_but_the_application_reaches_the_storage(site: Site, path: str) -> None:
    [blob] = list(site.files.glob("[0-9a-f][0-9a-f]/*/*"))[:1]

    answer = site.ask(path.format(blob=blob.relative_to(site.files)))

    assert answer.status == 404
    assert blob.read_bytes() not in answer.body


def test_a_client_cannot_say_what_is_to_be_sent(site: Site) -> None:
    answer = site.ask("/help/", X_Accel_Redirect="/_files/aa", X_Sendfile="/etc/hostname")

    assert answer["Content-Type"].startswith("text/html")
