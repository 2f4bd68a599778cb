"""The body of an upload, read while it arrives: a few short fields into memory, the file onto disk."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from flask import Request
from werkzeug.exceptions import ClientDisconnected, RequestEntityTooLarge
from werkzeug.sansio.multipart import Data, Epilogue, Event, Field, File, MultipartDecoder, NeedData

from domain.index.digests import FileTooLarge, Received, receive
from domain.problems import Problem

CHUNK_BYTES = 64 * 1024
MAX_HEADER_BYTES = 1024**2  # what the decoder may hold back while it looks for the end of a header or part
MAX_PARTS = 10_000  # each classifier and each requirement is a part of its own
MAX_FIELD_BYTES = 1_000  # of a field that is read; the others, such as the description, are passed over
MAX_FIELDS_BYTES = 16 * 1024**2  # of everything but the file

CONTENT = "content"
PASSED_OVER = frozenset({"gpg_signature"})  # a file that older versions of twine send; nobody reads it any more


class BrokenBody(Problem):
    """A body that is no well-formed upload."""

    def __init__(self, message: str, *, field: str | None = None) -> None:
        super().__init__(message, field=field, code="broken_upload")


@dataclass
class Body:
    """What arrived. `filename`: as the client sent it, unchecked. `content_type`: of the file, empty where it was not
    told. `remove` it when it has been dealt with."""

    fields: dict[str, str] = field(default_factory=dict)
    filename: str = ""
    content_type: str = ""
    file: Received | None = None

    def remove(self) -> None:
        """Remove the file from the disk."""
        if self.file is not None:
            self.file.path.unlink(missing_ok=True)


def read_body(request: Request, directory: Path, *, wanted: Collection[str], max_file_bytes: int) -> Body:
    """Read a multipart upload to its end; its file goes to a new file in `directory`.

    wanted: names of the fields to keep. Everything else is passed over without being held in memory: what counts
    is the metadata in the file itself.
    Raises FileTooLarge as soon as that is certain, and BrokenBody for a body that is cut off or not well-formed.
    Then no file is left.
    """
    request.max_content_length = max_file_bytes + MAX_FIELDS_BYTES
    body = Body()
    try:
        _fill(body, _events(request, max_file_bytes), directory, wanted=wanted, max_file_bytes=max_file_bytes)
    except BaseException:
        body.remove()
        raise
    return body


def _fill(
    body: Body, events: Iterator[Event], directory: Path, *, wanted: Collection[str], max_file_bytes: int
) -> None:
    for event in events:
        if isinstance(event, File) and event.name == CONTENT:
            if body.file is not None:
                raise BrokenBody("The upload has more than one file. Send one at a time.", field=CONTENT)
            body.filename, body.content_type = event.filename, event.headers.get("Content-Type", "")
            body.file = receive(_Part(events), directory, limit_bytes=max_file_bytes)
        elif isinstance(event, File) and event.name not in PASSED_OVER:
            raise BrokenBody(f"The field {str(event.name)[:50]!a} must not be a file.")
        elif isinstance(event, Field) and event.name in wanted:
            if event.name in body.fields:
                raise BrokenBody(f"The field {event.name} was sent twice.", field=event.name)
            body.fields[event.name] = _value(event.name, _Part(events))


def _value(name: str, part: "_Part") -> str:
    value = b""
    while piece := part.read():
        value += piece
        if len(value) > MAX_FIELD_BYTES:
            raise BrokenBody(f"The field {name} has more than {MAX_FIELD_BYTES} bytes.", field=name)
    try:
        return value.decode()
    except UnicodeDecodeError:
        raise BrokenBody(f"The field {name} is not UTF-8.", field=name) from None


class _Part:
    """The bytes of the part that has just begun, to be read to their end."""

    def __init__(self, events: Iterator[Event]) -> None:
        self._events = events
        self._has_more = True

    def read(self, size: int = CHUNK_BYTES, /) -> bytes:
        """The next piece, never larger than a chunk and what the decoder held back; none at the end."""
        while self._has_more:
            event = next(self._events)
            assert isinstance(event, Data)  # noqa: S101 - between a part and the next there is nothing else
            self._has_more = event.more_data
            if event.data:
                return event.data
        return b""


def _events(request: Request, max_file_bytes: int) -> Iterator[Event]:
    boundary = request.mimetype_params.get("boundary", "")
    if request.mimetype != "multipart/form-data" or not boundary:
        raise BrokenBody("Send the upload as multipart/form-data, as twine and uv do.")
    decoder = MultipartDecoder(boundary.encode(), max_form_memory_size=MAX_HEADER_BYTES, max_parts=MAX_PARTS)
    ended = False
    while not ended:
        piece = _next_piece(request, max_file_bytes)
        ended = not piece
        try:
            decoder.receive_data(piece or None)
            while not isinstance(event := decoder.next_event(), NeedData | Epilogue):
                yield event
        except (ValueError, RequestEntityTooLarge):
            raise BrokenBody("The upload is cut off or not well-formed. Nothing was stored; send it again.") from None


def _next_piece(request: Request, max_file_bytes: int) -> bytes:
    try:
        return request.stream.read(CHUNK_BYTES)
    except RequestEntityTooLarge:
        raise FileTooLarge(max_file_bytes) from None
    except (ClientDisconnected, OSError):  # OSError: gunicorn's word for a body that ends too early
        raise BrokenBody("The upload ended too early. Nothing was stored; send it again.") from None
