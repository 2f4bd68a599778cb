"""The names of wheels and sdists: which are accepted, and what they tell."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.version import Version

from domain.index.filenames import (
    FileKind,
    Filename,
    InvalidFile,
    check_local,
    check_platforms,
    parse_filename,
    parse_version,
)
from domain.index.upload_rules import EVERY_PLATFORM, UploadRules


def test_a_wheel_tells_its_project_version_and_tags() -> None:
    filename = parse_filename("acme_utils-1.4.2-py3-none-any.whl", name="acme-utils", version="1.4.2")

    assert filename.kind is FileKind.WHEEL
    assert filename.project == "acme-utils"
    assert filename.version == Version("1.4.2")
    assert filename.tags == "Wheel for any Python 3"


def test_an_sdist_tells_its_project_and_version() -> None:
    filename = parse_filename("acme_utils-1.4.2.tar.gz", name="Acme.Utils", version="1.4.2")

    assert filename.kind is FileKind.SDIST
    assert filename.project == "acme-utils"
    assert filename.tags == "Source"


@pytest.mark.parametrize(
    ("filename", "words"),
    [
        ("a-1-py2.py3-none-any.whl", "Wheel for any Python 2 or any Python 3"),
        ("a-1-py38-none-any.whl", "Wheel for Python 3.8"),
        ("a-1-cp312-cp312-linux_x86_64.whl", "Wheel for CPython 3.12 on Linux x86-64"),
        ("a-1-7build-cp312-cp312-linux_x86_64.whl", "Wheel for CPython 3.12 on Linux x86-64"),
        (
            "a-1-cp312-cp312-manylinux_2_17_x86_64.manylinux2014_x86_64.whl",
            "Wheel for CPython 3.12 on Linux x86-64",
        ),
        (
            "a-1-cp39-abi3-musllinux_1_2_aarch64.whl",
            "Wheel for CPython 3.9 and newer on Linux with musl ARM64",
        ),
        ("a-1-cp313-cp313t-win_amd64.whl", "Wheel for CPython 3.13, free-threaded, on Windows x86-64"),
        ("a-1-pp310-pypy310_pp73-win32.whl", "Wheel for PyPy 3.10 on Windows x86"),
        ("a-1-cp311-cp311-macosx_11_0_arm64.whl", "Wheel for CPython 3.11 on macOS ARM64"),
        ("a-1-py3-none-macosx_10_9_universal2.whl", "Wheel for any Python 3 on macOS ARM64 and x86-64"),
        ("a-1-graalpy311-none-plan9_vax.whl", "Wheel for graalpy311 on plan9_vax"),
    ],
)
def test_tags_are_told_in_words(filename: str, words: str) -> None:
    assert parse_filename(filename, name="a", version="1").tags == words


def test_the_words_of_very_many_tags_are_cut() -> None:
    pythons = ".".join(f"cp3{minor}" for minor in range(10, 45))

    words = parse_filename(f"a-1-{pythons}-none-any.whl", name="a", version="1").tags

    assert len(words) == 255
    assert words.endswith("…")


@pytest.mark.parametrize(
    "filename",
    [
        "my_fancy_pkg-1.0.0rc1-py3-none-any.whl",  # setuptools 77, hatchling, flit, poetry, pdm, uv
        "my_fancy_pkg-1.0.0rc1.tar.gz",  # all of today's
        "my_fancy_pkg-1.0.0.rc1-py3-none-any.whl",  # a version in another spelling
    ],
)
def test_names_that_builders_really_give_are_accepted(filename: str) -> None:
    assert parse_filename(filename, name="My.Fancy-Pkg", version="1.0.0-rc.1").project == "my-fancy-pkg"


@pytest.mark.parametrize(
    "filename",
    [
        "My.Fancy-Pkg-1.0.0.tar.gz",
        "my-fancy-pkg-1.0.0.tar.gz",
        "my_fancy_pkg-1.0.0.zip",
        "my_fancy_pkg-v1.0.0.tar.gz",
    ],
)
def test_an_sdist_in_an_old_spelling_is_refused_with_the_right_one(filename: str) -> None:
    with pytest.raises(InvalidFile, match=r"should be 'my_fancy_pkg-1\.0\.0\.tar\.gz'"):
        parse_filename(filename, name="my-fancy-pkg", version="1.0.0")


@pytest.mark.parametrize("spelt", ["My.Fancy_Pkg", "my.fancy.pkg", "My_Fancy_Pkg"])
def test_a_wheel_in_an_old_spelling_is_refused_with_the_right_one(spelt: str) -> None:
    with pytest.raises(InvalidFile, match=f"should contain the normalized project name 'my_fancy_pkg', not '{spelt}'"):
        parse_filename(f"{spelt}-1.0.0-py3-none-any.whl", name="my-fancy-pkg", version="1.0.0")


USUAL = [
    "any", "win32", "win_amd64", "win_arm64", "linux_armv6l", "linux_armv7l", "manylinux1_i686",
    "manylinux2010_x86_64", "manylinux2014_aarch64", "manylinux_2_28_x86_64", "manylinux_2_39_riscv64",
    "musllinux_1_2_aarch64", "macosx_10_9_x86_64", "macosx_11_0_arm64", "macosx_15_0_universal2", "macosx_26_0_arm64",
    "ios_13_0_arm64_iphoneos", "ios_13_0_x86_64_iphonesimulator", "android_24_arm64_v8a", "pyemscripten_2025_0_wasm32",
    "manylinux_2_17_x86_64.manylinux2014_x86_64",
]  # fmt: skip
UNUSUAL = [
    "linux_x86_64", "linux_aarch64", "manylinux1_aarch64", "manylinux_2_28", "manylinux_x_28_x86_64",
    "macosx_12_3_arm64", "macosx_16_0_arm64", "plan9_vax", "win_ia64", "manylinux_2_17_x86_64.linux_x86_64",
]  # fmt: skip


def for_platform(tag: str) -> Filename:
    return parse_filename(f"acme-1.0-cp311-cp311-{tag}.whl", name="acme", version="1.0")


@pytest.mark.parametrize("tag", USUAL)
def test_wheels_for_platforms_that_every_installer_knows_are_taken(tag: str) -> None:
    check_platforms(for_platform(tag), UploadRules())


@pytest.mark.parametrize("tag", UNUSUAL)
def test_wheels_for_other_platforms_are_taken_where_the_operator_says_so(tag: str) -> None:
    with pytest.raises(InvalidFile, match="has an unsupported platform tag") as refusal:
        check_platforms(for_platform(tag), UploadRules())

    assert refusal.value.message.isascii()
    check_platforms(for_platform(tag), UploadRules(more_platforms=frozenset(tag.split("."))))
    check_platforms(for_platform(tag), UploadRules(more_platforms=frozenset({EVERY_PLATFORM})))


def test_an_sdist_is_for_no_platform() -> None:
    check_platforms(parse_filename("acme-1.0.tar.gz", name="acme", version="1.0"), UploadRules())


def test_a_local_version_is_taken_where_the_operator_says_so() -> None:
    with pytest.raises(InvalidFile, match=r"use of local versions in '1\.0\+team\.1' is not allowed") as refusal:
        check_local("1.0+team.1", UploadRules())

    assert refusal.value.field == "version"
    check_local("1.0+team.1", UploadRules(takes_local_versions=True))
    check_local("1.0.post1", UploadRules())


@pytest.mark.parametrize("version", ["1.0+team.1", "1!2.0", "2.0.dev3", "1.0.post1"])
def test_every_kind_of_version_is_accepted(version: str) -> None:
    wheel = parse_filename(f"acme-{version}-py3-none-any.whl", name="acme", version=version)
    sdist = parse_filename(f"acme-{version}.tar.gz", name="acme", version=version)

    assert wheel.version == sdist.version == Version(version)


@pytest.mark.parametrize(
    ("filename", "words"),
    [
        ("", "has no name"),
        ("acme-1.0.exe", "neither a wheel"),
        ("acme-1.0-py3-none-any.whl.exe", "neither a wheel"),
        ("acme-1.0.WHL", "neither a wheel"),
        ("acme-1.0.whl", "not that of a wheel"),
        ("acme-1.0-py3-none.whl", "not that of a wheel"),
        ("acme-1.0-x-py3-none-any.whl", "not that of a wheel"),
        ("acme-one-py3-none-any.whl", "not that of a wheel"),
        ("-1.0-py3-none-any.whl", "not that of a wheel"),
        ("acme-1.0-py3--any.whl", "not that of a wheel"),
        ("acme.tar.gz", "not that of an sdist"),
        ("-1.0.tar.gz", "not that of an sdist"),
        ("acme-one.tar.gz", "not that of an sdist"),
        ("acne-1.0-py3-none-any.whl", "belongs to project 'acne', not 'acme'"),
        ("acne-1.0.tar.gz", "belongs to project 'acne', not 'acme'"),
        ("acme-1.1-py3-none-any.whl", r"has version 1\.1, not 1\.0"),
        ("acme-1.1.tar.gz", r"has version 1\.1, not 1\.0"),
        ("../acme-1.0.tar.gz", "slash"),
        ("..\\acme-1.0.tar.gz", "slash"),
        ("acme-1.0\0.tar.gz", "cannot be printed"),
        ("acme-1.0.tar.gz\n", "cannot be printed"),
        ("acme-1.0\u202e.tar.gz", "ASCII letters"),
        ("acme-1.0-1 2-py3-none-any.whl", "ASCII letters"),
        ("acme-1.0-1<b>-py3-none-any.whl", "ASCII letters"),
        ("a" * 300 + "-1.0.tar.gz", "has 311 characters"),
        ("acme-" + "1" * 5000 + ".tar.gz", "has 5012 characters"),
    ],
)
def test_a_wrong_filename_is_refused_in_words(filename: str, words: str) -> None:
    with pytest.raises(InvalidFile, match=words) as refusal:
        parse_filename(filename, name="acme", version="1.0")

    assert refusal.value.field == "content"
    assert refusal.value.message.isascii()
    assert "\n" not in refusal.value.message


@pytest.mark.parametrize("version", ["", "one", "1.0\n1", "1..0", "1.0-", "1" * 65, "1.0\0"])
def test_a_wrong_version_is_refused_at_its_field(version: str) -> None:
    with pytest.raises(InvalidFile) as refusal:
        parse_version(version)

    assert refusal.value.field == "version"
    assert refusal.value.message.isascii()


@pytest.mark.parametrize(
    ("stem", "same"),
    [
        ("acme_utils-1.0.0", True),
        ("Acme.Utils-1.0", True),
        ("acme-utils-1.0.0", True),
        ("acme-1.0.0", False),
        ("acme_utils-1.0.1", False),
        ("acme_utils", False),
        ("acme_utils-" + "1" * 5000, False),
        ("", False),
    ],
)
def test_a_folder_in_the_archive_may_be_spelt_otherwise(stem: str, same: bool) -> None:
    filename = parse_filename("acme_utils-1.0.0.tar.gz", name="acme-utils", version="1.0.0")

    assert filename.is_spelt(stem) is same


@given(st.from_regex(r"[a-z_.]{0,5}(-[a-z0-9_.!+-]{0,9}){0,6}(\.whl|\.tar\.gz)?", fullmatch=True))
def test_any_text_is_either_a_filename_or_a_problem(text: str) -> None:
    try:
        filename = parse_filename(text, name="a", version="1")
    except InvalidFile:
        return

    assert filename.project == "a"
    assert filename.version == Version("1")
