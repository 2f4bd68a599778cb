"""What a project may be called, and which names are too alike."""

import sys

from packaging.utils import InvalidName as MalformedName
from packaging.utils import NormalizedName, canonicalize_name

from domain.problems import Problem

MAX_NAME_LENGTH = 100

# Slips of the keyboard (`pip install requirements.txt` asks the index for just that) and names that cannot be
# a folder on every system. Normalized.
PROHIBITED_NAMES = frozenset(
    {
        "requirements-txt", "requirement-txt", "rrequirements-txt", "requirements-in", "requirements-dev-txt",
        "setup-py", "setup-cfg", "pyproject-toml", "pipfile", "pipfile-lock", "poetry-lock", "uv-lock",
        "site-packages", "dist-info", "egg-info", "index-html", "simple", "none", "null", "undefined",
        "aux", "con", "nul", "prn",
    }
)  # fmt: skip

_STANDARD_LIBRARY = frozenset(canonicalize_name(module) for module in sys.stdlib_module_names)
_LOOKALIKES = str.maketrans({"0": "o", "l": "1", "i": "1", "-": None, "_": None, ".": None})


def lookalike_key(name: str) -> str:
    """What is left of a name when similar signs are made one: equal keys mean names that people mix up.

    0 and o, 1, l and i are one sign each; hyphen, underscore and full stop are none: "Fo0-Lib" is "foo11b".
    """
    return name.lower().translate(_LOOKALIKES)


# Of the modules that only Python itself asks for, `_winapi` and the like, just the exact names are kept free.
_PROTECTED = {
    lookalike_key(name): name for name in sorted(PROHIBITED_NAMES | _STANDARD_LIBRARY) if not name.startswith("-")
}


class InvalidName(Problem):
    """A name that no project may have."""

    def __init__(self, message: str) -> None:
        super().__init__(message, field="name", code="invalid_name")


def normalize(name: str) -> NormalizedName:
    """The one spelling that stands for all of a name's spellings: "My.Pkg" is "my-pkg" (PEP 503)."""
    return canonicalize_name(name)


def is_typed(typed: str, normalized_name: str) -> bool:
    """Whether somebody typed this project's name, however they spell it, to confirm what they do."""
    return normalize(typed.strip()) == normalized_name


def check_name(name: str) -> NormalizedName:
    """Say whether a new project may be called this, and return the normalized name.

    Raises InvalidName with the reason. Whether the name is taken is for the database to say.
    """
    if not name:
        raise InvalidName("Give the project a name.")
    if len(name) > MAX_NAME_LENGTH:
        raise InvalidName(f"The project name has {len(name)} characters. The limit is {MAX_NAME_LENGTH}.")
    try:
        normalized = canonicalize_name(name, validate=True)
    except MalformedName:
        raise InvalidName(
            f"The project name {name!a} is not valid. Use ASCII letters, digits, hyphens, underscores and"
            " full stops, with a letter or digit first and last."
        ) from None
    if normalized in _STANDARD_LIBRARY:
        raise InvalidName(
            f"The project name {name!a} is that of a module of Python's standard library. Choose another."
        )
    if normalized in PROHIBITED_NAMES:
        raise InvalidName(f"The project name {name!a} is not allowed: it is easily asked for by mistake.")
    if lookalike_key(name) in _PROTECTED:
        raise InvalidName(
            f"The project name {name!a} is too like one that no project may have:"
            f" {_PROTECTED[lookalike_key(name)]}. Choose another."
        )
    return normalized
