"""Pages as files that a web server sends by itself, each in a folder of its name, as `simple/NAME/index.json`."""

import os
import re
import shutil
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from adapters.storage import sync

_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_STAGED = ".incoming"  # with a full stop, as all files here: no project is called so
# In the order in which they are written, and removed backwards: where index.json stands, all stand.
FILES = ("index.html.gz", "index.html.br", "index.html", "index.json.gz", "index.json.br", "index.json")


@dataclass(frozen=True)
class PageFile:
    """stamp: seconds since the epoch that the file shall bear as the time of its change. A web server makes its ETag of
    that and the size, so other bytes need another one."""

    body: bytes
    stamp: int


class StaticTree:
    """The folder of such pages. A page is known by its project's normalised name; "" is the list of all projects.

    What everybody may read and what only members may read lie apart, so that a web server that was set up for the one
    finds nothing of the other. Every method raises ValueError for a name that is none, and OSError.
    """

    def __init__(self, folder: Path, *, for_members: bool) -> None:
        own, other = ("members", "open") if for_members else ("open", "members")
        self._pages, self._others = folder / own / "simple", folder / other
        self._pages.mkdir(parents=True, exist_ok=True)
        self.forget_others()

    def forget_others(self) -> None:
        """Remove what was written while the index was for others than now."""
        if self._others.exists():
            shutil.rmtree(self._others)

    def names(self) -> set[str]:
        """The pages that stand there, perhaps not all of their files."""
        with os.scandir(self._pages) as entries:
            found = {entry.name for entry in entries if _NAME.fullmatch(entry.name) and entry.is_dir()}
        return found | {""}

    def stamps(self, name: str) -> tuple[int | None, int | None]:
        """Of index.html and index.json; None for one that is not there."""
        folder = self._folder(name)
        return _stamp(folder / "index.html"), _stamp(folder / "index.json")

    def withdraw(self, name: str) -> None:
        """Remove a page, and on return a power cut does not bring it back. Harmless if it is not there."""
        folder, found = self._folder(name), False
        for filename in (*reversed(FILES), _STAGED):
            with suppress(FileNotFoundError):
                (folder / filename).unlink()
                found = True
        if found:
            sync(folder)
        if name:
            with suppress(FileNotFoundError):
                folder.rmdir()

    def put(self, name: str, files: Mapping[str, PageFile]) -> None:
        """Write a page that was withdrawn before. Each file is there wholly or not at all; one writer at a time.

        files: those of FILES.
        """
        folder = self._folder(name)
        folder.mkdir(exist_ok=True)
        for filename in FILES:
            staged, file = folder / _STAGED, files[filename]
            with staged.open("wb") as out:
                out.write(file.body)
                out.flush()
                os.utime(out.fileno(), (file.stamp, file.stamp))
                os.fsync(out.fileno())  # or a power cut could leave the name with nothing behind it
            staged.rename(folder / filename)

    def _folder(self, name: str) -> Path:
        # Checked so that no caller's mistake becomes a path.
        if name and not _NAME.fullmatch(name):
            raise ValueError(f"{name!r} is not a normalised name.")
        return self._pages / name


def _stamp(path: Path) -> int | None:
    try:
        return int(path.stat().st_mtime)
    except FileNotFoundError:
        return None
