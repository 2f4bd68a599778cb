"""Networks of a token as people type them: read once, in one form, or refused with what to write instead."""

import pytest

from domain.identity.networks import read_networks
from domain.problems import Problem


@pytest.mark.parametrize(
    ("typed", "networks"),
    [
        ("", ()),
        (" \n,", ()),
        ("192.0.2.0/24", ("192.0.2.0/24",)),
        ("192.0.2.0/255.255.255.0", ("192.0.2.0/24",)),
        ("192.0.2.7", ("192.0.2.7/32",)),
        ("2001:DB8::/32", ("2001:db8::/32",)),
        ("2001:db8::1", ("2001:db8::1/128",)),
        ("198.51.100.0/24, 192.0.2.0/24\n2001:db8::/32", ("198.51.100.0/24", "192.0.2.0/24", "2001:db8::/32")),
        ("192.0.2.7 192.0.2.7/32", ("192.0.2.7/32",)),
    ],
)
def test_networks_are_read_into_one_form(typed: str, networks: tuple[str, ...]) -> None:
    assert read_networks(typed) == networks


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("192.0.2.7/24", "Write 192.0.2.0/24 for the whole network, or 192.0.2.7 for it alone."),
        ("2001:db8::1/64", "Write 2001:db8::/64 for the whole network, or 2001:db8::1 for it alone."),
        ("192.0.2.0/33", "“192.0.2.0/33” is no network."),
        ("localhost", "“localhost” is no network."),
        ("1", "“1” is no network."),
        ("fe80::1%eth0", "“fe80::1%eth0” is no network."),
        ("fe80::1%eth0/64", "“fe80::1%eth0/64” is no network."),
        ("::ffff:192.0.2.0/120", "Write “::ffff:192.0.2.0/120” as IPv4: 192.0.2.0/24."),
        ("x" * 5_000, "x…” is no network."),
        ("192.0.2.0/24 192.0.2", "“192.0.2” is no network."),
    ],
)
def test_what_is_no_network_is_refused_with_what_to_write(typed: str, words: str) -> None:
    with pytest.raises(Problem) as refusal:
        read_networks(typed)

    assert words in refusal.value.message
    assert refusal.value.field == "networks"
    assert len(refusal.value.message) < 200


def test_twenty_networks_are_the_most() -> None:
    twenty = [f"192.0.2.{number}" for number in range(20)]

    assert len(read_networks(" ".join(twenty))) == 20
    with pytest.raises(Problem, match="at most 20"):
        read_networks(" ".join([*twenty, "198.51.100.1"]))
