"""Real servers and installers with files in a cloud: two processes, uploads, and downloads that the cloud sends."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from domain.policy.principals import Grant
from tests.clients.installation import Installation
from tests.clients.tools import install, twine_upload
from tests.cloud import URL, Cloud, a_cloud
from tests.packages import a_wheel

pytestmark = pytest.mark.clients


@pytest.fixture
def cloud() -> Iterator[Cloud]:
    with a_cloud() as found:
        yield found


def index_of(folder: Path, cloud: Cloud, **settings: str) -> tuple[Installation, str]:
    """An index as an operator runs it, two processes loaded once, with ana's token for uploading and reading."""
    installation = Installation(folder, COUNTERSIGN_STORAGE_URL=URL, **cloud.environ, **settings)
    return installation, installation.a_token(folder, grants=(Grant.UPLOAD, Grant.READ))


def test_both_processes_of_a_server_that_was_loaded_once_reach_the_cloud(tmp_path: Path, cloud: Cloud) -> None:
    index, token = index_of(tmp_path, cloud)
    try:
        versions = [f"1.{number}" for number in range(8)]
        sent = [twine_upload(index.url, token, [a_wheel(version=version).write(tmp_path)]) for version in versions]
        fetched = [
            install("pip", index.url, tmp_path, "--no-deps", "--upgrade", f"acme-utils==1.{n}") for n in range(8)
        ]
    finally:
        index.stop()

    assert [done.returncode for done in (*sent, *fetched)] == [0] * 16
    assert len(cloud.names()) == 16  # each wheel, and the METADATA beside it
    assert "Traceback" not in index.log()


@pytest.mark.parametrize("tool", ["pip", "uv pip"])
def test_installers_follow_to_the_cloud_and_take_no_credentials_there(tmp_path: Path, cloud: Cloud, tool: str) -> None:
    index, token = index_of(tmp_path, cloud, COUNTERSIGN_SIGNED_DOWNLOADS="300", COUNTERSIGN_READ_ACCESS="members")
    try:
        sent = twine_upload(index.url, token, [a_wheel().write(tmp_path)])
        cloud.asked.clear()
        with_credentials = index.url.replace("://", f"://__token__:{token}@")
        done = install(tool, with_credentials, tmp_path, "--no-deps", "acme-utils")
    finally:
        index.stop()

    assert (sent.returncode, done.returncode) == (0, 0), sent.stdout + done.stdout
    credentials = [found for method, path, found in cloud.asked if method == "GET" and "X-Amz-Signature" in path]
    assert credentials == [None]
