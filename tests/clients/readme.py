"""The commands that README and the help page tell people to type, ready to be typed against another address."""

import re
from pathlib import Path

README = Path(__file__).parents[2] / "README.md"
ADDRESS, TOKEN = "http://localhost:8000", "csn_…"


def commands(heading: str) -> dict[str, str]:
    """Commands of the blocks of shell below that heading, by the tool whose name stands as a comment above them."""
    blocks = "\n".join(_blocks("sh", heading))
    parts = re.split(r"^# ([\w ]+).*\n", blocks, flags=re.MULTILINE)
    return {name: text.strip() for name, text in zip(parts[1::2], parts[2::2], strict=True)}


def settings(tool: str) -> str:
    """What README has somebody write into the pyproject.toml of a project that installs with this tool."""
    [block] = [text for text in _blocks("toml", "Install") if text.startswith(f"# pyproject.toml, {tool}:")]
    return block


def _blocks(language: str, heading: str) -> list[str]:
    section = README.read_text(encoding="utf-8").partition(f"\n### {heading}\n")[2]
    section = re.split(r"^##", section, maxsplit=1, flags=re.MULTILINE)[0]
    return re.findall(rf"^```{language}\n(.*?)^```", section, re.MULTILINE | re.DOTALL)


def typed(command: str, url: str, token: str = "", name: str = "NAME") -> str:
    """The same command for the index at `url`, with that token, about that project."""
    return re.sub(r"\bNAME\b", name, command.replace(ADDRESS, url).replace(TOKEN, token))
