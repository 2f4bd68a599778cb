"""The wire names of an upload, as twine, uv, hatch, poetry, pdm and flit send them, and what they must say."""

from collections.abc import Mapping

from blueprints.upload.body import Body
from domain.index.filenames import FileKind
from domain.index.uploads import Upload
from domain.problems import Problem

ACTION, PROTOCOL = ":action", "protocol_version"
NAME, VERSION, KIND = "name", "version", "filetype"
DIGESTS = {"sha256_digest": "sha256", "blake2_256_digest": "blake2_256", "md5_digest": "md5"}
WANTED = frozenset({ACTION, PROTOCOL, NAME, VERSION, KIND, *DIGESTS})

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


def project_name(fields: Mapping[str, str]) -> str:
    """The project that an upload is for, once it is clear that this is an upload. Raises Problem."""
    action = fields.get(ACTION, "")
    if action in RETIRED:
        raise Retired(action)
    if action != "file_upload":
        raise Problem(f"The action {action[:50]!a} is not known here. Send :action=file_upload.", field=ACTION)
    if fields.get(PROTOCOL, "1") != "1":
        raise Problem("Unknown protocol version. Send protocol_version=1.", field=PROTOCOL)
    return _required(fields, NAME)


def upload_of(body: Body) -> Upload:
    """What was sent, ready to be published. Raises Problem for what is missing."""
    if body.file is None:
        raise Problem("Upload payload does not have a file.", field="content", code="no_file")
    try:
        kind = FileKind(_required(body.fields, KIND))
    except ValueError:
        raise Problem("Use a known file type: bdist_wheel or sdist.", field=KIND) from None
    return Upload(
        file=body.file,
        filename=body.filename,
        kind=kind,
        name=_required(body.fields, NAME),
        version=_required(body.fields, VERSION),
        claimed={name: text for field, name in DIGESTS.items() if (text := body.fields.get(field, "").strip())},
    )


def _required(fields: Mapping[str, str], name: str) -> str:
    value = fields.get(name, "").strip()
    if not value or value == "UNKNOWN":  # what setuptools before 62 writes for what it does not know
        raise Problem(f"The upload does not say its {name}.", field=name, code="missing_field")
    return value
