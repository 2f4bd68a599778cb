"""Whether a password is the right one, and whether a new one is strong enough."""

import itertools
import re
import threading
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

import argon2
from argon2.exceptions import VerifyMismatchError

from adapters.breaches import Breaches
from domain.problems import Problem

# A second factor stands beside it: NIST SP 800-63B-4 §3.1.1.2 asks for 8 then, and for 15 without one.
MIN_LENGTH = 12
# Far beyond any passphrase. Without a bound, one request could normalise text for minutes (CVE-2026-3276).
MAX_LENGTH = 4096

# zxcvbn's scale ends at 4. PyPI asks for 2, enough against guessing at the door; 3 still holds for a while
# when the hashes are stolen. It is also the score from which zxcvbn has nothing left to criticise.
MIN_SCORE = 3
# zxcvbn's time grows faster than the square of the length: substitutions such as "4@({[<6" cost 0.4 s for 32
# characters and 3.6 s for 100. A password whose beginning is strong is strong as a whole.
SCORED_CHARACTERS = 32
MAX_FACT_LENGTH = 100

FIELD = "new_password"
ADVICE = "Four or five unrelated words make a good one, or let a password manager choose."
LEAKED = (
    "This password stands in lists of passwords that leaked from other sites, and those are tried first. "
    f"Choose one that you use nowhere else. {ADVICE}"
)


class WeakPassword(Problem):
    """A new password that does not serve. The message says why and what would."""

    def __init__(self, message: str) -> None:
        super().__init__(message, field=FIELD)


@dataclass(frozen=True)
class HashCost:
    """What one hash costs, to us and to whoever has stolen the table (RFC 9106 §4).

    time_cost: passes over the memory. parallelism: lanes; one, because the server's threads already fill the
    cores. The defaults take about 0.2 s.
    """

    time_cost: int = 3
    memory_kib: int = 65_536
    parallelism: int = 1


class PasswordHasher:
    """Makes and checks Argon2id hashes of one cost. Shared by all threads of a process.

    at_once: how many hashes may be worked out at the same time. Each holds `memory_kib`, so without a bound a
    hundred sign-ins sent together would take 6 GiB and bring the server down. Others wait their turn.
    """

    def __init__(self, cost: HashCost, *, at_once: int = 2) -> None:
        self._argon2 = argon2.PasswordHasher(
            time_cost=cost.time_cost, memory_cost=cost.memory_kib, parallelism=cost.parallelism
        )
        self._turns = threading.BoundedSemaphore(at_once)

    def hash(self, password: str) -> str:
        """The hash to keep, salt and cost included. Raises ValueError for a password over 4096 characters."""
        if len(password) > MAX_LENGTH:
            raise ValueError(f"A password has at most {MAX_LENGTH} characters; see check_strength.")
        with self._turns:
            return self._argon2.hash(_as_bytes(password))

    def verify(self, kept_hash: str | None, password: str) -> bool:
        """Whether this is the password of that hash.

        kept_hash: None where there is no such user, or no password to sign in with. The same work is done
        then, so that the time of the answer does not tell which usernames exist.
        """
        if len(password) > MAX_LENGTH:
            return self.verify(None, "")
        if kept_hash is None:
            self.hash(password)
            return False
        try:
            with self._turns:
                return self._argon2.verify(kept_hash, _as_bytes(password))
        except VerifyMismatchError:
            return False

    def needs_rehash(self, kept_hash: str) -> bool:
        """Whether the hash was made at another cost; make it anew when the password is next at hand."""
        return self._argon2.check_needs_rehash(kept_hash)


def check_new_password(password: str, *, about: Sequence[str], breaches: Breaches) -> None:
    """Raise WeakPassword unless this will do as a new password: hard to guess, and in no leak that we can ask about.

    about: see `check_strength`. Call it while no transaction is open, since the look-up may take two seconds. A weak
    password is refused without one: the less is asked, the less the service learns.
    """
    check_strength(password, about=about)
    if breaches.holds(_as_bytes(password)):
        raise WeakPassword(LEAKED)


def check_strength(password: str, *, about: Sequence[str]) -> None:
    """Raise WeakPassword if this is easy to guess. There are no rules on kinds of characters.

    about: what a guesser tries first: username, full name, email address, name of the site.
    """
    if "\0" in password:
        raise WeakPassword("A password cannot contain the NUL character. Choose another one.")
    if len(password) < MIN_LENGTH:
        raise WeakPassword(f"Use at least {MIN_LENGTH} characters. {ADVICE}")
    if len(password) > MAX_LENGTH:
        raise WeakPassword(f"Use at most {MAX_LENGTH} characters.")
    weakness = _weakness(password[:SCORED_CHARACTERS], _guesses_from(about))
    if weakness:
        raise WeakPassword(f"{weakness} {ADVICE}")


def _as_bytes(password: str) -> bytes:
    """What is hashed: all of the password, in the normal form that NIST SP 800-63B-4 §3.1.1.2 names (NFC).

    Two keyboards may send "é" as one character or as two. NFC joins these; it leaves case, blanks and
    look-alikes apart, as NFKC would not. Lone surrogates, which JSON can carry, are hashed like the rest.
    """
    return unicodedata.normalize("NFC", password).encode("utf-8", "surrogatepass")


def _guesses_from(about: Sequence[str]) -> list[str]:
    """Each text, its parts, and any two of them together ("adalovelace").

    Texts are cut, because nobody may have checked them yet and the pairs grow with the square.
    """
    texts = [text[:MAX_FACT_LENGTH] for text in about]
    parts = [part for text in texts for part in re.split(r"[\W_]+", text)]
    words = list(dict.fromkeys(texts + parts))
    return words + [first + second for first, second in itertools.permutations(words, 2)]


# zxcvbn keeps the user's own words in a dictionary of its module, so two calls at once would judge a password
# by somebody else's name.
_zxcvbn_is_busy = threading.Lock()


def _weakness(password: str, guesses: Sequence[str]) -> str:
    """Why the password is easy to guess, in a sentence; empty if it is not."""
    from zxcvbn import zxcvbn  # here, for its dictionaries take 12 MB: servers in which nobody registers go without

    with _zxcvbn_is_busy:
        verdict = zxcvbn(password, user_inputs=guesses)
    if verdict["score"] >= MIN_SCORE:
        return ""
    worst = max(verdict["sequence"], key=lambda match: len(match["token"]))
    return WEAKNESSES.get(worst.get("dictionary_name", worst["pattern"]), "This password is too easy to guess.")


# By the pattern, or the dictionary, that explains most of the password.
WEAKNESSES = {
    "user_inputs": "This password is made from your name, your address or the name of this site.",
    "passwords": "This password is one of the most common ones, or close to one.",
    "english_wikipedia": "One or two common words are soon guessed.",
    "us_tv_and_film": "One or two common words are soon guessed.",
    "surnames": "Names are soon guessed.",
    "male_names": "Names are soon guessed.",
    "female_names": "Names are soon guessed.",
    "spatial": "Keys side by side on the keyboard are soon guessed.",
    "repeat": "The same characters over and over are soon guessed.",
    "sequence": "A sequence such as abc or 6543 is soon guessed.",
    "regex": "Years are soon guessed.",
    "date": "Dates are soon guessed.",
}
