"""Server processes that are killed while files arrive: what was acknowledged is there, and nothing else is half there.

COUNTERSIGN_TEST_KILLS says how many are killed; five unless it does.
"""

import os
import random
import signal
import threading
import time
import urllib.error
import urllib.request
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clients.installation import Installation
from tests.packages import Package, a_wheel
from tests.uploading import body_of

pytestmark = pytest.mark.clients
KILLS = int(os.environ.get("COUNTERSIGN_TEST_KILLS", "5"))
UPLOADERS = 3
NOISE = random.Random(7).randbytes(200_000)  # noqa: S311 - noise, not a secret


@pytest.fixture
def index(tmp_path: Path) -> Iterator[Installation]:
    found = Installation(tmp_path)
    yield found
    found.stop()


@pytest.fixture
def token(index: Installation, tmp_path: Path) -> str:
    return index.a_token(tmp_path)


def test_no_acknowledged_file_is_lost_and_no_other_half_there(index: Installation, token: str) -> None:
    acknowledged: list[Package] = []
    is_over = threading.Event()

    def send(project: str) -> None:
        number = 0
        while not is_over.is_set():
            package = a_wheel(project, f"1.{number}", extra={f"{project}/noise.bin": NOISE})
            if _upload(index.url, token, package) or _upload(index.url, token, package):
                acknowledged.append(package)
            number += 1

    uploaders = [threading.Thread(target=send, args=(f"kept{letter}",)) for letter in "abc"[:UPLOADERS]]
    for uploader in uploaders:
        uploader.start()
    moments = random.Random(11)  # noqa: S311 - moments, not secrets
    for _ in range(KILLS):
        _wait_for_another(acknowledged)
        time.sleep(moments.uniform(0, 0.4))
        os.kill(moments.choice(_workers(index)), signal.SIGKILL)
    is_over.set()
    for uploader in uploaders:
        uploader.join()

    assert len(acknowledged) >= KILLS
    assert "0 faults." in index.flask("verify")
    for package in acknowledged:
        assert package.sha256 in _page_of(index, package), package.filename


def _wait_for_another(acknowledged: list[Package]) -> None:
    """Uploads go on, so that the next kill meets one."""
    before, gives_up_at = len(acknowledged), time.monotonic() + 60
    while len(acknowledged) == before:
        assert time.monotonic() < gives_up_at, "nothing is acknowledged any more"
        time.sleep(0.01)


def _workers(index: Installation) -> list[int]:
    """The processes that serve, once there are any again."""
    for _ in range(100):
        if found := index.workers():
            return found
        time.sleep(0.05)
    raise AssertionError("no worker came back")


def _upload(url: str, token: str, package: Package) -> bool:
    """Send a file; whether it was acknowledged."""
    body, content_type = body_of(package)
    credentials = b64encode(f"__token__:{token}".encode()).decode()
    headers = {"Authorization": f"Basic {credentials}", "Content-Type": content_type}
    request = urllib.request.Request(f"{url}/legacy/", data=body, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return bool(answer.status == 200)
    except urllib.error.HTTPError as refused:
        raise AssertionError(f"{refused.status} {refused.reason}") from None
    except OSError:  # the process that took it is gone
        return False


def _page_of(index: Installation, package: Package) -> str:
    project = package.filename.partition("-")[0]
    with urllib.request.urlopen(f"{index.url}/simple/{project}/", timeout=30) as page:
        return str(page.read().decode())
