"""Whether an upload is what its sender says: its name, its digests, its archive and the metadata in it."""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass

from packaging.version import Version

from domain.index import archives, descriptions
from domain.index.digests import Received
from domain.index.filenames import FileKind, Filename, InvalidFile, check_local, check_platforms, parse_filename
from domain.index.members import shown
from domain.index.metadata import Metadata, read_metadata
from domain.index.upload_rules import UploadRules
from domain.problems import Problem

_LICENCES_SINCE = Version("2.4")


@dataclass(frozen=True)
class Upload:
    """A file that has arrived, and what its sender says of it.

    filename: as it was sent. claimed: digests in lower-case hexadecimal, by name: "sha256", "blake2_256", "md5".
    """

    file: Received
    filename: str
    kind: FileKind
    name: str
    version: str
    claimed: Mapping[str, str]


@dataclass(frozen=True)
class Checked:
    """An upload whose file says the same as its sender.

    metadata_file: METADATA of a wheel, to lie beside it (PEP 658). description_html: safe to be shown.
    """

    file: Received
    filename: Filename
    metadata: Metadata
    metadata_file: bytes | None
    description_html: str

    @property
    def metadata_sha256(self) -> str | None:
        return hashlib.sha256(self.metadata_file).hexdigest() if self.metadata_file is not None else None


def identify(upload: Upload, rules: UploadRules) -> Filename:
    """Ask what needs no look into the archive: version, filename and digests. Raises Problem with what is wrong."""
    check_local(upload.version, rules)
    filename = parse_filename(upload.filename, name=upload.name, version=upload.version)
    if filename.kind is not upload.kind:
        raise InvalidFile(f"The file {filename.text!a} is no {upload.kind.value}.", field="filetype")
    check_platforms(filename, rules)
    _check_digests(upload)
    return filename


def read(upload: Upload, filename: Filename, rules: UploadRules) -> Checked:
    """Read the file from end to end and compare. Asks no database. Raises Problem with what is wrong."""
    archive = archives.inspect(upload.file.path, filename)
    content = archive.metadata
    metadata = read_metadata(content, filename, takes_direct_urls=rules.takes_direct_urls)
    _check_licences(archive, metadata, filename)
    return Checked(
        file=upload.file,
        filename=filename,
        metadata=metadata,
        metadata_file=content if filename.kind is FileKind.WHEEL else None,
        description_html=descriptions.render(metadata.description, metadata.description_content_type),
    )


def _check_licences(archive: archives.Archive, metadata: Metadata, filename: Filename) -> None:
    """Raise InvalidFile where a licence file that the metadata names is missing. Before version 2.4 the field was
    setuptools' own, and its files lay elsewhere (PEP 639)."""
    if Version(metadata.metadata_version) < _LICENCES_SINCE:
        return
    for name in metadata.license_files:
        path = f"{archive.licences}/{name}"
        if not archive.contents.has_file(path):
            raise InvalidFile(
                f"License-File {shown(name)} does not exist in distribution file {filename.text!a} at {shown(path)}."
            )


def _check_digests(upload: Upload) -> None:
    found = {"sha256": upload.file.sha256, "blake2_256": upload.file.blake2_256, "md5": upload.file.md5}
    for name, digest in upload.claimed.items():
        if not hmac.compare_digest(digest, found[name]):
            raise Problem(
                "The digest supplied does not match a digest calculated from the uploaded file.",
                field=f"{name}_digest",
                code="bad_digest",
            )
