"""Whether an upload is what its sender says: its name, its digests, its archive and the metadata in it."""

import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass

from domain.index import archives, descriptions
from domain.index.digests import Received
from domain.index.filenames import FileKind, Filename, InvalidFile, parse_filename
from domain.index.metadata import Metadata, read_metadata
from domain.problems import Problem

_HEXADECIMAL = re.compile("[0-9a-f]{32}|[0-9a-f]{64}")


@dataclass(frozen=True)
class Upload:
    """A file that has arrived, and what its sender says of it.

    filename: as it was sent. claimed: digests in hexadecimal, by name: "sha256", "blake2_256", "md5".
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


def check(upload: Upload) -> Checked:
    """Read the file from end to end and compare. Asks no database. Raises Problem with what is wrong."""
    filename = parse_filename(upload.filename, name=upload.name, version=upload.version)
    if filename.kind is not upload.kind:
        raise InvalidFile(f"The file {filename.text!a} is no {upload.kind.value}.", field="filetype")
    _check_digests(upload)
    content = archives.inspect(upload.file.path, filename)
    metadata = read_metadata(content, filename)
    return Checked(
        file=upload.file,
        filename=filename,
        metadata=metadata,
        metadata_file=content if filename.kind is FileKind.WHEEL else None,
        description_html=descriptions.render(metadata.description, metadata.description_content_type),
    )


def _check_digests(upload: Upload) -> None:
    found = {"sha256": upload.file.sha256, "blake2_256": upload.file.blake2_256, "md5": upload.file.md5}
    if not upload.claimed:
        raise Problem("Include at least one message digest.", field="sha256_digest", code="no_digest")
    for name, claimed in upload.claimed.items():
        digest = claimed.lower()
        if not _HEXADECIMAL.fullmatch(digest):
            raise Problem(f"The {name} digest is not one in hexadecimal.", field=f"{name}_digest", code="bad_digest")
        if not hmac.compare_digest(digest, found[name]):
            raise Problem(
                "The digest supplied does not match a digest calculated from the uploaded file.",
                field=f"{name}_digest",
                code="bad_digest",
            )
