"""A password is kept as an Argon2id hash, matches to the letter, and costs the same whoever asks."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import argon2
import pytest
from argon2.exceptions import InvalidHashError

from domain.identity.passwords import MAX_LENGTH, HashCost, PasswordHasher
from tests.requirements import requirement

FAST = HashCost(time_cost=1, memory_kib=8)
PASSWORD = "correct horse battery staple"


def test_a_password_matches_its_own_hash_and_no_other_does() -> None:
    hasher = PasswordHasher(FAST)

    kept = hasher.hash(PASSWORD)

    assert hasher.verify(kept, PASSWORD)
    assert not hasher.verify(kept, "correct horse battery stable")
    assert not hasher.verify(kept, "")


@requirement("R72")
def test_the_hash_is_argon2id_with_its_cost_and_a_salt_of_its_own() -> None:
    hasher = PasswordHasher(HashCost(time_cost=2, memory_kib=16, parallelism=1))

    first, second = hasher.hash(PASSWORD), hasher.hash(PASSWORD)

    assert first.startswith("$argon2id$v=19$m=16,t=2,p=1$")
    assert first != second


@requirement("R72")
def test_the_usual_cost_is_three_passes_over_64_mib() -> None:
    kept = PasswordHasher(HashCost()).hash(PASSWORD)

    assert kept.startswith("$argon2id$v=19$m=65536,t=3,p=1$")


@requirement("R71")
@pytest.mark.parametrize(
    "other",
    [
        pytest.param(PASSWORD + " ", id="a trailing blank"),
        pytest.param(" " + PASSWORD, id="a leading blank"),
        pytest.param(PASSWORD.title(), id="another case"),
        pytest.param("correct horse  battery staple", id="a doubled blank"),
        pytest.param("ｃorrect horse battery staple", id="a full-width letter"),
    ],
)
def test_nothing_about_a_password_is_forgiven(other: str) -> None:
    hasher = PasswordHasher(FAST)

    kept = hasher.hash(PASSWORD)

    assert not hasher.verify(kept, other)


@requirement("R71")
@pytest.mark.parametrize("position", [71, 72, 73, 199, MAX_LENGTH - 1])
def test_a_long_password_counts_to_its_last_character(position: int) -> None:
    hasher = PasswordHasher(FAST)
    password = "x" * MAX_LENGTH

    kept = hasher.hash(password)

    assert hasher.verify(kept, password)
    assert not hasher.verify(kept, password[:position] + "y" + password[position + 1 :])


def test_two_ways_to_type_an_accent_are_one_password() -> None:
    hasher = PasswordHasher(FAST)

    kept = hasher.hash("caf\u00e9 au lait, s'il vous pla\u00eet")

    assert hasher.verify(kept, "cafe\u0301 au lait, s'il vous plai\u0302t")


def test_half_a_character_from_json_is_a_password_like_any_other() -> None:
    hasher = PasswordHasher(FAST)

    kept = hasher.hash("a lone half: \ud83d")

    assert hasher.verify(kept, "a lone half: \ud83d")
    assert not hasher.verify(kept, "a lone half: \ud83e")


def test_without_a_hash_nothing_matches() -> None:
    hasher = PasswordHasher(FAST)

    answers = [hasher.verify(None, PASSWORD), hasher.verify(None, "")]

    assert answers == [False, False]


@requirement("R11")
def test_an_unknown_user_costs_as_much_work_as_a_wrong_password() -> None:
    hasher = PasswordHasher(HashCost(time_cost=2, memory_kib=4096))
    kept = hasher.hash(PASSWORD)

    wrong = fastest_of(9, lambda: hasher.verify(kept, "wrong"))
    unknown = fastest_of(9, lambda: hasher.verify(None, "wrong"))
    far_too_long = fastest_of(9, lambda: hasher.verify(kept, "x" * (MAX_LENGTH + 1)))

    assert unknown == pytest.approx(wrong, rel=0.5)
    assert far_too_long == pytest.approx(wrong, rel=0.5)


def test_a_megabyte_of_combining_marks_is_refused_at_once() -> None:
    hasher = PasswordHasher(FAST)
    kept = hasher.hash(PASSWORD)
    started = time.thread_time()

    matches = hasher.verify(kept, "a" + "\u0301\u0316" * 250_000)

    assert not matches
    assert time.thread_time() - started < 1


def test_a_password_too_long_to_check_is_not_kept_either() -> None:
    hasher = PasswordHasher(FAST)

    with pytest.raises(ValueError, match="at most 4096"):
        hasher.hash("x" * (MAX_LENGTH + 1))


def test_a_damaged_hash_is_an_error_and_no_way_in() -> None:
    hasher = PasswordHasher(FAST)

    with pytest.raises(InvalidHashError):
        hasher.verify("plain text", "plain text")


@requirement("R72")
def test_a_hash_of_another_cost_still_matches_and_wants_to_be_made_anew() -> None:
    old, new = PasswordHasher(FAST), PasswordHasher(HashCost(time_cost=2, memory_kib=8))

    kept = old.hash(PASSWORD)

    assert new.verify(kept, PASSWORD)
    assert new.needs_rehash(kept)
    assert not old.needs_rehash(kept)
    assert not new.needs_rehash(new.hash(PASSWORD))


def test_no_more_hashes_than_allowed_are_worked_out_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    watched = WatchedArgon2()
    monkeypatch.setattr(argon2, "PasswordHasher", lambda **_: watched)
    hasher = PasswordHasher(FAST, at_once=2)

    with ThreadPoolExecutor(12) as pool:
        list(pool.map(hasher.hash, ["password"] * 6))
        list(pool.map(hasher.verify, ["hash", None] * 6, ["password"] * 12))

    assert watched.most_at_once == 2


class WatchedArgon2:
    """Argon2 that counts how many hashes are under way."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._now = 0
        self.most_at_once = 0

    def hash(self, password: bytes) -> str:
        with self._lock:
            self._now += 1
            self.most_at_once = max(self.most_at_once, self._now)
        time.sleep(0.01)
        with self._lock:
            self._now -= 1
        return "hash"

    def verify(self, kept: str, password: bytes) -> bool:
        return self.hash(password) == kept


def fastest_of(tries: int, work: Callable[[], object]) -> float:
    """Seconds of CPU of the fastest try: what else the machine does can only make it slower."""
    seconds = []
    for _ in range(tries):
        started = time.thread_time()
        work()
        seconds.append(time.thread_time() - started)
    return min(seconds)
