"""Content codings: chosen as RFC 9110 §12.5.3 has it, and unpacked by everybody else's libraries to the same bytes."""

import gzip
from collections.abc import Callable

import brotli
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from domain.index.codings import PACKED, Coding, choose, encode

IDENTITY, GZIP, BROTLI, ZSTD = Coding.IDENTITY, Coding.GZIP, Coding.BROTLI, Coding.ZSTD
UNPACK: dict[Coding, Callable[[bytes], bytes]] = {
    GZIP: gzip.decompress,
    BROTLI: brotli.decompress,
    ZSTD: lambda data: zstandard.ZstdDecompressor().decompress(data),
    IDENTITY: bytes,
}


@pytest.mark.parametrize(
    ("header", "coding"),
    [
        (None, IDENTITY),
        ("", IDENTITY),
        ("identity", IDENTITY),
        ("gzip, deflate", GZIP),  # pip
        ("gzip, br, zstd", ZSTD),  # uv
        ("gzip, deflate, br, zstd", ZSTD),  # browsers
        ("gzip, deflate, br", BROTLI),
        ("x-gzip", GZIP),
        ("GZIP;Q=0.5", GZIP),
        ("*", ZSTD),
        ("*;q=0", IDENTITY),
        ("gzip;q=0, *", ZSTD),
        ("zstd;q=0, *;q=0.5", BROTLI),
        ("gzip;q=1.0, zstd;q=0.5", GZIP),
        ("identity, gzip;q=0.5", IDENTITY),
        ("identity;q=0.5, gzip;q=0.8", GZIP),
        ("identity;q=0, deflate", IDENTITY),  # nothing that it takes: better readable than refused
        ("gzip;q=0", IDENTITY),
        ("gzip;q=0_1", IDENTITY),
        ("gzip;q=2", IDENTITY),
        ("gzip;q=nan", IDENTITY),
        ("gzip;q=0.1234", IDENTITY),
        (";;;,,,===", IDENTITY),
        (", " * 49 + "gzip", GZIP),
        (", " * 50 + "gzip", IDENTITY),
    ],
)
def test_a_client_gets_the_coding_that_it_likes_best(header: str | None, coding: Coding) -> None:
    assert choose(header) is coding


@given(st.lists(st.sampled_from([*(each.value for each in Coding), "*", ";q=", "0.5", "1", ",", ";", " ", "é", "\0"])))
def test_any_header_is_answered(pieces: list[str]) -> None:
    assert choose("".join(pieces)) in Coding


@pytest.mark.parametrize("coding", list(Coding))
@given(body=st.binary(max_size=3_000))
def test_what_was_packed_is_the_same_when_unpacked(coding: Coding, body: bytes) -> None:
    page = encode(body, coding)

    assert UNPACK[coding](page.body) == body
    assert encode(body, coding) == page


def test_each_coding_has_an_etag_of_its_own_and_the_smallest_comes_first() -> None:
    """Of equal wishes the first one wins."""
    names = "".join(
        f'{{"filename":"acme_utils-1.{number}.whl","sha256":"{hash(number):064x}"}}' for number in range(500)
    )

    pages = [encode(names.encode(), coding) for coding in (*PACKED, IDENTITY)]

    assert len({page.etag for page in pages}) == 4
    assert all(page.etag.startswith('"') and page.etag.endswith('"') for page in pages)
    assert len(pages[0].body) < len(pages[2].body) < len(pages[3].body) / 3
