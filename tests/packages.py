"""Builds wheels and sdists in memory, right by default and wrong where a test asks."""

import gzip
import hashlib
import io
import tarfile
import zipfile
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Package:
    """A file as somebody would upload it."""

    filename: str
    content: bytes

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.content).hexdigest()

    def write(self, folder: Path) -> Path:
        """Put the file into a folder under its own name."""
        path = folder / self.filename
        path.write_bytes(self.content)
        return path


def a_metadata(
    name: str = "acme-utils", version: str = "1.0", /, *, description: str = "", **fields: str | list[str]
) -> bytes:
    """METADATA or PKG-INFO. Fields are written as given, `_` as `-`; a list becomes one line each."""
    told = {"Metadata_Version": "2.4", "Name": name, "Version": version} | fields
    lines = [
        f"{key.replace('_', '-')}: {value}"
        for key, values in told.items()
        for value in ([values] if isinstance(values, str) else values)
    ]
    return ("\n".join(lines) + "\n" + (f"\n{description}" if description else "")).encode()


def a_wheel(
    name: str = "acme-utils",
    version: str = "1.0",
    *,
    metadata: bytes | None = None,
    extra: Mapping[str, bytes] | None = None,
    without: tuple[str, ...] = (),
    tag: str = "py3-none-any",
    dist_info: str | None = None,
    edit_record: Callable[[bytes], bytes] = bytes,
) -> Package:
    """A wheel of one module, with a true RECORD unless that is edited.

    extra: further members by name. without: members of the .dist-info folder to leave out.
    """
    stem = f"{_escaped(name)}-{version}"
    dist_info = dist_info or f"{stem}.dist-info"
    members = {
        f"{_escaped(name)}/__init__.py": b"",
        f"{dist_info}/METADATA": a_metadata(name, version) if metadata is None else metadata,
        f"{dist_info}/WHEEL": f"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: {tag}\n".encode(),
        **(extra or {}),
    }
    members[f"{dist_info}/RECORD"] = edit_record(_record(members, f"{dist_info}/RECORD"))
    for left_out in without:
        del members[f"{dist_info}/{left_out}"]
    return Package(f"{stem}-{tag}.whl", a_zip(members))


def an_sdist(
    name: str = "acme-utils",
    version: str = "1.0",
    *,
    metadata: bytes | None = None,
    extra: Mapping[str, bytes] | None = None,
    members: list[tarfile.TarInfo] | None = None,
    folder: str | None = None,
) -> Package:
    """An sdist of one module.

    extra: further files by their name in the sdist's folder. members: headers to append as they are.
    """
    stem = f"{_escaped(name)}-{version}"
    folder = folder or stem
    files = {
        "PKG-INFO": a_metadata(name, version) if metadata is None else metadata,
        "pyproject.toml": f'[project]\nname = "{name}"\nversion = "{version}"\n'.encode(),
        f"src/{_escaped(name)}/__init__.py": b"",
        **(extra or {}),
    }
    entries = [(tarfile.TarInfo(f"{folder}/{path}"), data) for path, data in files.items()]
    entries += [(member, b"") for member in members or []]
    return Package(f"{stem}.tar.gz", a_targz(entries))


def a_zip(members: Mapping[str, bytes]) -> bytes:
    """A ZIP as zipfile writes it."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(name, (2026, 11, 22, 14, 5, 0)), data, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def a_targz(entries: list[tuple[tarfile.TarInfo, bytes]]) -> bytes:
    """A gzipped tar as tarfile writes it. Files get the size of their data."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for header, data in entries:
            header.size = len(data)
            archive.addfile(header, io.BytesIO(data))
    return gzip.compress(buffer.getvalue(), mtime=0)


def _escaped(name: str) -> str:
    return name.lower().replace("-", "_").replace(".", "_")


def _record(members: Mapping[str, bytes], own_name: str) -> bytes:
    lines = [
        f"{name},sha256={urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b'=').decode()},{len(data)}"
        for name, data in members.items()
    ]
    return "\n".join([*lines, f"{own_name},,", ""]).encode()
