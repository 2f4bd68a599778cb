"""What signing in costs beside one hash, and whether a refused sign-in tells by its time which usernames exist."""

import re
import statistics
import time
from collections.abc import Callable
from functools import partial
from http.client import HTTPConnection
from urllib.parse import urlencode

import pyotp

from bench.bars import Verdict
from bench.seed import PASSWORD
from domain.identity.passwords import PasswordHasher

LOGIN, SECOND_STEP = "/account/login/", "/account/two-factor/"
HASHES = 2  # a sign-in with password and code stays under so many bare hashes
DIFFERENCE = 0.1  # of the shorter median


class Visitor:
    """A browser as far as a sign-in needs one: one connection, one cookie, the form token of the last page.

    address: where it comes from, as the proxy in front would say.
    """

    def __init__(self, port: int, *, address: str = "") -> None:
        self._connection = HTTPConnection("127.0.0.1", port, timeout=30)
        self._address = address
        self._cookie = ""
        self._form_token = ""

    def open(self, path: str) -> None:
        """Fetch a page with a form."""
        page = self._send("GET", path, expected=200)
        found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page)
        assert found, f"no form on {path}"
        self._form_token = found[1]

    def submit(self, path: str, *, expected: int = 303, **fields: str) -> None:
        """Send its form, which must be answered with this status."""
        self._send("POST", path, urlencode({"csrf_token": self._form_token, **fields}), expected=expected)

    def close(self) -> None:
        """Hang up."""
        self._connection.close()

    def _send(self, method: str, path: str, body: str | None = None, *, expected: int) -> str:
        headers = {"Cookie": self._cookie, "Content-Type": "application/x-www-form-urlencoded"}
        if self._address:
            headers["X-Forwarded-For"] = self._address
        self._connection.request(method, path, body, headers)
        answer = self._connection.getresponse()
        page = answer.read().decode()
        assert answer.status == expected, f"{method} {path}: {answer.status} {page[:2_000]}"
        if cookie := answer.getheader("Set-Cookie"):
            self._cookie = cookie.partition(";")[0]
        return page


def time_sign_ins(port: int, people: list[tuple[str, str]], hasher: PasswordHasher) -> tuple[list[float], list[float]]:
    """Milliseconds of whole sign-ins, and of bare hashes in this process: in turns, so that whatever else the machine
    does lengthens both."""
    sign_ins, hashes = [], []
    for username, secret in people:
        sign_ins.append(milliseconds(partial(_sign_in, port, username, secret)))
        hashes.append(milliseconds(partial(hasher.hash, PASSWORD)))
    return sign_ins, hashes


def time_refusals(port: int, usernames: list[str]) -> tuple[list[float], list[float]]:
    """Milliseconds until a wrong password is refused over HTTP, for these usernames and for as many that nobody has, in
    turns.

    The budgets of attempts stay in force: every account is tried once, and every try comes from an address of its own.
    """
    known: list[float] = []
    unknown: list[float] = []
    for number, username in enumerate(usernames):
        tries = [(known, username), (unknown, f"nobody-{number}")]
        for side, (took, name) in enumerate(reversed(tries) if number % 2 else tries):
            address = f"198.{18 + side}.{number // 250}.{number % 250 + 1}"  # for measuring: RFC 2544
            took.append(_time_refusal(Visitor(port, address=address), name))
    return known, unknown


def judge_cost(sign_ins: list[float], hashes: list[float]) -> Verdict:
    """Whether a sign-in stays below two bare hashes at the median."""
    times = statistics.median(sign_ins) / statistics.median(hashes)
    holds = times < HASHES
    words = f"A sign-in costs {times:.2f} times one hash, which is {'below' if holds else 'NOT BELOW'} {HASHES}."
    return Verdict(holds, words)


def judge_difference(known: list[float], unknown: list[float]) -> Verdict:
    """Whether the medians of both are so close that the time tells no stranger who has an account."""
    shorter, longer = sorted(map(statistics.median, (known, unknown)))
    difference = longer / shorter - 1
    holds = difference < DIFFERENCE
    words = (
        f"Refused sign-ins of known and of unknown usernames differ by {difference:.1%} at the median, which is "
        f"{'below' if holds else 'NOT BELOW'} {DIFFERENCE:.0%}."
    )
    return Verdict(holds, words)


def _sign_in(port: int, username: str, secret: str) -> None:
    visitor = Visitor(port)
    visitor.open(LOGIN)
    visitor.submit(LOGIN, username=username, password=PASSWORD)
    visitor.open(SECOND_STEP)
    visitor.submit(SECOND_STEP, method="totp", totp_value=pyotp.TOTP(secret).now())
    visitor.close()


def _time_refusal(visitor: Visitor, username: str) -> float:
    visitor.open(LOGIN)
    took = milliseconds(lambda: visitor.submit(LOGIN, expected=422, username=username, password=f"not {PASSWORD}"))
    visitor.close()
    return took


def milliseconds(act: Callable[[], object]) -> float:
    """How long it took."""
    start = time.perf_counter()
    act()
    return (time.perf_counter() - start) * 1_000
