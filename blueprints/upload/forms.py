"""The wire names of an upload, as twine, uv, hatch, poetry, pdm and flit send them, and what they must say."""

import re
from collections.abc import Mapping

from blueprints.upload.body import CONTENT, Body
from domain.index.filenames import FileKind, InvalidFile
from domain.index.uploads import Upload
from domain.problems import Problem

ACTION, PROTOCOL = ":action", "protocol_version"
NAME, VERSION, KIND, PYTHON = "name", "version", "filetype", "pyversion"
DIGESTS = {"blake2_256_digest": "blake2_256", "md5_digest": "md5", "sha256_digest": "sha256"}
WANTED = frozenset({ACTION, PROTOCOL, NAME, VERSION, KIND, PYTHON, *DIGESTS})
HEXADECIMAL = {"blake2_256": 64, "md5": 32, "sha256": 64}  # digits of each digest

# What old tools still ask for, and what to do instead.
RETIRED = {
    "submit": "Registering a project beforehand is not needed. Upload your files instead.",
    "submit_pkg_info": "Registering a project beforehand is not needed. Upload your files instead.",
    "doc_upload": "This index keeps no documentation. Upload your files only.",
}


class Retired(Problem):
    """An action that no index offers any more."""

    def __init__(self, action: str) -> None:
        super().__init__(RETIRED[action], field=ACTION, code="retired")


def upload_of(body: Body) -> Upload:
    """What was sent, ready to be published, once it is clear that this is an upload.

    Asks what the form alone can answer, in PyPI's order: the first thing that is missing or wrong is told. Raises
    Problem.
    """
    fields = {name: "" if text.strip() == "UNKNOWN" else text.strip() for name, text in body.fields.items()}
    _check_action(fields)
    name, version = _required(fields, NAME), _required(fields, VERSION)
    kind = _kind(fields)
    _check_python(fields, kind)
    claimed = _digests(fields)
    if body.file is None:
        raise Problem("Upload payload does not have a file.", field=CONTENT, code="no_file")
    if body.content_type.lower().startswith("image/"):
        raise InvalidFile("Invalid distribution file. It is sent as an image.")
    return Upload(body.file, body.filename, kind, name, version, claimed)


def _check_action(fields: Mapping[str, str]) -> None:
    action = fields.get(ACTION, "")
    if action in RETIRED:
        raise Retired(action)
    if action != "file_upload":
        raise Problem(f"The action {action[:50]!a} is not known here. Send :action=file_upload.", field=ACTION)
    if (fields.get(PROTOCOL) or "1") != "1":
        raise Problem("Unknown protocol version. Send protocol_version=1.", field=PROTOCOL)


def _required(fields: Mapping[str, str], name: str) -> str:
    value = fields.get(name, "")
    if not value:
        raise Problem(f"The upload does not say its {name}.", field=name, code="missing_field")
    return value


def _kind(fields: Mapping[str, str]) -> FileKind:
    try:
        return FileKind(_required(fields, KIND))
    except ValueError:
        raise Problem("Use a known file type: bdist_wheel or sdist.", field=KIND) from None


def _check_python(fields: Mapping[str, str], kind: FileKind) -> None:
    python = fields.get(PYTHON, "")
    if kind is FileKind.WHEEL and not python:
        raise Problem("Python version is required for binary distribution uploads.", field=PYTHON)
    if kind is FileKind.SDIST and python not in {"", "source"}:
        raise Problem("Use 'source' as Python version for an sdist.", field=PYTHON)


def _digests(fields: Mapping[str, str]) -> dict[str, str]:
    claimed = {name: fields[field].lower() for field, name in DIGESTS.items() if fields.get(field)}
    for name, digest in claimed.items():
        if not re.fullmatch(f"[0-9a-f]{{{HEXADECIMAL[name]}}}", digest):
            raise Problem(f"The {name} digest is not one in hexadecimal.", field=f"{name}_digest", code="bad_digest")
    if not claimed:
        raise Problem("Include at least one message digest.", field="sha256_digest", code="no_digest")
    return claimed
