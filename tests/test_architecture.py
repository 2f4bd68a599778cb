"""Who may import whom, read from the source (design: storeys; nothing imports upwards or sideways)."""

import ast
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.requirements import requirement

ROOT = Path(__file__).parent.parent
STOREYS = ("models", "adapters", "domain", "blueprints")
TOP = {"app", "wsgi"}
OURS = {*STOREYS, *TOP, "config"}
# What a guesser could find out sign by sign, were it compared with ==. Hashes of random values are looked up instead.
SECRETS = {"secret", "token", "handle", "code", "typed", "password", "challenge", "recovery_code"}
FILES = [path for storey in STOREYS for path in sorted((ROOT / storey).rglob("*.py"))]


def imports_of(path: Path) -> Iterator[str]:
    """Every module that a file imports, wherever in the file."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively"
            module = node.module or ""
            yield module
            yield from (f"{module}.{alias.name}" for alias in node.names)


def ours(path: Path) -> set[str]:
    return {name for name in imports_of(path) if name.partition(".")[0] in OURS}


def faults(path: Path) -> list[str]:
    """The imports of a file that its storey does not allow."""
    where = path.relative_to(ROOT)
    storey = where.parts[0]
    allowed = {
        "models": {"models"},
        "adapters": {"adapters"},
        "domain": {"domain", "models", "adapters"},
        "blueprints": {"blueprints", "domain", "models", "adapters"},
    }[storey]
    found = [name for name in ours(path) if name.partition(".")[0] not in allowed]
    if storey in ("domain", "adapters") or (storey == "models" and where.name != "base.py"):
        found += [name for name in imports_of(path) if name.partition(".")[0].startswith("flask")]
    rooms = {"identity": "domain.index", "index": "domain.identity"}
    if storey == "domain" and len(where.parts) > 2 and where.parts[1] in rooms:
        found += [name for name in ours(path) if name.startswith(rooms[where.parts[1]])]
    if storey == "domain" and where.parts[1] == "policy":
        found += [name for name in ours(path) if not name.startswith("domain.policy")]
    if storey == "blueprints" and len(where.parts) > 2:
        folders = {folder.name for folder in (ROOT / "blueprints").iterdir() if folder.is_dir()} - {where.parts[1]}
        found += [name for name in ours(path) if name.startswith("blueprints.") and name.split(".")[1] in folders]
    return sorted(set(found))


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_imports_only_what_its_storey_may(path: Path) -> None:
    assert faults(path) == []


def test_the_walk_sees_every_storey_and_can_find_a_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert {path.relative_to(ROOT).parts[0] for path in FILES} == set(STOREYS)
    monkeypatch.setattr("tests.test_architecture.ROOT", tmp_path)
    (tmp_path / "blueprints").mkdir()
    wrong = tmp_path / "domain" / "identity" / "wrong.py"
    wrong.parent.mkdir(parents=True)
    wrong.write_text("from domain.index import names\nimport flask\ndef f():\n    from blueprints import gate\n")

    assert faults(wrong) == ["blueprints", "blueprints.gate", "domain.index", "domain.index.names", "flask"]


def test_nothing_else_stands_at_the_top() -> None:
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    top = {name.partition("/")[0] for name in tracked}

    assert top <= {
        "app.py", "wsgi.py", "config.py", "blueprints", "models", "templates", "static", "tests", "requirements.txt",
        "requirements-dev.txt", "domain", "adapters", "migrations", "docs", "deploy", "bench", "Makefile", "README.md",
        "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "LICENSE", "pyproject.toml", ".env.example",
        ".pre-commit-config.yaml", ".ci", ".gitignore",
    }  # fmt: skip


def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


@requirement("R99")
def test_no_secret_is_compared_sign_by_sign() -> None:
    compared = {
        f"{path.relative_to(ROOT)}: {ast.unparse(node)}"
        for path in FILES
        if path.is_relative_to(ROOT / "domain/identity") or path.is_relative_to(ROOT / "blueprints")
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.Compare) and isinstance(node.ops[0], ast.Eq | ast.NotEq)
        if "user_handle" not in ast.unparse(node)  # the number of an owner inside a key, which is no secret
        for side in (node.left, *node.comparators)
        if ast.unparse(side).rpartition(".")[2] in SECRETS
    }

    assert compared == set()


@requirement("R100")
def test_nothing_changes_or_removes_an_event() -> None:
    changed = [
        ast.unparse(node)
        for path in FILES
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.Call)
        and ast.unparse(node.func).rpartition(".")[2] in ("delete", "update")
        and {ast.unparse(argument) for argument in node.args} & {"Event", "event"}
    ]
    changed += [
        ast.unparse(node)
        for path in FILES
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]).startswith("event.")
    ]

    assert changed == []


@pytest.mark.parametrize("drawer", ["utils", "util", "helpers", "helper", "common", "misc", "lib"])
def test_no_file_is_a_drawer_for_everything(drawer: str) -> None:
    assert not [path for path in FILES if path.stem == drawer]


@pytest.mark.parametrize(
    "path", [path for path in FILES if path.parts[-2] != "blueprints" and "domain" in path.parts], ids=str
)
def test_the_domain_reads_no_clock_and_no_environment(path: Path) -> None:
    source = ast.parse(path.read_text(encoding="utf-8"))
    called = {ast.unparse(node.func) for node in ast.walk(source) if isinstance(node, ast.Call)}

    assert not called & {"datetime.now", "datetime.utcnow", "time.time", "date.today", "os.getenv"}
    assert "os.environ" not in {ast.unparse(node) for node in ast.walk(source) if isinstance(node, ast.Attribute)}
