"""Versions as bytes that the database sorts as PEP 440 does."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.version import Version

from domain.index.versions import version_key

# In the order of PEP 440, § "Summary of permitted suffixes and relative ordering", with an epoch and long numbers.
IN_ORDER = [
    "0", "0.0.1.dev1", "0.0.1", "1.dev0", "1.0.dev456", "1.0a1.dev1", "1.0a1", "1.0a2.dev456", "1.0a12.dev456",
    "1.0a12", "1.0b1.dev456", "1.0b2", "1.0b2.post345.dev456", "1.0b2.post345", "1.0rc1.dev456", "1.0rc1", "1.0",
    "1.0+abc.def", "1.0+abc.5", "1.0+abc.7", "1.0+5", "1.0+5.1", "1.0+300", "1.0.post456.dev34", "1.0.post456",
    "1.0.1", "1.0.15", "1.1.dev1", "1.255", "1.256", "1.65536", "2.0", "20261126.1", "1!0.1",
]  # fmt: skip

numbers = st.integers(0, 10**12)
versions = st.builds(
    lambda epoch, release, pre, post, dev, local: Version(
        f"{epoch}!{'.'.join(map(str, release))}{pre}{post}{dev}{local}"
    ),
    st.sampled_from([0, 1]),
    st.lists(numbers, min_size=1, max_size=4),
    st.sampled_from(["", "a0", "a3", "b1", "rc1", "rc300"]),
    st.sampled_from(["", ".post0", ".post7"]),
    st.sampled_from(["", ".dev0", ".dev12"]),
    st.sampled_from(["", "+1", "+1.2", "+a", "+ab", "+a.1", "+1.a", "+0"]),
)


def test_the_order_is_that_of_the_pep() -> None:
    shuffled = IN_ORDER[::-1]

    assert sorted(shuffled, key=Version) == IN_ORDER
    assert sorted(shuffled, key=lambda text: version_key(Version(text))) == IN_ORDER


@given(versions, versions)
def test_keys_compare_as_versions_do(one: Version, other: Version) -> None:
    keys = version_key(one), version_key(other)

    assert (one < other, one == other) == (keys[0] < keys[1], keys[0] == keys[1])


@pytest.mark.parametrize(("one", "other"), [("1", "1.0.0"), ("1.0a1", "1.0.alpha.1"), ("1.0+a-b", "1.0+a.b")])
def test_spellings_of_one_version_have_one_key(one: str, other: str) -> None:
    assert version_key(Version(one)) == version_key(Version(other))


def test_the_longest_version_has_a_key_that_fits_its_column() -> None:
    for text in ("9" * 64, ".".join("1" * 32), "1+" + ".".join("a" * 31), "1!" + "9" * 60 + ".1"):
        assert len(version_key(Version(text))) <= 256
