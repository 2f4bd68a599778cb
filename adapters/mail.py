"""How a mail leaves the house: over SMTP, onto the console, or into memory for tests."""

import smtplib
import ssl
import unicodedata
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from enum import Enum
from typing import Protocol, TextIO
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

TIMEOUT_SECONDS = 10
LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
URL_FORM = "smtp://user:password@host:port?tls=starttls"


class DeliveryFailed(Exception):
    """The mail was not taken. The text says why, without any password, and may be shown to an operator."""


@dataclass(frozen=True)
class OutgoingMail:
    """One mail to one address.

    sender: an address, alone or as "Name <address>". message_id: with its angle brackets; the same at each
    attempt, so that a mail delivered twice is recognised.
    """

    to: str
    subject: str
    text: str
    html: str
    sender: str
    message_id: str


class Mailer(Protocol):
    """Somewhere to hand a mail to."""

    def deliver(self, message: OutgoingMail) -> None:
        """Hand the mail over, or raise DeliveryFailed; it may be tried again then."""
        ...


class Tls(Enum):
    """How the connection to the mail server is protected, and the port that is usual for it."""

    NONE = ("none", 25)
    STARTTLS = ("starttls", 587)
    TLS = ("tls", 465)

    def __init__(self, word: str, port: int) -> None:
        self.word = word
        self.port = port


@dataclass(frozen=True, kw_only=True)
class SmtpMailer:
    """Delivers to one SMTP server. Certificates are checked; SSL_CERT_FILE names a private authority."""

    host: str
    port: int
    tls: Tls
    user: str = ""
    password: str = field(default="", repr=False)

    def deliver(self, message: OutgoingMail) -> None:
        """Hand the mail to the server. Raises DeliveryFailed when it cannot be reached or refuses."""
        try:
            with self._connect() as server:
                if self.user:
                    server.login(self.user, self.password)
                whole = _whole_message(message)
                # Not send_message(), which turns a line that begins with "From " into ">From ".
                server.sendmail(_only_address(whole, "From"), _only_address(whole, "To"), whole.as_bytes())
        # SMTPException is an OSError; a ValueError is an address or a text that cannot be put into a mail.
        except (OSError, ValueError) as error:
            raise DeliveryFailed(f"{self.host}:{self.port}: {_reason(error)}") from error

    def _connect(self) -> smtplib.SMTP:
        if self.tls is Tls.TLS:
            context = ssl.create_default_context()
            return smtplib.SMTP_SSL(self.host, self.port, timeout=TIMEOUT_SECONDS, context=context)
        server = smtplib.SMTP(self.host, self.port, timeout=TIMEOUT_SECONDS)
        if self.tls is Tls.STARTTLS:
            try:
                server.starttls(context=ssl.create_default_context())
            except BaseException:
                server.close()
                raise
        return server


