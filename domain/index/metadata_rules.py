"""The rules for core metadata, one by one, in the order in which they are asked. The first that fails is told."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from email.utils import getaddresses
from urllib.parse import urlsplit

from email_validator import EmailNotValidError, validate_email
from packaging import metadata as core
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name
from trove_classifiers import classifiers as known_classifiers
from trove_classifiers import deprecated_classifiers

from domain.index.filenames import MAX_VERSION_LENGTH, Filename, InvalidFile
from domain.index.names import normalize

MAX_SUMMARY_LENGTH = 512
MAX_REQUIRES_PYTHON_LENGTH = 255
MAX_LABEL_LENGTH = 32  # of a Project-URL


@dataclass(frozen=True)
class Told:
    """What a file says of itself, before it is believed.

    fields: the library checks each when it is asked for, and raises ValueError or, for what is nested too deeply,
        RecursionError. texts: the same by name in the library's spelling, as they stand there, empty ones left out.
    links: labels and addresses of Project-URL. takes_direct_urls: as in `UploadRules`.
    """

    fields: core.Metadata
    texts: Mapping[str, object]
    links: tuple[tuple[str, str], ...]
    filename: Filename
    takes_direct_urls: bool

    def listed(self, name: str) -> list[str]:
        """A field that may come several times."""
        value = self.texts.get(name, [])
        return value if isinstance(value, list) else []

    def text(self, name: str) -> str:
        """A field that comes once; empty where it is not there."""
        value = self.texts.get(name, "")
        return value if isinstance(value, str) else ""


def check(told: Told) -> None:
    """Raise InvalidFile, or what `Told.fields` raises, for the first rule that is broken."""
    for rule in RULES:
        rule(told)


def is_web_address(url: str) -> bool:
    """Whether it begins with http:// or https:// and a host, and holds nothing that could mislead."""
    try:
        parts = urlsplit(url)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and url.isprintable() and " " not in url
    except ValueError:  # as for http://[
        return False


def shown(text: str) -> str:
    """A value as a refusal quotes it."""
    return ascii(text if len(text) <= 63 else f"{text[:30]}...{text[-30:]}")


def _metadata_version(told: Told) -> None:
    _ = told.fields.metadata_version  # reading it is the check


def _name(told: Told) -> None:
    if normalize(told.fields.name) != told.filename.project:
        raise InvalidFile(
            f"The metadata in the file is of project {told.fields.name[:100]!a}, not {told.filename.project!a}."
        )


def _version(told: Told) -> None:
    found = told.fields.version
    if found != told.filename.version:
        raise InvalidFile(f"The metadata in the file is of version {found!s:.100}, not {told.filename.version}.")
    if len(str(found)) > MAX_VERSION_LENGTH:
        raise InvalidFile(f"The version has {len(str(found))} characters. The limit is {MAX_VERSION_LENGTH}.")


def _summary(told: Told) -> None:
    length = len(told.fields.summary or "")
    if length > MAX_SUMMARY_LENGTH:
        raise InvalidFile(f"The summary has {length} characters. The limit is {MAX_SUMMARY_LENGTH}.")


def _description_content_type(told: Told) -> None:
    _ = told.fields.description_content_type


def _email_addresses(told: Told) -> None:
    for field, name in (("Author-email", "author_email"), ("Maintainer-email", "maintainer_email")):
        text = told.text(name)
        for _, address in getaddresses([text]) if text else ():
            try:
                # Addresses of a company's own network are at home on its own index.
                validate_email(address, check_deliverability=False, globally_deliverable=False)
            except EmailNotValidError as wrong:
                raise InvalidFile(f"{field} {shown(text)} is not a valid email address: {_plain(wrong)}") from None


def _classifiers(told: Told) -> None:
    for classifier in told.listed("classifiers"):
        if classifier in deprecated_classifiers:
            instead = deprecated_classifiers[classifier]
            advice = f"use one of {instead} instead" if instead else "leave it out"
            raise InvalidFile(f"Classifier {shown(classifier)} has been deprecated, {advice}.")
        if classifier not in known_classifiers and not classifier.startswith("Private ::"):
            raise InvalidFile(
                f"The classifier {shown(classifier)} is not known. Use one of https://pypi.org/classifiers/,"
                " or one of your own that begins with 'Private ::'."
            )


