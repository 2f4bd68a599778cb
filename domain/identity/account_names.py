"""What an account may be called: usernames and full names."""

from collections.abc import Iterable

from domain import naming
from domain.problems import Problem

MAX_FULL_NAME = 100
MAX_GUESS = 254  # the longest address; more would only cost time


def looks_like_username(text: str) -> bool:
    """Whether this could be somebody's username."""
    return naming.looks_like_name(text)


def check_username(username: str) -> None:
    """Raise Problem at the field unless an account may be called so. Whether it is taken is another question."""
    naming.check_name(username, field="username", what="a username")


def clean_full_name(typed: str) -> str:
    """The name as it is kept: blanks folded. May be empty. Raises Problem at the field."""
    name = naming.clean_line(typed, field="full_name", most=MAX_FULL_NAME)
    if "://" in name:
        raise Problem("Leave out web addresses.", field="full_name")
    return name


def guesses_about(username: str, full_name: str, addresses: Iterable[str]) -> list[str]:
    """What somebody who guesses the password of this account would try first; the texts may be unchecked ones."""
    return [text[:MAX_GUESS] for text in (username, full_name, *addresses, "countersign")]
