"""What a package says of itself: the core metadata in its file. What the upload form says is only a claim."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import takewhile
from typing import TypeAlias, cast

from packaging import metadata as core

from domain.index import metadata_rules
from domain.index.filenames import Filename, InvalidFile
from domain.index.metadata_rules import Told

# Header lines and different fields among them. The greatest real packages stay far below; a million of either
# would keep the email parser busy for hours.
MAX_LINES = 20_000
MAX_FIELDS = 100

_SINGLE_FIELDS = frozenset(
    {
        "metadata-version", "name", "version", "summary", "description", "description-content-type", "keywords",
        "home-page", "download-url", "author", "author-email", "maintainer", "maintainer-email", "license",
        "license-expression", "requires-python",
    }
)  # fmt: skip
_FOLD = re.compile(r"\n(?: {8}| {7}\|)")  # how a Description is indented as a header (core metadata 1.0 to 2.0)
_NAMED_ADDRESS = re.compile(r'(?:"([^"<>]{1,200})"|([^",<>]{1,200}))\s{0,9}<')

Json: TypeAlias = str | list[str] | dict[str, str]


@dataclass(frozen=True)
class Metadata:
    """The metadata of one file, checked.

    name: as the package spells it. version: canonical (PEP 440). requires_dist: requirements (PEP 508).
    provides_extra: normalized names (PEP 685). license_files: paths within the archive's licence folder (PEP 639).
    author, maintainer: people's names. links: addresses by label, all http or https.
    raw: the known fields as they were parsed, ready for JSON (PEP 566), without empty ones.
    """

    metadata_version: str
    name: str
    version: str
    summary: str
    description: str
    description_content_type: str | None
    requires_python: str | None
    requires_dist: tuple[str, ...]
    provides_extra: tuple[str, ...]
    license: str | None
    license_expression: str | None
    license_files: tuple[str, ...]
    author: str | None
    author_email: str | None
    maintainer: str | None
    maintainer_email: str | None
    keywords: tuple[str, ...]
    classifiers: tuple[str, ...]
    links: dict[str, str]
    raw: dict[str, Json]


def read_metadata(content: bytes, filename: Filename, *, takes_direct_urls: bool = False) -> Metadata:
    """Read METADATA or PKG-INFO, which must speak of the project and version that the filename names.

    takes_direct_urls: as in `UploadRules`.
    Lenient where builders are: empty fields, `UNKNOWN`, fields newer than the Metadata-Version and unknown ones
    do no harm. Raises InvalidFile for the first of `metadata_rules` that is broken.
    """
    headers = _headers(content)
    parsed, unparsed = core.parse_email(content)
    for field in sorted(_SINGLE_FIELDS & unparsed.keys()):
        raise InvalidFile(f"The metadata gives {field.title()} twice, or in a form that cannot be read.")
    raw = _tidied(cast("Mapping[str, Json]", parsed), is_folded=b"description" in headers)
    fields = core.Metadata.from_raw(cast("core.RawMetadata", raw), validate=False)
    project_urls = _project_urls(raw, unparsed.get("project-url", []))
    try:
        metadata_rules.check(Told(fields, raw, tuple(project_urls), filename, takes_direct_urls))
        found = Metadata(
            metadata_version=fields.metadata_version,
            name=fields.name,
            version=str(fields.version),
            summary=fields.summary or "",
            description=fields.description or "",
            description_content_type=fields.description_content_type,
            requires_python=str(fields.requires_python) if fields.requires_python else None,
            requires_dist=tuple(map(str, fields.requires_dist or ())),
            provides_extra=tuple(dict.fromkeys(fields.provides_extra or ())),
            license=fields.license,
            license_expression=fields.license_expression,
            license_files=tuple(fields.license_files or ()),
            author=fields.author or _people(fields.author_email),
            author_email=fields.author_email,
            maintainer=fields.maintainer or _people(fields.maintainer_email),
            maintainer_email=fields.maintainer_email,
            keywords=tuple(fields.keywords or ()),
            classifiers=tuple(fields.classifiers or ()),
            links=_links(raw, project_urls),
            raw=raw,
        )
    except (ValueError, RecursionError) as wrong:
        reason = str(wrong).encode("ascii", "backslashreplace").decode()[:200]
        raise InvalidFile(f"The metadata in the file is not valid: {reason}.") from wrong
    return found


def _headers(content: bytes) -> frozenset[bytes]:
    """The names of the header fields, lower case. Raises InvalidFile where there are too many, or no UTF-8."""
    try:
        content.decode()
    except UnicodeDecodeError:
        raise InvalidFile("The metadata in the file is not UTF-8.") from None
    lines = takewhile(bool, content.splitlines())
    fields = [line.partition(b":")[0] for line in lines if not line.startswith((b" ", b"\t"))]
    if len(fields) > MAX_LINES or len(set(fields)) > MAX_FIELDS:
        raise InvalidFile("The metadata in the file has too many fields.")
    return frozenset(field.strip().lower() for field in fields)


def _tidied(parsed: Mapping[str, Json], *, is_folded: bool) -> dict[str, Json]:
    """is_folded: whether the description stands among the headers, indented. Below them, spaces are its own."""
    tidied: dict[str, Json] = {}
    for field, value in parsed.items():
        if isinstance(value, dict):
            tidied[field] = {_tidy(label): _tidy(text) for label, text in value.items()}
        elif isinstance(value, list):
            tidied[field] = [text for text in map(_tidy, value) if text]
        elif field == "description" and is_folded:
            tidied[field] = _FOLD.sub("\n", _tidy(value))
        elif field == "summary":
            tidied[field] = " ".join(_tidy(value).split())
        else:
            tidied[field] = _tidy(value)
    return {field: value for field, value in tidied.items() if value}


def _tidy(text: str) -> str:
    if "\0" in text:
        raise InvalidFile("The metadata in the file holds a NUL character.")
    text = text.strip()
    return "" if text == "UNKNOWN" else text  # older setuptools writes this for what it does not know


def _people(addresses: str | None) -> str | None:
    """The names in "Ana <ana@example.org>, Bo <bo@example.org>", or None where there are only addresses."""
    names = [(quoted or bare).strip() for quoted, bare in _NAMED_ADDRESS.findall(addresses or "")]
    return ", ".join(name for name in names if name) or None


def _project_urls(raw: Mapping[str, Json], repeated: list[str]) -> list[tuple[str, str]]:
    """Labels and addresses of Project-URL. repeated: its lines, where the library kept none because a label came
    twice; the first counts."""
    named = dict(cast("dict[str, str]", raw.get("project_urls", {})))
    for line in repeated:
        label, _, url = line.partition(",")
        named.setdefault(label.strip(), url.strip())
    return list(named.items())


def _links(raw: Mapping[str, Json], project_urls: list[tuple[str, str]]) -> dict[str, str]:
    """All links of a package, the named ones first."""
    links = dict(project_urls)
    for label, field in (("Homepage", "home_page"), ("Download", "download_url")):
        url = cast("str", raw.get(field, ""))
        if url not in links.values():
            links.setdefault(label, url)
    return {label: url for label, url in links.items() if url}
