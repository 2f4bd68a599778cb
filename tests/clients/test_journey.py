"""The whole way, with real tools against a real server: from an empty folder to an installed package, and back."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.builders import PASSWORD
from tests.clients.installation import Installation, plain_environment
from tests.clients.visitor import Visitor, words

pytestmark = pytest.mark.clients

ADDRESS = "newt@mail.example"
PYPROJECT = """
[build-system]
requires = ["flit_core"]
build-backend = "flit_core.buildapi"

[project]
name = "tide-tables"
version = "{version}"
description = "High and low water for any harbour."
requires-python = ">=3.11"
"""


@pytest.fixture
def index(tmp_path: Path) -> Iterator[Installation]:
    installation = Installation(tmp_path)
    yield installation
    installation.stop()


def test_from_signing_up_to_a_package_that_a_stranger_installs(index: Installation, tmp_path: Path) -> None:
    newt = Visitor(index.url)

    register(newt, index)
    newt.send("/manage/account/token/", description="laptop", scope="user", expires="30")
    banner = words(newt.find(".//*[@id='stop']"))
    enrol(newt)
    newt.press("Continue: Create an API token")
    prefilled = newt.value("description"), newt.value("expires")
    newt.press("Create token")
    token = words(newt.find(".//*[@id='token']"))
    with_twine = twine_upload(index, token, build(tmp_path, "1.0"))
    with_uv = uv_publish(index, token, build(tmp_path, "1.1"))

    assert banner.startswith("Turn on two-factor authentication to continue You asked to create an API token.")
    assert prefilled == ("laptop", "30")
    assert with_twine.returncode == 0, with_twine.stdout
    assert with_uv.returncode == 0, with_uv.stdout
    assert installed_by_pip(index, tmp_path, "tide-tables==1.0") == "1.0"
    assert installed_by_pip(index, tmp_path, "--no-binary=:all:", "--no-build-isolation", "tide-tables==1.1") == "1.1"
    assert installed_by_uv(index, tmp_path, "tide-tables") == "1.1"


def test_a_token_is_refused_while_its_owner_has_no_second_factor(index: Installation, tmp_path: Path) -> None:
    newt = Visitor(index.url)
    register(newt, index)
    enrol(newt)
    newt.open("/manage/account/token/")
    newt.press("Create token", description="laptop")
    token = words(newt.find(".//*[@id='token']"))
    files = build(tmp_path, "1.0")

    index.flask("users", "recover", "newt", "--yes")
    refused_to_twine, refused_to_uv = twine_upload(index, token, files), uv_publish(index, token, files)
    newt.open("/manage/projects/")
    newt.press("Sign in", username="newt", password=PASSWORD)
    newt.open("/manage/account/two-factor/")
    enrol(newt)
    accepted = twine_upload(index, token, files)

    sentence = (
        "Two-factor authentication is required for uploads. "
        f"Set it up: {index.url}/manage/account/two-factor/ (rule everyone)"
    )
    assert refused_to_twine.returncode == 1
    assert sentence in " ".join(refused_to_twine.stdout.split())
    assert refused_to_uv.returncode == 2
    assert sentence in " ".join(refused_to_uv.stdout.split())
    assert accepted.returncode == 0, accepted.stdout


def register(person: Visitor, index: Installation) -> None:
    """Sign up and verify the address by the link in the mail."""
    person.open("/")
    person.follow("Create an account")
    person.press("Create account", username="newt", email=ADDRESS, new_password=PASSWORD, password_confirm=PASSWORD)
    person.open(index.link_mailed_to(ADDRESS))
    person.press("Verify this address")


def enrol(person: Visitor) -> None:
    """From the page where a method is chosen to the one that says that it is done."""
    person.press("Continue", method="totp")
    person.press("Turn on two-factor authentication", totp_value=person.read_qr().now())
    codes = [words(item) for item in person.find(".//*[@id='codes']")]
    person.press("Finish", recovery_code_value=codes[3])
    assert len(codes) == 10
    assert person.title.startswith("Two-factor authentication is on")


def build(folder: Path, version: str) -> list[str]:
    """A wheel and an sdist, built by `python -m build` from a project of one module."""
    source = folder / f"source-{version}"
    source.mkdir()
    (source / "pyproject.toml").write_text(PYPROJECT.format(version=version))
    (source / "tide_tables.py").write_text(f"VERSION = {version!r}\n")
    done = run(folder, sys.executable, "-m", "build", "--no-isolation", str(source))
    assert done.returncode == 0, done.stdout
    files = sorted(str(path) for path in (source / "dist").iterdir())
    assert [Path(file).name for file in files] == [
        f"tide_tables-{version}-py3-none-any.whl",
        f"tide_tables-{version}.tar.gz",
    ]
    return files


def twine_upload(index: Installation, token: str, files: list[str]) -> subprocess.CompletedProcess[str]:
    credentials = ("--username", "__token__", "--password", token)
    return run(
        Path(files[0]).parent,
        *(sys.executable, "-m", "twine", "upload", "--non-interactive", "--disable-progress-bar"),
        *("--repository-url", f"{index.url}/legacy/", *credentials, *files),
    )


def uv_publish(index: Installation, token: str, files: list[str]) -> subprocess.CompletedProcess[str]:
    return run(
        Path(files[0]).parent,
        *(sys.executable, "-m", "uv", "publish", "--publish-url", f"{index.url}/legacy/", "--token", token, *files),
    )


def installed_by_pip(index: Installation, folder: Path, *what: str) -> str:
    """The version that pip installs into an empty folder."""
    target = folder / f"pip-{len(list(folder.iterdir()))}"
    command = (sys.executable, "-m", "pip", "install", "--no-cache-dir", "--target", str(target))
    return imported(target, run(folder, *command, "--index-url", f"{index.url}/simple/", *what))


def installed_by_uv(index: Installation, folder: Path, *what: str) -> str:
    """The version that uv installs into an empty folder."""
    target = folder / "uv"
    command = (sys.executable, "-m", "uv", "pip", "install", "--no-cache", "--target", str(target))
    return imported(target, run(folder, *command, "--default-index", f"{index.url}/simple/", *what))


def imported(target: Path, installation: subprocess.CompletedProcess[str]) -> str:
    assert installation.returncode == 0, installation.stdout
    return run(target, sys.executable, "-c", "import tide_tables; print(tide_tables.VERSION)").stdout.strip()


def run(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """A tool as somebody calls it in that folder; both of its outputs are in `stdout`."""
    return subprocess.run(
        command,
        cwd=folder,
        env=plain_environment(folder),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
    )
