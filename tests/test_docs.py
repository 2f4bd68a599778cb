"""The documents say what is there: settings, paths, names, commands, addresses and words, compared with the code."""

import ast
import builtins
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import click
import pytest
from flask import Flask
from werkzeug.exceptions import HTTPException
from werkzeug.routing import RequestRedirect

from config import VARIABLES
from tests.browsing import Browser

ROOT = Path(__file__).parent.parent
NAMES = ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md")
DOCUMENTS = [*(ROOT / name for name in NAMES), *sorted((ROOT / "docs").rglob("*.md"))]
SPEAK_OF_COMMANDS = [*DOCUMENTS, ROOT / ".env.example", ROOT / "Makefile", ROOT / "deploy/gunicorn.py"]
ROOMS = ("adapters", "bench", "blueprints", "deploy", "docs", "domain", "migrations", "models", "tests")

QUOTED = re.compile(r"`([^`\n]+)`")
LINK = re.compile(r"\[(?:`([^`\n]+)`|[^\]\n]*)\]\(([^)\s]+)\)|(?:src|srcset)=\"([^\"]+)\"")
PATH = re.compile(r"[\w.-]+(/[\w.-]+)*\.(py|md|txt|html|css|js|toml|example|png)|[\w-]+(/[\w-]+)+/?")
NAME = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*(\(\))?")
MACHINE_PATH = re.compile(r"(?<![\w.:/])/(work|tmp|home|root|Users|mnt|usr|var|opt|srv)\b")
FENCED = re.compile(r"^```\w*\n(.*?)^```", re.MULTILINE | re.DOTALL)

# Names that other programs gave, or that stand for a name.
FOREIGN = {
    "NAME_FILE", "TWINE_PASSWORD", "TWINE_USERNAME", "UV_PUBLISH_TOKEN", "auth_request", "open_file_cache", "pg_dump",
}  # fmt: skip


def text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def quoted(path: Path) -> list[str]:
    """What stands in backticks, blocks of code aside."""
    return QUOTED.findall(FENCED.sub("", text_of(path)))


def each_document(path: Path) -> str:
    return str(path.relative_to(ROOT))


def defined_in(path: Path) -> set[str]:
    """What a file names: functions, classes, constants, fields, arguments, words; of a template, macros and blocks."""
    if path.suffix != ".py":
        return set(re.findall(r"{% (?:macro|block) (\w+)", text_of(path)))
    names: set[str] = set()
    for node in ast.walk(ast.parse(text_of(path))):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        elif isinstance(node, ast.arg | ast.keyword) and node.arg:
            names.add(node.arg)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            names.add(node.value)  # names of tables and of files that the code makes
    return names


def last_name(text: str) -> str:
    """`covers` of `permit.covers()`."""
    return text.removesuffix("()").rpartition(".")[2]


@cache
def all_names() -> set[str]:
    files = [path for room in ROOMS for path in (ROOT / room).rglob("*.py")]
    files += [ROOT / "app.py", ROOT / "config.py", ROOT / "wsgi.py"]
    return set(dir(builtins)) | {name for path in files for name in defined_in(path) | {path.stem}}


@pytest.mark.parametrize("path", DOCUMENTS, ids=each_document)
def test_every_path_that_a_document_names_exists(path: Path) -> None:
    named = {text for text in quoted(path) if PATH.fullmatch(text)}
    files = {text for text in named if Path(text).suffix and not text.startswith("instance/")}
    folders = {text for text in named - files if text.partition("/")[0] in {*ROOMS, "templates", "static"}}
    links = {target for _, link, source in LINK.findall(text_of(path)) if (target := link or source)}

    missing = {text for text in files | folders if not (ROOT / text).exists()}
    missing |= {
        link
        for link in links
        if not link.startswith(("http", "#")) and not (path.parent / link.partition("#")[0]).exists()
    }

    assert missing == set()


@pytest.mark.parametrize("path", DOCUMENTS, ids=each_document)
def test_every_name_that_a_document_quotes_stands_in_the_code(path: Path) -> None:
    named = {text for text in quoted(path) if NAME.fullmatch(text) and not PATH.fullmatch(text)}
    telling = {text for text in named if re.search(r"[A-Z_.]", text) and not text.startswith(("COUNTERSIGN_", "csn_"))}

    missing = {text for text in telling - FOREIGN if not {text, last_name(text)} & all_names()}

    assert missing == set()


def test_every_linked_name_of_the_walk_stands_in_the_file_that_it_links_to() -> None:
    walk = ROOT / "docs/gate.md"
    linked = [(name, target) for name, target, _ in LINK.findall(text_of(walk)) if name]

    missing = [
        (name, target)
        for name, target in linked
        if Path(target).name != Path(name).name and last_name(name) not in defined_in(walk.parent / target)
    ]

    assert len(linked) > 20
    assert missing == []


def test_the_settings_table_of_the_readme_is_the_one_in_the_code() -> None:
    section = text_of(ROOT / "README.md").partition("## Settings\n")[2].partition("\n## ")[0]

    rows = re.findall(r"^\| `(COUNTERSIGN_\w+)` \| (.+?) \| (.+?) \|$", section, re.MULTILINE)

    assert [tuple(cell.replace("\\|", "|") for cell in row) for row in rows] == [
        (variable.name, variable.default, variable.meaning) for variable in VARIABLES
    ]


@pytest.mark.parametrize("path", DOCUMENTS, ids=each_document)
def test_every_setting_that_a_document_names_is_one(path: Path) -> None:
    known = {variable.name for variable in VARIABLES} | {"COUNTERSIGN_TEST_POSTGRES_URL"}

    assert set(re.findall(r"COUNTERSIGN_[A-Z0-9_]*[A-Z0-9]", text_of(path))) <= known


