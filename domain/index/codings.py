"""Content codings (RFC 9110 §8.4.1): a page in fewer bytes."""

import gzip
import zlib
from collections.abc import Callable
from enum import Enum

import brotli
import zstandard

from domain.index.preferences import weight, wishes
from domain.index.simple import Rendered, etag_of

# The lowest levels: of pages that are hashes for the most part higher ones save a tenth or nothing, and an upload waits
# for them. 1,000 files as JSON, 558 kB: zstd 85 kB in 0.5 ms, br 92 kB in 0.7 ms, gzip 119 kB in 2 ms.
_ZSTD, _BROTLI, _GZIP = 1, 1, 1


class Coding(Enum):
    """How a page is sent, the smallest first; the value is the word of Content-Encoding."""

    ZSTD = "zstd"  # RFC 8878
    BROTLI = "br"  # RFC 7932
    GZIP = "gzip"  # RFC 1952
    IDENTITY = "identity"


_ENCODERS: dict[Coding, Callable[[bytes], bytes]] = {
    Coding.ZSTD: lambda body: zstandard.compress(body, _ZSTD),
    Coding.BROTLI: lambda body: brotli.compress(body, quality=_BROTLI),
    Coding.GZIP: lambda body: gzip.compress(body, _GZIP, mtime=0),
    Coding.IDENTITY: lambda body: body,
}
PACKED = (Coding.ZSTD, Coding.BROTLI, Coding.GZIP)


_DECODERS: dict[Coding, Callable[[bytes], bytes]] = {
    Coding.ZSTD: zstandard.decompress,
    Coding.BROTLI: brotli.decompress,
    Coding.GZIP: gzip.decompress,
    Coding.IDENTITY: lambda body: body,
}
PACKED = (Coding.ZSTD, Coding.BROTLI, Coding.GZIP)


def choose(accept_encoding: str | None) -> Coding:
    """The coding that a client likes best, of equal ones the smallest; none where it names none (RFC 9110 §12.5.3)."""
    wished = wishes(accept_encoding or "")
    best, best_weight = Coding.IDENTITY, 0.0
    for coding in PACKED:
        names = [coding.value, *(["x-gzip"] if coding is Coding.GZIP else []), "*"]
        found = weight(names, wished)
        if found is not None and found > best_weight:
            best, best_weight = coding, found
    return best if best_weight >= (weight(["identity"], wished) or 0) else Coding.IDENTITY


def encode(body: bytes, coding: Coding) -> Rendered:
    """The body in that coding, with an ETag of its own: it is another representation (RFC 9110 §8.8.3.3)."""
    packed = _ENCODERS[coding](body)
    return Rendered(packed, etag_of(packed))


def decode(body: bytes, coding: Coding) -> bytes | None:
    """The body as it was before `encode`; None if it is damaged."""
    try:
        return _DECODERS[coding](body)
    except (zstandard.ZstdError, brotli.error, EOFError, OSError, zlib.error):
        return None
