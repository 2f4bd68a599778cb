"""Which names a project may have, and which names people would mix up."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.index.names import MAX_NAME_LENGTH, InvalidName, check_name, lookalike_key, normalize


@pytest.mark.parametrize("spelling", ["My.Fancy-Pkg", "my_fancy_pkg", "MY--FANCY..PKG", "my-fancy-pkg"])
def test_all_spellings_of_a_name_are_one_name(spelling: str) -> None:
    assert normalize(spelling) == "my-fancy-pkg"


@pytest.mark.parametrize("name", ["a", "7", "acme-utils", "Acme.Utils", "zope.interface", "a" * MAX_NAME_LENGTH])
def test_a_good_name_is_accepted_and_returned_normalized(name: str) -> None:
    assert check_name(name) == normalize(name)


@pytest.mark.parametrize(
    "name",
    [
        "-a",
        "a-",
        ".a",
        "a_",
        "a b",
        "a/b",
        "a\\b",
        "..",
        "acme\n",
        "acme\0",
        "ácme",
        "acme\u200f",
        "аcme",
        "a:b",
    ],
)
def test_a_name_of_the_wrong_form_is_refused(name: str) -> None:
    with pytest.raises(InvalidName, match="ASCII letters, digits") as refusal:
        check_name(name)

    assert refusal.value.field == "name"
    assert refusal.value.message.isascii()
    assert "\n" not in refusal.value.message


def test_a_missing_name_is_asked_for() -> None:
    with pytest.raises(InvalidName, match="Give the project a name"):
        check_name("")


def test_a_name_over_the_limit_is_refused_without_repeating_it() -> None:
    with pytest.raises(InvalidName, match=r"1000000 characters\. The limit is 100") as refusal:
        check_name("a" * 1_000_000)

    assert len(refusal.value.message) < 200


@pytest.mark.parametrize(
    ("name", "like"),
    [("1ogging", "logging"), ("nu11", "null"), ("Un-It.Test", "unittest"), ("requirements.tx-t", "requirements-txt")],
)
def test_a_name_too_like_a_protected_one_is_refused(name: str, like: str) -> None:
    with pytest.raises(InvalidName, match=f"too like one that no project may have: {like}") as refusal:
        check_name(name)

    assert refusal.value.field == "name"


@pytest.mark.parametrize("name", ["winapi", "pathlib2", "jsonlines"])
def test_a_name_that_only_reminds_of_a_protected_one_is_accepted(name: str) -> None:
    assert check_name(name) == name


@pytest.mark.parametrize("name", ["json", "Email", "unittest", "concurrent", "xml", "this"])
def test_a_module_of_the_standard_library_is_refused(name: str) -> None:
    with pytest.raises(InvalidName, match="standard library"):
        check_name(name)


@pytest.mark.parametrize("name", ["requirements.txt", "Requirements-TXT", "setup.py", "pyproject.toml", "nul"])
def test_a_name_asked_for_by_mistake_is_refused(name: str) -> None:
    with pytest.raises(InvalidName, match="not allowed"):
        check_name(name)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("acme-utils", "acmeutils"),
        ("foo", "f0o"),
        ("lib", "1ib"),
        ("lib", "iib"),
        ("lib", "Llb"),
        ("a.b_c", "A-BC"),
    ],
)
def test_names_that_look_alike_share_a_key(one: str, other: str) -> None:
    assert lookalike_key(one) == lookalike_key(other)


@pytest.mark.parametrize(("one", "other"), [("acme", "acne"), ("foo", "fo"), ("lib1", "lib2"), ("b", "d")])
def test_names_that_differ_plainly_have_keys_of_their_own(one: str, other: str) -> None:
    assert lookalike_key(one) != lookalike_key(other)


@given(st.text(max_size=120))
def test_any_text_is_either_a_name_or_a_problem(name: str) -> None:
    try:
        normalized = check_name(name)
    except InvalidName:
        return

    assert normalize(normalized) == normalized
    assert lookalike_key(name) == lookalike_key(normalized)
