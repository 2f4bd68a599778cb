"""Licence files that the metadata names must be in the archive, where PEP 639 has them lie."""

from collections.abc import Callable

import pytest
from flask import Flask

from tests.builders import People
from tests.packages import Package, a_metadata, a_wheel, an_sdist
from tests.uploading import upload

WHEELS, SDISTS = "acme_utils-1.0.dist-info/licenses/", ""  # an_sdist puts its folder in front


def wheel(version: str, files: tuple[str, ...]) -> Package:
    metadata = a_metadata(Metadata_Version=version, License_File=["LICENSE", "licenses/NOTICE.txt"])
    return a_wheel(metadata=metadata, extra={WHEELS + name: b"MIT" for name in files})


def sdist(version: str, files: tuple[str, ...]) -> Package:
    metadata = a_metadata(Metadata_Version=version, License_File=["LICENSE", "licenses/NOTICE.txt"])
    return an_sdist(metadata=metadata, extra={SDISTS + name: b"MIT" for name in files})


@pytest.mark.parametrize("make", [wheel, sdist])
@pytest.mark.parametrize(
    ("version", "files", "missing"),
    [
        ("2.4", ("LICENSE", "licenses/NOTICE.txt"), None),
        ("2.4", ("LICENSE",), "licenses/NOTICE.txt"),
        ("2.5", ("licenses/NOTICE.txt",), "LICENSE"),
        ("2.4", ("LICENSE", "licenses/NOTICE.txt/x"), "licenses/NOTICE.txt"),
        ("2.1", (), None),  # setuptools wrote the field before it was one, and put the files elsewhere
    ],
)
def test_a_licence_file_that_is_named_is_there(
    app: Flask,
    people: People,
    make: Callable[[str, tuple[str, ...]], Package],
    version: str,
    files: tuple[str, ...],
    missing: str | None,
) -> None:
    package = make(version, files)

    answer = upload(app, people.a_token(people.a_member("ana"))[1], package)

    assert answer.status_code == (200 if missing is None else 400)
    if missing is not None:
        folder = WHEELS if make is wheel else "acme_utils-1.0/"
        words = f"License-File {missing!a} does not exist in distribution file {package.filename!a} at"
        assert answer.text == f"{words} {folder + missing!a}.\n"
