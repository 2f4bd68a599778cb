"""One-time codes agree with RFC 6238, hold for one step around now, and are read however they are typed."""

import base64
import hmac
import random
import secrets
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, unquote, urlsplit

import pyotp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.identity import totp
from domain.identity.typed_codes import MalformedCode
from tests.requirements import requirement

NOW = datetime(2026, 11, 22, 14, 5, 10, tzinfo=UTC)
PRESENT = int(NOW.timestamp()) // 30
SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
seven_fillers = st.lists(st.sampled_from(["", " ", "-", "\u3000", "\u2013"]), min_size=7, max_size=7)


def code_of(step: int, secret: str = SECRET) -> str:
    """What an app shows during a step."""
    return pyotp.TOTP(secret).at(step * 30)


@pytest.mark.parametrize(
    ("seconds", "eight_digits"),
    [  # RFC 6238, Appendix B, the rows for SHA-1; the secret is the ASCII text 12345678901234567890.
        (59, "94287082"),
        (1111111109, "07081804"),
        (1111111111, "14050471"),
        (1234567890, "89005924"),
        (2000000000, "69279037"),
        (20000000000, "65353130"),
    ],
)
def test_the_codes_of_rfc_6238(seconds: int, eight_digits: str) -> None:
    secret = base64.b32encode(b"12345678901234567890").decode()
    now = datetime.fromtimestamp(seconds, UTC)

    step = totp.matching_step(secret, code=eight_digits[-6:], now=now)

    assert step == seconds // 30


def test_a_thousand_random_codes_agree_with_pyotp() -> None:
    chance = random.Random(6238)  # noqa: S311 - the same thousand each time
    for _ in range(1000):
        secret = totp.new_secret(chance.randbytes)
        now = datetime.fromtimestamp(chance.uniform(60, 4e9), UTC)

        step = totp.matching_step(secret, code=pyotp.TOTP(secret).at(now), now=now)

        assert step == int(now.timestamp()) // 30


@requirement("R20")
@pytest.mark.parametrize("distance", [-1, 0, 1])
def test_the_present_step_and_its_neighbours_are_accepted(distance: int) -> None:
    code = code_of(PRESENT + distance)

    assert totp.matching_step(SECRET, code=code, now=NOW) == PRESENT + distance
    assert totp.clock_skew(SECRET, code=code, now=NOW) is None


@requirement("R20")
@pytest.mark.parametrize("distance", [-10, -9, -3, -2, 2, 3, 9, 10])
def test_codes_up_to_five_minutes_off_are_refused_and_tell_the_skew(distance: int) -> None:
    code = code_of(PRESENT + distance)

    assert totp.matching_step(SECRET, code=code, now=NOW) is None
    assert totp.clock_skew(SECRET, code=code, now=NOW) == timedelta(seconds=30 * distance)


@requirement("R20")
@pytest.mark.parametrize("distance", [-1000, -11, 11, 1000])
def test_codes_further_off_are_just_wrong(distance: int) -> None:
    code = code_of(PRESENT + distance)

    assert totp.matching_step(SECRET, code=code, now=NOW) is None
    assert totp.clock_skew(SECRET, code=code, now=NOW) is None


@pytest.mark.parametrize("second", [0, 29])
def test_a_step_lasts_thirty_seconds(second: int) -> None:
    start = datetime.fromtimestamp(PRESENT * 30, UTC)

    moment = start + timedelta(seconds=second, microseconds=999_999)

    assert totp.matching_step(SECRET, code=code_of(PRESENT + 1), now=moment) == PRESENT + 1
    assert totp.matching_step(SECRET, code=code_of(PRESENT + 2), now=moment) is None


@requirement("R99")
@pytest.mark.parametrize("offset", [-1, 0, 1, 5])
def test_every_step_is_compared_in_constant_time_and_to_the_end(monkeypatch: pytest.MonkeyPatch, offset: int) -> None:
    compared: list[bool] = []
    compare = hmac.compare_digest

    def counted(one: str, other: str) -> bool:
        compared.append(compare(one, other))
        return compared[-1]

    code = code_of(PRESENT + offset)
    monkeypatch.setattr(hmac, "compare_digest", counted)

    totp.matching_step(SECRET, code=code, now=NOW)

    assert len(compared) == 3
    assert compared.count(True) == (1 if abs(offset) < 2 else 0)


def test_the_code_of_another_secret_is_wrong() -> None:
    code = code_of(PRESENT, secret="MFRGGZDFMZTWQ2LKNNWG23TPOBYXE43U")

    assert totp.matching_step(SECRET, code=code, now=NOW) is None


def test_a_code_of_two_steps_counts_as_the_newest_and_is_spent_for_both() -> None:
    older, newer = 50_897_033, 50_897_035  # found by trying; in May 2018
    now = datetime.fromtimestamp((older + 1) * 30, UTC)

    matched = totp.matching_step(SECRET, code="407517", now=now)

    assert code_of(older) == code_of(newer) == "407517"
    assert matched == newer


