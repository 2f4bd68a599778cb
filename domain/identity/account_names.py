"""What an account may be called: usernames and full names."""

import re
import unicodedata
from collections.abc import Iterable

from domain.problems import Problem
from models.user import username_key

MIN_USERNAME, MAX_USERNAME = 2, 50
MAX_FULL_NAME = 100
MAX_GUESS = 254  # the longest address; more would only cost time
USERNAME_FORM = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?")  # PyPI's

# Names by which somebody could pass for the index itself, or which read like nobody at all.
RESERVED = frozenset(
    """
    abuse account accounts admin administrator anonymous api countersign deleted everyone help hostmaster index info
    legacy login logout mail mailer-daemon manage me nobody none noreply no-reply null official operator owner owners
    pip postmaster pypi python register robot root security service settings simple staff support sysadmin system
    team token undefined unknown user username webmaster
    """.split()  # noqa: SIM905 - fifty names, read in rows
)

# Needed inside words of Persian and of Indic scripts, and in some emoji; other invisible marks only disguise.
JOINERS = "\u200c\u200d"


def looks_like_username(text: str) -> bool:
    """Whether this could be somebody's username."""
    return len(text) <= MAX_USERNAME and USERNAME_FORM.fullmatch(text) is not None


def check_username(username: str) -> None:
    """Raise Problem at the field unless an account may be called so. Whether it is taken is another question."""
    if not username:
        raise _username_problem("Choose a username.")
    if len(username) < MIN_USERNAME:
        raise _username_problem(f"Use at least {MIN_USERNAME} characters.")
    if len(username) > MAX_USERNAME:
        raise _username_problem(f"Use at most {MAX_USERNAME} characters.")
    if not looks_like_username(username):
        raise _username_problem(
            "Use letters from A to Z, digits, and between them full stops, hyphens and underscores."
        )
    if username_key(username) in RESERVED:
        raise _username_problem("This name is reserved, because people could take it for the index itself.")


def clean_full_name(typed: str) -> str:
    """The name as it is kept: blanks folded. May be empty. Raises Problem at the field."""
    if len(typed) > MAX_FULL_NAME:  # before anything else is done with it: normalising long text takes minutes
        raise _full_name_problem(f"Use at most {MAX_FULL_NAME} characters.")
    if not all(_is_visible(char) for char in typed.strip()):
        raise _full_name_problem("Leave out line breaks and invisible characters.")
    if "://" in typed:
        raise _full_name_problem("Leave out web addresses.")
    name = " ".join(unicodedata.normalize("NFC", typed).split())
    if len(name) > MAX_FULL_NAME:  # a few characters come apart in NFC
        raise _full_name_problem(f"Use at most {MAX_FULL_NAME} characters.")
    return name


def guesses_about(username: str, full_name: str, addresses: Iterable[str]) -> list[str]:
    """What somebody who guesses the password of this account would try first; the texts may be unchecked ones."""
    return [text[:MAX_GUESS] for text in (username, full_name, *addresses, "countersign")]


def _is_visible(char: str) -> bool:
    return char.isprintable() or char in JOINERS or unicodedata.category(char) == "Zs"


def _username_problem(message: str) -> Problem:
    return Problem(message, field="username")


def _full_name_problem(message: str) -> Problem:
    return Problem(message, field="full_name")