def _addresses(told: Told) -> None:
    for field, name in (("Home-page", "home_page"), ("Download-URL", "download_url")):
        url = told.text(name)
        if url and not is_web_address(url):
            raise InvalidFile(f"{field} {shown(url)} is not a valid web address. Begin it with https:// or http://.")
    for label, url in told.links:
        if not 1 <= len(label) <= MAX_LABEL_LENGTH:
            raise InvalidFile(f"Project-URL {shown(label)} needs a label of 1 to {MAX_LABEL_LENGTH} characters.")
        if not is_web_address(url):
            raise InvalidFile(
                f"Project-URL {shown(label)} has {shown(url)}, which is not a valid web address."
                " Begin it with https:// or http://."
            )


def _requires_python(told: Told) -> None:
    if len(str(told.fields.requires_python or "")) > MAX_REQUIRES_PYTHON_LENGTH:
        raise InvalidFile(f"Requires-Python is too long. The limit is {MAX_REQUIRES_PYTHON_LENGTH} characters.")


def _requirements(told: Told) -> None:
    for requirement in told.fields.requires_dist or ():
        if requirement.url and not told.takes_direct_urls:
            raise InvalidFile(
                f"Can't have direct dependency: {shown(str(requirement))}. Publish that package here too, or have the"
                " operator set COUNTERSIGN_DIRECT_URLS."
            )


def _old_requirements(told: Told) -> None:
    """What installers no longer read: it must be a name, of a module in the oldest fields, with versions at most."""
    for field in ("provides_dist", "obsoletes_dist", "requires", "provides", "obsoletes"):
        for text in told.listed(field):
            name, bracket, versions = text.partition("(")
            if not field.endswith("_dist"):
                name = name.replace("_", "x")  # modules may begin and end with it, projects may not
            try:
                is_bare = Requirement(f"{name}{bracket}{versions}").url is None
            except InvalidRequirement:
                is_bare = False
            if not is_bare:
                raise InvalidFile(f"{field.replace('_', '-').title()} {shown(text)} is not a name with versions.")


def _extras(told: Told) -> None:
    """Installers ask for extras by their normalized names (PEP 685): two that share one cannot be told apart."""
    for normalized, spelt in Counter(map(canonicalize_name, set(told.listed("provides_extra")))).items():
        if spelt > 1:
            raise InvalidFile(f"Provides-Extra gives {shown(normalized)} twice, in different spellings (PEP 685).")
    _ = told.fields.provides_extra


def _dynamic(told: Told) -> None:
    _ = told.fields.dynamic


def _licence(told: Told) -> None:
    _ = told.fields.license_expression
    if told.text("license_expression") and told.text("license"):
        raise InvalidFile(
            "License is deprecated when License-Expression is present. Only License-Expression should be present."
        )


def _licence_files(told: Told) -> None:
    _ = told.fields.license_files


def _import_names(told: Told) -> None:
    """A name is either the package's own or shared with others (PEP 794), and given once."""
    _ = told.fields.import_names, told.fields.import_namespaces
    names = Counter(_bare([*told.listed("import_names"), *told.listed("import_namespaces")]))
    for name, times in names.items():
        if times > 1:
            raise InvalidFile(f"The import name {shown(name)} is given twice among Import-Name and Import-Namespace.")


def _bare(names: list[str]) -> Iterator[str]:
    for name in names:
        yield name.partition(";")[0].strip()


def _plain(error: Exception) -> str:
    return " ".join(str(error).encode("ascii", "replace").decode().split())[:150]


RULES: tuple[Callable[[Told], None], ...] = (
    _metadata_version,
    _name,
    _version,
    _summary,
    _description_content_type,
    _email_addresses,
    _classifiers,
    _addresses,
    _requires_python,
    _requirements,
    _old_requirements,
    _extras,
    _dynamic,
    _licence,
    _licence_files,
    _import_names,
)