class ConsoleMailer:
    """Writes the text part to a stream, for a laptop that has no mail server."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def deliver(self, message: OutgoingMail) -> None:
        """Write the mail between two rules. Raises DeliveryFailed when the stream is gone."""
        rule = "-" * 72
        body = f"To: {message.to}\nSubject: {message.subject}\n\n{message.text.rstrip()}"
        try:
            # In one piece, so that two processes on one terminal do not mix their mails.
            self._stream.write(f"\n{rule}\n{_harmless(body)}\n{rule}\n")
            self._stream.flush()
        except (OSError, ValueError) as error:
            raise DeliveryFailed(f"The console does not take the mail: {_reason(error)}") from error


class MemoryMailer:
    """Keeps what it is given, oldest first, for tests."""

    def __init__(self) -> None:
        self.sent: list[OutgoingMail] = []

    def deliver(self, message: OutgoingMail) -> None:
        """Keep the mail."""
        self.sent.append(message)


def mailer_from_url(url: str, stream: TextIO) -> Mailer:
    """The mailer that a COUNTERSIGN_MAIL_URL asks for; `console:` writes to `stream`.

    smtp: without `tls` the connection is STARTTLS, but plain to this machine itself, where nobody listens in
    between; without a port it is the usual one (25 none, 587 starttls, 465 tls). User and password are
    percent-encoded. Raises ValueError with a sentence that never repeats the URL, which holds the password.
    """
    if url == "console:":
        return ConsoleMailer(stream)
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise ValueError(f"host and port cannot be read; write {URL_FORM}, special characters as %XX.") from None
    if port == 0:
        raise ValueError("the port must be from 1 to 65535.")
    if parts.scheme != "smtp" or not parts.hostname:
        raise ValueError(f"write console: or {URL_FORM}.")
    if parts.path.strip("/") or parts.fragment:
        raise ValueError("only ?tls= may follow the host; write /, ? and # in a user or password as %2F, %3F and %23.")
    tls = _tls(parts)
    user, password = _credentials(parts)
    return SmtpMailer(host=parts.hostname, port=port or tls.port, tls=tls, user=user, password=password)


def _tls(parts: SplitResult) -> Tls:
    """The protection that the URL asks for, or the default for its host."""
    options = parse_qs(parts.query, keep_blank_values=True)
    default = Tls.NONE if parts.hostname in LOOPBACK_NAMES else Tls.STARTTLS
    words = options.pop("tls", [default.word])
    known = {tls.word: tls for tls in Tls}
    if options or len(words) != 1 or words[0] not in known:
        raise ValueError("the only option is tls, once, as none, starttls or tls.")
    return known[words[0]]


def _credentials(parts: SplitResult) -> tuple[str, str]:
    """User and password, decoded; both empty where the server asks for none."""
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    if bool(user) != bool(password):
        raise ValueError("give both a user and a password, or neither.")
    if not (user + password).isascii():
        raise ValueError("user and password must be ASCII; not all mail servers read anything else alike.")
    return user, password


def _whole_message(mail: OutgoingMail) -> EmailMessage:
    """Both parts with their headers, in 7-bit form, which every relay passes on unaltered."""
    whole = EmailMessage(policy=SMTP.clone(cte_type="7bit"))
    given = {"From": mail.sender, "To": mail.to, "Subject": mail.subject, "Message-ID": mail.message_id}
    for header, value in given.items():
        # A line break would let a name or a subject add headers and recipients of its own.
        if any(unicodedata.category(char) in ("Cc", "Zl", "Zp") for char in value):
            raise ValueError(f"{header} holds a control character.")
        whole[header] = value
    # The time on the envelope is the world's, even where the application's own clock is set to another day.
    whole["Date"] = format_datetime(datetime.now(UTC))
    # RFC 3834: no out-of-office answers to a machine.
    whole["Auto-Submitted"] = "auto-generated"
    whole.set_content(mail.text)
    whole.add_alternative(mail.html, subtype="html")
    return whole


def _only_address(whole: EmailMessage, header: str) -> str:
    """The one address in a header, without the name; ValueError where there are two, as in "a@b, c@d"."""
    addresses = [address.addr_spec for address in whole[header].addresses]
    if len(addresses) != 1 or not addresses[0].isascii():
        raise ValueError(f"{header} must hold exactly one address, in ASCII.")
    return str(addresses[0])


def _reason(error: Exception) -> str:
    """What went wrong, on one line, in the server's own words where it said something."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        [(code, words)] = error.recipients.values()
        said = f"the recipient was refused: {code} {_decoded(words)}"
    elif isinstance(error, smtplib.SMTPResponseException):
        said = f"{error.smtp_code} {_decoded(error.smtp_error)}"
    else:
        said = str(error) or type(error).__name__
    return " ".join(said.split())


def _decoded(words: bytes | str) -> str:
    return words.decode(errors="replace") if isinstance(words, bytes) else words


def _harmless(text: str) -> str:
    """Without characters that steer a terminal or turn its writing direction: names come from strangers."""
    return "".join(
        char if char in "\n\t" or unicodedata.category(char)[0] != "C" else "\N{REPLACEMENT CHARACTER}" for char in text
    )
