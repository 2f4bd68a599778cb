"""The base of every refusal that a person can read."""


class Problem(Exception):
    """Something that the caller can understand and mend.

    message: a sentence or two: what happened, and what to do. The same words go to page, reason phrase and JSON.
    field: the form field at fault, in the wire's spelling, or None when the whole request is.
    code: a stable name for programs ("file_exists").
    help_page: the path of the page where it can be mended, if there is one.
    """

    def __init__(
        self, message: str, *, field: str | None = None, code: str | None = None, help_page: str | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.field = field
        self.code = code
        self.help_page = help_page