def test_at_the_beginning_of_time_no_step_before_it_is_asked_for() -> None:
    epoch = datetime.fromtimestamp(0, UTC)

    assert totp.matching_step(SECRET, code=code_of(0), now=epoch) == 0
    assert totp.clock_skew(SECRET, code=code_of(3), now=epoch) == timedelta(seconds=90)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-60, "about 1 minute behind"),
        (60, "about 1 minute ahead"),
        (90, "about 2 minutes ahead"),
        (-120, "about 2 minutes behind"),
        (150, "about 3 minutes ahead"),
        (-300, "about 5 minutes behind"),
    ],
)
def test_the_skew_is_told_in_whole_minutes(seconds: int, words: str) -> None:
    sentence = totp.skew_sentence(timedelta(seconds=seconds))

    assert sentence == f"Your phone's clock seems {words}. Switch on automatic time."


@requirement("R19")
@pytest.mark.parametrize(
    "typed",
    [
        "402118",
        "402 118",
        " 40 21 18 ",
        "402-118",
        "402\u2011118",
        "402\u00a0118",
        "４０２１１８",
        "４０２　１１８",
        "402118\r\n",
        "\u200e402118\u200b",
    ],
)
def test_one_code_typed_in_many_ways_is_one_code(typed: str) -> None:
    assert totp.clean_code(typed) == "402118"


@pytest.mark.parametrize("typed", ["", "   ", "\n\t", "\u00a0"])
def test_an_empty_code_is_asked_for(typed: str) -> None:
    with pytest.raises(MalformedCode) as refusal:
        totp.clean_code(typed)

    assert refusal.value.message == "Type the six digits that your app shows."
    assert refusal.value.field == "totp_value"


@pytest.mark.parametrize(
    "typed",
    [
        "40211",
        "4021188",
        "40211x",
        "-",
        "+40211",
        "4.0211",
        "٤٠٢١١٨",
        "४०२११८",
        "402118\0",
        "\ud800",
        "1" * 10**6,
    ],
)
def test_what_is_no_code_is_refused_in_words(typed: str) -> None:
    with pytest.raises(MalformedCode) as refusal:
        totp.clean_code(typed)

    assert refusal.value.message == "That is not a six-digit code. Type the six digits that your app shows now."
    assert refusal.value.field == "totp_value"


@requirement("R19")
@given(typed=st.text(st.sampled_from("0123456789 -０１２９٣²\u2011\u00a0\u200b") | st.characters(), max_size=12))
def test_whatever_is_typed_becomes_six_ascii_digits_or_a_refusal(typed: str) -> None:
    try:
        code = totp.clean_code(typed)
    except MalformedCode:
        return

    assert len(code) == 6
    assert set(code) <= set("0123456789")
    assert totp.clean_code(code) == code


@given(code=st.text("0123456789", min_size=6, max_size=6), fillers=seven_fillers)
def test_blanks_and_hyphens_do_not_matter_wherever_they_stand(code: str, fillers: list[str]) -> None:
    typed = fillers[0] + "".join(digit + filler for digit, filler in zip(code, fillers[1:], strict=True))

    assert totp.clean_code(typed) == code


def test_a_megabyte_of_combining_marks_is_refused_at_once() -> None:
    with pytest.raises(MalformedCode):
        totp.clean_code("1" + "\u0301\u0316" * 500_000)


@requirement("R22")
def test_a_secret_has_160_random_bits_in_32_characters() -> None:
    secret = totp.new_secret(lambda count: bytes(range(count)))

    assert base64.b32decode(secret) == bytes(range(20))
    assert len(totp.new_secret(secrets.token_bytes)) == 32
    assert totp.new_secret(secrets.token_bytes) != totp.new_secret(secrets.token_bytes)


def test_the_uri_carries_all_that_an_app_needs() -> None:
    uri = totp.otpauth_uri(SECRET, account="ada", issuer="Countersign", label="Work phone")

    parts = urlsplit(uri)
    assert (parts.scheme, parts.netloc) == ("otpauth", "totp")
    assert unquote(parts.path) == "/Countersign:ada (Work phone)"
    assert parse_qs(parts.query) == {"secret": [SECRET], "issuer": ["Countersign"]}
    app = pyotp.parse_uri(uri)
    assert isinstance(app, pyotp.TOTP)
    assert app.at(NOW) == code_of(PRESENT)


def test_the_uri_needs_no_label() -> None:
    uri = totp.otpauth_uri(SECRET, account="ada", issuer="Countersign", label="")

    assert unquote(urlsplit(uri).path) == "/Countersign:ada"


def test_signs_that_mean_something_in_a_uri_stay_part_of_the_names() -> None:
    uri = totp.otpauth_uri(SECRET, account="ada&secret=AAAA", issuer="localhost:8000 ü", label="a/b: #1?")

    app = pyotp.parse_uri(uri)
    assert (app.issuer, app.name, app.secret) == ("localhost 8000 ü", "ada&secret=AAAA (a/b  #1?)", SECRET)


def test_the_secret_is_shown_in_groups_of_four() -> None:
    assert totp.grouped(SECRET) == ["GEZD", "GNBV", "GY3T", "QOJQ", "GEZD", "GNBV", "GY3T", "QOJQ"]
