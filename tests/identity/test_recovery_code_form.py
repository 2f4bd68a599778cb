"""Recovery codes are random, hard to misread, and read back however they are typed."""

import re
import secrets
from collections import Counter
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.identity.recovery import ALPHABET, as_file, clean_recovery_code, new_codes
from domain.identity.typed_codes import MalformedCode
from tests.requirements import requirement

CODE = "01AB-9XYZ-TVWE-0011"
A_CODE = st.text(ALPHABET, min_size=16, max_size=16)


def test_there_are_ten_different_codes_of_four_groups() -> None:
    codes = new_codes(secrets.token_bytes)

    assert len(set(codes)) == 10
    form = re.compile(r"[0-9A-HJKMNP-TV-Z]{4}(-[0-9A-HJKMNP-TV-Z]{4}){3}")
    assert [code for code in codes if not form.fullmatch(code)] == []


@requirement("R29")
def test_each_symbol_stands_for_five_bits_of_the_given_randomness() -> None:
    every_symbol_twice = int("".join(f"{number:05b}" for number in range(32)) * 5, 2).to_bytes(100, "big")
    stream = iter(every_symbol_twice)

    codes = new_codes(lambda count: bytes(next(stream) for _ in range(count)))

    assert "".join(codes).replace("-", "") == ALPHABET * 5


@requirement("R29")
def test_no_symbol_is_likelier_than_another() -> None:
    seen = Counter("".join("".join(new_codes(secrets.token_bytes)) for _ in range(400)).replace("-", ""))

    assert set(seen) == set(ALPHABET)
    assert max(abs(count - 2000) for count in seen.values()) < 400  # nine standard deviations


def test_a_code_is_read_back_as_it_was_shown() -> None:
    codes = new_codes(secrets.token_bytes)

    assert [clean_recovery_code(code) for code in codes] == codes


@pytest.mark.parametrize(
    "typed",
    [
        "01ab-9xyz-tvwe-0011",
        "01AB9XYZTVWE0011",
        " 01ab 9xyz tvwe 0011\n",
        "01AB\u20139XYZ\u2013TVWE\u20130011",
        "O1AB-9XYZ-TVWE-OOIL",
        "oiab-9xyz-tvwe-ooil",
        "Ｏ１ＡＢ－９ＸＹＺ－ＴＶＷＥ－００１１",
    ],
)
def test_case_blanks_hyphens_and_misread_letters_are_forgiven(typed: str) -> None:
    assert clean_recovery_code(typed) == CODE


@given(code=A_CODE)
def test_every_code_survives_being_typed_carelessly(code: str) -> None:
    careless = " ".join(code.lower().replace("0", "o").replace("1", "l"))

    assert clean_recovery_code(careless).replace("-", "") == code


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        ("", "Type one of your recovery codes."),
        (" \n", "Type one of your recovery codes."),
        ("01AB-9XYZ-TVWE", "That is not a whole recovery code."),
        (CODE + "0", "That is not a whole recovery code."),
        ("402118", "That is not a whole recovery code."),
        ("0" * 10**6, "That is not a whole recovery code."),
        ("U1AB-9XYZ-TVWE-0011", "That is not a recovery code."),
        ("01AB-9XYZ-TVWE-001!", "That is not a recovery code."),
        ("01AB-9XYZ-TVWE-001\0", "That is not a recovery code."),
        ("01AB-9XYZ-TVWE-001\ud800", "That is not a recovery code."),
    ],
)
def test_what_is_no_recovery_code_is_refused_in_words(typed: str, message: str) -> None:
    with pytest.raises(MalformedCode) as refusal:
        clean_recovery_code(typed)

    assert refusal.value.message.startswith(message)
    assert refusal.value.field == "recovery_code_value"


@given(typed=st.text(max_size=24))
def test_whatever_is_typed_becomes_a_code_in_its_shown_form_or_a_refusal(typed: str) -> None:
    try:
        code = clean_recovery_code(typed)
    except MalformedCode:
        return

    assert clean_recovery_code(code) == code


def test_the_file_says_whose_codes_they_are_and_when_they_were_made() -> None:
    codes = new_codes(secrets.token_bytes)
    made_at = datetime(2026, 11, 3, 16, 5, tzinfo=timezone(timedelta(hours=2)))

    text = as_file(codes, site="index.example", username="ada", made_at=made_at)

    lines = text.splitlines()
    assert lines[0] == "Recovery codes for ada at index.example"
    assert lines[1].startswith("Made on 3 Nov 2026, 14:05 UTC.")
    assert lines[3:13] == [f"{number:>2}. {code}" for number, code in enumerate(codes, start=1)]
    assert text.endswith("Making new codes voids these.\n")


def test_a_code_copied_from_the_file_with_its_hyphens_is_read() -> None:
    codes = new_codes(secrets.token_bytes)
    text = as_file(codes, site="index.example", username="ada", made_at=datetime.now().astimezone())

    copied = [line.partition(". ")[2] for line in text.splitlines()[3:13]]

    assert [clean_recovery_code(code) for code in copied] == codes
