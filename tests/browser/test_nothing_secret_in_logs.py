"""Whatever people do, and whatever breaks meanwhile, the server writes nothing down that would open their accounts."""

import re
import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Sink
from playwright.sync_api import Browser as Chromium

from tests.browser.noted_life import FIELDS, NotedLife
from tests.browser.windows import open_window
from tests.builders import PASSWORD
from tests.clients.installation import Installation
from tests.clients.tools import twine_upload
from tests.packages import a_wheel
from tests.requirements import requirement

pytestmark = pytest.mark.browser


@pytest.fixture
def index(tmp_path: Path) -> Iterator[Installation]:
    """gunicorn as operators run it. Its mails go to a server: on the console their links stand by design."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    mail = Controller(Sink(), hostname="127.0.0.1", port=port)
    mail.start()
    index = Installation(tmp_path, COUNTERSIGN_MAIL_URL=f"smtp://localhost:{port}?tls=none")
    yield index
    index.stop()
    mail.stop()


@requirement("R101")
def test_a_whole_life_leaves_nothing_secret_in_the_logs(
    index: Installation, chromium: Chromium, tmp_path: Path
) -> None:
    page = open_window(chromium, index.url, [])
    newt = NotedLife(page, index)

    newt.sign_up()
    newt.enrol()
    token = newt.make_token()
    uploads = [
        twine_upload(index.url, token, [a_wheel(extra=extra).write(tmp_path)]) for extra in ({}, {"more.py": b""})
    ]
    newt.sign_in_in_all_ways()
    newt.confirm_in_all_ways()
    newt.reset_password()
    newt.meet_a_broken_index()
    page.context.close()

    log = index.log()
    assert [done.returncode for done in uploads] == [0, 1]
    assert "event='upload_refused'" in log
    assert log.count("event='unexpected_error'") == 4
    assert "no such table: event" in log
    assert "SQL parameters hidden" in log
    assert set(newt.secrets) == {*FIELDS, "answer", "challenge", "code", "cookie", "link", "secret", "token"}
    assert leaks(log, newt.secrets) == []


@pytest.mark.parametrize(
    "line",
    [
        "password=correct horse battery staple 9",
        "POST /account/login/?password=correct+horse+battery+staple+9",
        "POST /account/login/?password=correct%20horse%20battery%20staple%209",
        "[parameters: ('correct horse battery staple 9',)]",
        "code 123456 refused",
    ],
)
def test_a_secret_in_a_log_is_found(line: str) -> None:
    secrets = {"password": {PASSWORD}, "totp_value": {"123456"}}

    found = leaks(f"timestamp='2026-11-25T23:00:49.123456Z' event='all is well'\n{line}\n", secrets)

    assert len(found) == 1
    assert leaks("timestamp='2026-11-25T23:00:49.123456Z' event='all is well'", secrets) == []


def leaks(log: str, secrets: dict[str, set[str]]) -> list[str]:
    """The kinds of secrets that stand in a log, each as often as there are such secrets: as they are, or as addresses
    write them. Six digits count only where they are no part of a longer number, or of the fraction of a second."""
    return [kind for kind, known in secrets.items() for secret in known if _pattern(secret).search(log)]


def _pattern(secret: str) -> re.Pattern[str]:
    written = "|".join(map(re.escape, {secret, quote(secret, safe=""), quote_plus(secret)}))
    return re.compile(rf"(?<![\d.])(?:{written})(?!\d)" if secret.isdigit() else written)
