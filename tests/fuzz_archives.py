"""Feeds the reader of archives with bytes that atheris makes up while it watches which lines they reach.

`make fuzz` starts it. It ends with an error at the first exception that is no refusal.
"""

import gzip
import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["domain.index"]):
    from domain.index.archives import inspect
    from domain.index.filenames import InvalidFile, parse_filename

from tests.hostile import SDIST_NAME, WHEEL_NAME
from tests.packages import a_wheel, an_sdist

SECONDS = 60
MEMORY_MB = 300
WHEEL, SDIST = b"w", b"s"  # the first byte of an input says what the rest is: a wheel, or an sdist before gzip
_FOLDER = tempfile.TemporaryDirectory()
_FILE = Path(_FOLDER.name, "input")


def read(data: bytes) -> None:
    """Read one input. Every exception but a refusal ends the run."""
    is_sdist = data[:1] == SDIST
    name = SDIST_NAME if is_sdist else WHEEL_NAME
    _FILE.write_bytes(gzip.compress(data[1:], 1) if is_sdist else data[1:])
    try:
        inspect(_FILE, parse_filename(name, name="acme-utils", version="1.0"))
    except InvalidFile:
        return


def main() -> None:
    with tempfile.TemporaryDirectory() as corpus:
        Path(corpus, "wheel").write_bytes(WHEEL + a_wheel().content)
        Path(corpus, "sdist").write_bytes(SDIST + gzip.decompress(an_sdist().content))
        limits = [f"-max_total_time={SECONDS}", f"-rss_limit_mb={MEMORY_MB}", "-max_len=16384", "-timeout=10"]
        atheris.Setup(
            [sys.argv[0], *limits, "-print_final_stats=1", f"-artifact_prefix={tempfile.gettempdir()}/", corpus], read
        )
        atheris.Fuzz()


if __name__ == "__main__":
    main()
