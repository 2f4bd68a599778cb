"""A token is recognised by its form alone, and only its hash is kept."""

import hashlib
import secrets
import string
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.identity.token_texts import hint, looks_like_token, new_token, token_hash
from tests.requirements import requirement


@requirement("R80")
def test_a_token_has_prefix_random_part_and_checksum() -> None:
    token = new_token(secrets.token_bytes)

    assert token.startswith("csn_")
    assert len(token) == 4 + 43 + 6
    assert set(token) <= set(string.ascii_letters + string.digits + "-_")


@requirement("R80")
@pytest.mark.parametrize(
    ("randomness", "token"),
    [
        # CRC32 is 4020956265 and 204167558; the shorter one is filled up with a zero.
        (bytes(range(32)), "csn_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh84O7WPJ"),
        (bytes(32), "csn_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA0DofJ8"),
    ],
)
def test_the_form_stays_what_scanners_have_learnt(randomness: bytes, token: str) -> None:
    assert new_token(lambda count: randomness[:count]) == token


def test_two_tokens_are_never_the_same() -> None:
    tokens = {new_token(secrets.token_bytes) for _ in range(1000)}

    assert len(tokens) == 1000


@given(randomness=st.binary(min_size=32, max_size=32))
def test_every_token_looks_like_one(randomness: bytes) -> None:
    token = new_token(lambda count: randomness[:count])

    assert looks_like_token(token)


@given(position=st.integers(4, 52), sign=st.sampled_from(string.ascii_letters + string.digits + "-_"))
def test_a_token_with_one_sign_changed_does_not(position: int, sign: str) -> None:
    token = new_token(secrets.token_bytes)

    altered = token[:position] + sign + token[position + 1 :]

    assert looks_like_token(altered) == (altered == token)


@pytest.mark.parametrize(
    "alter",
    [
        pytest.param(lambda token: "", id="nothing"),
        pytest.param(lambda token: token[:-1], id="cut short"),
        pytest.param(lambda token: token + "0", id="one too many"),
        pytest.param(lambda token: token + "\n", id="a line break at the end"),
        pytest.param(lambda token: " " + token, id="a blank in front"),
        pytest.param(lambda token: token.replace("csn_", "pypi-"), id="another prefix"),
        pytest.param(lambda token: token.replace("csn_", "CSN_"), id="the prefix in capitals"),
        pytest.param(lambda token: token.swapcase(), id="the case turned"),
        pytest.param(lambda token: token[:10] + "ä" + token[11:], id="a letter beyond ASCII"),
        pytest.param(lambda token: token[:10] + "\0" + token[11:], id="a NUL"),
        pytest.param(lambda token: token[:10] + "\ud800" + token[11:], id="half a character"),
        pytest.param(lambda token: token * 20_000, id="a megabyte"),
    ],
)
def test_what_is_no_token_does_not_look_like_one(alter: Callable[[str], str]) -> None:
    token = new_token(secrets.token_bytes)

    assert not looks_like_token(alter(token))


@requirement("R80")
def test_only_a_sha256_hash_is_kept() -> None:
    token = new_token(secrets.token_bytes)

    kept = token_hash(token)

    assert kept == hashlib.sha256(token.encode("ascii")).digest()


def test_the_hint_is_the_end_of_the_random_part() -> None:
    token = new_token(lambda count: bytes(range(count)))

    assert hint(token) == "dHh8"
