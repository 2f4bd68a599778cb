"""What an account may be called."""

import pytest

from domain.identity.account_names import check_username, clean_full_name, looks_like_username
from domain.problems import Problem


@pytest.mark.parametrize("name", ["ab", "a1", "Ana", "ana.b", "a_b", "a-b", "a..b", "9lives", "x" * 50, "ADMIN1"])
def test_usernames_of_pypi_are_usernames_here(name: str) -> None:
    check_username(name)

    assert looks_like_username(name)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("", "Choose a username"),
        ("a", "at least 2"),
        ("x" * 51, "at most 50"),
        ("x" * 100_000, "at most 50"),
        *((name, "letters from A to Z") for name in (".ana", "ana.", "-ana", "ana_", "an a", "ana@mail.example")),
        *(
            (name, "letters from A to Z")
            for name in ("anä", "аna", "ana\n", "a\x00na", "an\u202ea", "__token__", "ana/b")
        ),
        *((name, "reserved") for name in ("admin", "Admin", "ROOT", "countersign", "nobody", "no-reply")),
    ],
)
def test_what_is_no_username_is_refused_with_the_reason(name: str, words: str) -> None:
    with pytest.raises(Problem, match=words) as refused:
        check_username(name)

    assert refused.value.field == "username"


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("", ""),
        ("  Ana   Bell ", "Ana Bell"),
        ("Ana\u00a0Bell", "Ana Bell"),
        ("Ana\u0308", "An\u00e4"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("x" * 100, "x" * 100),
    ],
)
def test_full_names_are_kept_as_they_are_written(typed: str, kept: str) -> None:
    assert clean_full_name(typed) == kept


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("x" * 101, "at most 100"),
        ("\ufb2c" * 50, "at most 100"),  # one letter that NFC takes apart into three
        ("win at https://evil.example", "web addresses"),
        *((f"A{mark}B", "invisible") for mark in "\x00\n\t\x1b\u202e\u2066\u200b\ufeff\u2028\ue000"),
    ],
)
def test_what_is_no_name_is_refused_with_the_reason(typed: str, words: str) -> None:
    with pytest.raises(Problem, match=words) as refused:
        clean_full_name(typed)

    assert refused.value.field == "full_name"