def test_every_flask_command_that_a_document_names_is_one(app: Flask) -> None:
    written = {
        tuple(words.split())
        for path in SPEAK_OF_COMMANDS
        for words in re.findall(r"(?:`|bin/|^ {4}|\(BIN\)/)flask ((?:[a-z-]+ ?)+)", text_of(path), re.MULTILINE)
    }

    def is_command(group: str, *words: str) -> bool:
        command = app.cli.commands.get(group)
        return words[0] in command.commands if isinstance(command, click.Group) and words else command is not None

    assert len(written) > 8
    assert [" ".join(words) for words in sorted(written) if not is_command(*words)] == []


def addresses(path: Path) -> Iterator[str]:
    """Addresses of our own pages: in backticks, or after the host of the examples."""
    for text in quoted(path):
        if re.fullmatch(r"/[\w<>/._-]*", text):
            yield text
    yield from re.findall(r"http://localhost:8000(/(?:[\w/._-]|<\w+>)+)", text_of(path))


@pytest.mark.parametrize("path", DOCUMENTS, ids=each_document)
def test_every_address_that_a_document_names_is_routed(app: Flask, path: Path) -> None:
    adapter = app.url_map.bind("localhost:8000")

    def is_routed(address: str) -> bool:
        for method in ("GET", "POST"):
            try:
                adapter.match(re.sub("<[^>]+>", "a1", address), method=method)
            except RequestRedirect:
                return False
            except HTTPException:
                continue
            return True
        return False

    assert [address for address in addresses(path) if not is_routed(address)] == []


def test_the_readme_gives_the_commands_of_the_help_page(browser: Browser) -> None:
    commands = {
        line.strip()
        for code in browser.page("/help/").root.iter("code")
        for line in "".join(code.itertext()).splitlines()
        if "http://localhost:8000" in line
    }
    readme = text_of(ROOT / "README.md")

    assert len(commands) > 4
    assert {line for line in commands if line not in readme} == set()
    assert {"/simple/", "/legacy/"} == set(re.findall(r"http://localhost:8000(/(?:simple|legacy)/?)(?![\w-])", readme))


@pytest.mark.parametrize("path", DOCUMENTS, ids=each_document)
def test_no_example_puts_this_index_beside_another_one(path: Path) -> None:
    examples = "\n".join(FENCED.findall(text_of(path))) + "\n".join(re.findall("^ {4}.*", text_of(path), re.MULTILINE))

    assert "extra-index-url" not in examples


def test_the_changelog_tells_security_first() -> None:
    sections = re.split(r"^## ", text_of(ROOT / "CHANGELOG.md"), flags=re.MULTILINE)[1:]

    assert sections[0].startswith("[Unreleased]\n")
    for section in sections:
        kinds = re.findall(r"^### (.+)$", section, re.MULTILINE)
        assert kinds[0] == "Security"
        assert set(kinds) <= {"Security", "Added", "Changed", "Deprecated", "Removed", "Fixed"}
        assert len(kinds) == len(set(kinds))


@pytest.mark.parametrize("path", DOCUMENTS, ids=each_document)
def test_no_document_names_a_place_of_one_machine(path: Path) -> None:
    assert MACHINE_PATH.findall(text_of(path)) == []


def test_decisions_are_numbered_without_a_gap_and_say_context_choice_and_price() -> None:
    files = sorted((ROOT / "docs/decisions").glob("*.md"))

    assert [int(path.name[:4]) for path in files] == list(range(1, len(files) + 1))
    for path in files:
        text = text_of(path)
        assert text.startswith(f"# {int(path.name[:4])}. "), path.name
        assert [text.count(f"**{part}.**") for part in ("Context", "Choice", "Price")] == [1, 1, 1], path.name
        assert 10 <= len(text.splitlines()) <= 30, path.name


# --- the words of the glossary ----------------------------------------------------------------------------------------


def unwanted_words() -> list[str]:
    """The last column of the glossary."""
    rows = re.findall(r"^\| \*\*.+\| ([^|]*?) \|$", text_of(ROOT / "docs/glossary.md"), re.MULTILINE)
    return [word.strip() for row in rows for word in row.split(",") if word.strip()]


def said_to_people(path: Path) -> str:
    """The words of a template, a document, or the sentences in a Python file."""
    if path.suffix == ".py":
        strings = (node.value for node in ast.walk(ast.parse(text_of(path))) if isinstance(node, ast.Constant))
        return "\n".join(text for text in strings if isinstance(text, str) and " " in text)
    if path.suffix == ".md":
        return re.sub(r"`[^`\n]*`|\]\([^)]*\)", " ", text_of(path))
    words = re.sub(r"{#.*?#}", "", text_of(path), flags=re.DOTALL)
    return re.sub(r"[\"'][\w.#-]+[./#][\w.#/-]+[\"']|<[a-z/][^>{]*>", " ", words)  # endpoints, files, elements


def test_people_read_the_words_of_the_glossary() -> None:
    unwanted = re.compile(rf"(?<![\w-])({'|'.join(map(re.escape, unwanted_words()))})s?(?![\w-])", re.IGNORECASE)
    pages = [path for path in (ROOT / "templates").rglob("*") if path.suffix in (".html", ".txt")]
    code = [path for room in ("blueprints", "domain") for path in (ROOT / room).rglob("*.py")]
    documents = [path for path in DOCUMENTS if path.name != "glossary.md"]

    found = {
        f"{path.relative_to(ROOT)}: {match}"
        for path in [*pages, *code, *documents]
        for match in unwanted.findall(said_to_people(path))
    }

    assert len(pages) > 20
    assert unwanted.findall("Turn on 2-step login with OTP tokens") == ["2-step", "OTP token"]
    assert found == set()
