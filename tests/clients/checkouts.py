"""A project of one module as it lies on somebody's disk, with the files that were built from it in `dist`."""

from pathlib import Path

from flit_core.sdist import SdistBuilder
from flit_core.wheel import make_wheel_in

PYPROJECT = """
[build-system]
requires = ["flit_core"]
build-backend = "flit_core.buildapi"

[project]
name = "{name}"
version = "{version}"
description = "High and low water for any harbour."
requires-python = ">=3.11"
"""


def a_checkout(folder: Path, name: str, version: str = "1.0", *, says: str = "", module: str = "") -> Path:
    """Such a project, in a new folder there. says: more lines of its `[project]`. module: what its module holds."""
    checkout = folder / f"{name}-{version}"
    (checkout / "dist").mkdir(parents=True)
    pyproject = checkout / "pyproject.toml"
    pyproject.write_text(PYPROJECT.format(name=name, version=version) + says)
    (checkout / f"{name.replace('-', '_')}.py").write_text(module)
    make_wheel_in(pyproject, checkout / "dist")
    SdistBuilder.from_ini_path(pyproject).build(checkout / "dist")
    return checkout
