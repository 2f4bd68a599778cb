"""What a fresh clone relies on: commands, pinned requirements, settings, and plain words at the start."""

import re
import socket
import subprocess
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import config
from deploy.preflight import fault_of_address, fault_of_database
from tests.requirements import requirement

ROOT = Path(__file__).parents[1]
PINNED = re.compile(r"[A-Za-z0-9._-]+(\[[a-z,]+\])?==[0-9][A-Za-z0-9.]*(; .+)?")


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def requirement_lines(name: str) -> list[str]:
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith(("#", "-r "))]


def pins(*names: str) -> dict[str, Requirement]:
    found = [Requirement(line) for name in names for line in requirement_lines(name)]
    return {canonicalize_name(pin.name): pin for pin in found if pin.marker is None or pin.marker.evaluate()}


def needs(pin: Requirement) -> set[str]:
    """Names of the packages that a pinned one asks for on this machine, extras included."""
    asked = [Requirement(text) for text in metadata.requires(pin.name) or []]
    return {
        canonicalize_name(each.name)
        for each in asked
        if each.marker is None or any(each.marker.evaluate({"extra": extra}) for extra in {"", *pin.extras})
    }


def test_make_alone_lists_every_public_command() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    commands = set(re.search(r"^\.PHONY: (.+)$", makefile, re.MULTILINE)[1].split()) - {"help"}  # type: ignore[index]

    printed = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, check=True).stdout

    assert {"run", "test", "check", "fmt", "bench"} <= commands
    assert set(re.findall(r"^  make (\w+) +\S", printed, re.MULTILINE)) == commands


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt"])
def test_every_requirement_is_pinned_exactly(name: str) -> None:
    lines = requirement_lines(name)

    assert len(lines) > 20
    assert [line for line in lines if not PINNED.fullmatch(line)] == []


@pytest.mark.parametrize("names", [("requirements.txt",), ("requirements.txt", "requirements-dev.txt")])
def test_whatever_a_pinned_package_needs_is_pinned_too(names: tuple[str, ...]) -> None:
    pinned = pins(*names)

    missing = {need for pin in pinned.values() for need in needs(pin)} - set(pinned)

    assert missing == set()


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt"])
def test_the_second_part_of_a_list_holds_only_what_something_needs(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    second_part = text.partition("# Needed by the packages above.\n")[2].splitlines()
    everything = pins("requirements.txt", "requirements-dev.txt")

    listed = {canonicalize_name(Requirement(line).name) for line in second_part} & set(everything)
    needed = {need for pin in everything.values() for need in needs(pin)}

    assert listed
    assert listed - needed == set()


def test_what_is_installed_is_what_is_pinned() -> None:
    pinned = pins("requirements.txt", "requirements-dev.txt")

    installed = {name: metadata.version(name) for name in pinned}

    assert installed == {name: str(pin.specifier).removeprefix("==") for name, pin in pinned.items()}


def test_the_example_of_settings_names_each_of_them_in_order_and_sets_none() -> None:
    lines = (ROOT / ".env.example").read_text(encoding="utf-8").splitlines()

    named = [match[1] for line in lines if (match := re.match(r"#(COUNTERSIGN_\w+)=", line))]

    assert named == [variable.name for variable in config.VARIABLES]
    assert [line for line in lines if line and not line.startswith("#")] == []


def test_the_gate_for_changes_runs_checks_and_tests_and_skips_nothing() -> None:
    script = ROOT / ".ci/run"
    text = script.read_text(encoding="utf-8")

    assert script.stat().st_mode & 0o111 == 0o111
    assert re.search(r"^export COUNTERSIGN_TESTS_REQUIRE_ALL=1\b", text, re.MULTILINE)
    assert re.search(r"\bmake check test$", text, re.MULTILINE)
    subprocess.run(["bash", "-n", script], check=True)


@requirement("R76")
def test_the_server_writes_no_address_down_for_links_hold_secrets_in_theirs() -> None:
    text = (ROOT / "deploy/gunicorn.py").read_text(encoding="utf-8")

    assert re.findall(r"^(?:accesslog|access_log_format|logconfig\w*)\b.*?(?= #|$)", text, re.MULTILINE) == [
        "accesslog = None "
    ]


def test_hooks_before_a_commit_are_local() -> None:
    text = (ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8")

    assert re.findall(r"repo: *(\S+)", text) == ["local"]


def test_a_port_in_use_is_said_in_words_with_another_one(taken_port: int) -> None:
    fault = fault_of_address("127.0.0.1", taken_port)

    assert fault is not None
    assert fault.startswith(f"Port {taken_port} on 127.0.0.1 is in use")
    assert f"COUNTERSIGN_PORT={taken_port + 1} " in fault


def test_a_free_port_is_no_fault() -> None:
    assert fault_of_address("127.0.0.1", 0) is None


def test_an_address_that_is_not_ours_is_said_in_words() -> None:
    fault = fault_of_address("192.0.2.1", 8000)  # RFC 5737: an address of no machine

    assert fault is not None
    assert fault.startswith("Cannot listen on 192.0.2.1, port 8000: ")
    assert "COUNTERSIGN_BIND" in fault


def test_a_database_that_does_not_answer_is_told_in_a_sentence(tmp_path: Path) -> None:
    fault = fault_of_database("postgresql+psycopg://postgres@127.0.0.1:1/nothing?connect_timeout=2")

    assert fault is not None
    assert fault.startswith("COUNTERSIGN_DATABASE_URL: the database does not answer: ")
    assert "\n" not in fault
    assert fault_of_database(f"sqlite:///{tmp_path / 'new.sqlite3'}") is None
