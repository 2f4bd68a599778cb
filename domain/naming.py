"""What people may call accounts, organizations and teams, and how the texts that they write are kept."""

import re
import unicodedata

from domain.problems import Problem

MIN_NAME, MAX_NAME = 2, 50
NAME_FORM = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?")  # PyPI's for usernames

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


def looks_like_name(text: str) -> bool:
    """Whether this could be somebody's name in an address."""
    return len(text) <= MAX_NAME and NAME_FORM.fullmatch(text) is not None


def check_name(name: str, *, field: str, what: str) -> None:
    """Raise Problem at the field unless an account or organization may be called so.

    what: completes "Choose …" where nothing was typed. Whether the name is taken is another question.
    """
    check_form(name, field=field, what=what)
    if name.lower() in RESERVED:
        raise Problem("This name is reserved, because people could take it for the index itself.", field=field)


def check_form(name: str, *, field: str, what: str) -> None:
    """The same for a name that nobody could take for the index, such as a team's in its organization."""
    if not name:
        raise Problem(f"Choose {what}.", field=field)
    if len(name) < MIN_NAME:
        raise Problem(f"Use at least {MIN_NAME} characters.", field=field)
    if len(name) > MAX_NAME:
        raise Problem(f"Use at most {MAX_NAME} characters.", field=field)
    if not looks_like_name(name):
        raise Problem(
            "Use letters from A to Z, digits, and between them full stops, hyphens and underscores.", field=field
        )


def clean_line(typed: str, *, field: str, most: int) -> str:
    """One line as it is kept: blanks folded. May be empty. Raises Problem at the field."""
    return " ".join(_normal(typed, field=field, most=most, besides="").split())


def clean_text(typed: str, *, field: str, most: int) -> str:
    """Lines as they are kept: as they were typed, without blanks around them. May be empty. Raises Problem at the
    field."""
    return _normal(typed.replace("\r\n", "\n"), field=field, most=most, besides="\n\t").strip()


def _normal(typed: str, *, field: str, most: int, besides: str) -> str:
    if len(typed) > most:  # before anything else is done with it: normalising long text takes minutes
        raise Problem(f"Use at most {most} characters.", field=field)
    if not all(is_visible(char) or char in besides for char in typed.strip()):
        what = "control characters and invisible ones" if besides else "line breaks and invisible characters"
        raise Problem(f"Leave out {what}.", field=field)
    normal = unicodedata.normalize("NFC", typed)
    if len(normal) > most:  # a few characters come apart in NFC
        raise Problem(f"Use at most {most} characters.", field=field)
    return normal


def is_visible(char: str) -> bool:
    """Whether a character shows, is a blank, or joins others that do."""
    return char.isprintable() or char in JOINERS or unicodedata.category(char) == "Zs"
