"""Email addresses: which form of one is kept, and when two spellings are the same."""

from dataclasses import dataclass

from email_validator import EmailNotValidError, validate_email

from domain.problems import Problem

MAX_LENGTH = 254  # RFC 5321 §4.5.3.1.3, less the angle brackets


@dataclass(frozen=True)
class Address:
    """An email address as it is kept, and the key by which two spellings are the same."""

    text: str
    key: str


def parse(typed: str, *, field: str) -> Address:
    """The address that somebody typed. Raises Problem at the field if no mail could go there.

    Only the form is looked at: to ask the DNS would tell strangers' servers who registers here. The host is kept in
    its ASCII form, which every mail server takes and in which look-alike letters show.
    """
    if len(typed) > MAX_LENGTH:
        raise Problem(f"Use an address of at most {MAX_LENGTH} characters.", field=field)
    try:
        parsed = validate_email(typed.strip(), check_deliverability=False, allow_smtputf8=False, strict=True)
    except EmailNotValidError:
        message = "This is no email address that mail could be sent to. Write it as name@host."
        raise Problem(message, field=field) from None
    assert parsed.ascii_email is not None  # noqa: S101 - it is missing only for a local part that is not ASCII
    return Address(parsed.ascii_email, parsed.ascii_email.lower())
