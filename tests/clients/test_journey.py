"""The whole way, with real tools against a real server: from an empty folder to an installed package, and back."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.builders import PASSWORD
from tests.clients.installation import Installation
from tests.clients.tools import install, run, twine_upload, uv_publish
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
    with_twine = twine_upload(index.url, token, build(tmp_path, "1.0"))
    with_uv = uv_publish(index.url, token, build(tmp_path, "1.1"))

    assert banner.startswith("Turn on two-factor authentication to continue You asked to create an API token.")
    assert prefilled == ("laptop", "30")
    assert with_twine.returncode == 0, with_twine.stdout
    assert with_uv.returncode == 0, with_uv.stdout
    assert installed("pip", index, tmp_path, "tide-tables==1.0") == "1.0"
    assert installed("pip", index, tmp_path, "tide-tables", "--no-binary=:all:", "--no-build-isolation") == "1.1"
    assert installed("uv pip", index, tmp_path, "tide-tables") == "1.1"


def test_a_token_is_refused_while_its_owner_has_no_second_factor(index: Installation, tmp_path: Path) -> None:
    newt = Visitor(index.url)
    register(newt, index)
    enrol(newt)
    newt.open("/manage/account/token/")
    newt.press("Create token", description="laptop")
    token = words(newt.find(".//*[@id='token']"))
    files = build(tmp_path, "1.0")

    index.flask("users", "recover", "newt", "--yes")
    refused_to_twine, refused_to_uv = twine_upload(index.url, token, files), uv_publish(index.url, token, files)
    newt.open("/manage/projects/")
    newt.press("Sign in", username="newt", password=PASSWORD)
    newt.open("/manage/account/two-factor/")
    enrol(newt)
    accepted = twine_upload(index.url, token, files)

    sentence = (
        "Two-factor authentication is required for uploads. "
        f"Set it up: {index.url}/manage/account/two-factor/ (rule everyone)"
    )
    assert refused_to_twine.returncode == 1
    assert sentence in refused_to_twine.stdout
    assert refused_to_uv.returncode == 2
    assert sentence in refused_to_uv.stdout
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


def build(folder: Path, version: str) -> list[Path]:
    """A wheel and an sdist, built by `python -m build` from a project of one module."""
    source = folder / f"source-{version}"
    source.mkdir()
    (source / "pyproject.toml").write_text(PYPROJECT.format(version=version))
    (source / "tide_tables.py").write_text(f"print({version!r})\n")
    done = run(source, "build", "--no-isolation")
    assert done.returncode == 0, done.stdout
    files = sorted((source / "dist").iterdir())
    assert [file.name for file in files] == [
        f"tide_tables-{version}-py3-none-any.whl",
        f"tide_tables-{version}.tar.gz",
    ]
    return files


def installed(tool: str, index: Installation, folder: Path, *what: str) -> str:
    """The version that one can import after installing into an empty folder."""
    home = folder / f"{tool}-{len(what)}"
    home.mkdir()
    done = install(tool, index.url, home, *what)
    assert done.returncode == 0, done.stdout
    return run(home / "target", "tide_tables").stdout
