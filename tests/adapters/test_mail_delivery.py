"""Mail over SMTP arrives whole at a real server, and what stands in its way is told in words."""

import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import pytest
import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

import adapters.mail
from adapters.mail import DeliveryFailed, OutgoingMail, SmtpMailer, Tls

MAIL = OutgoingMail(
    to="ada@example.org",
    subject="Verify your email address",
    text="Open this link:\nhttps://index.example/v\n",
    html="<p>Open <a href='https://index.example/v'>this link</a></p>\n",
    sender="Countersign <countersign@index.example>",
    message_id="<4f6c1c9a5d3b4e21a0c7@index.example>",
)
USER, PASSWORD = "countersign", "tops3cret"


class Inbox:
    """A mailbox that knows everybody but nobody@example.org."""

    def __init__(self) -> None:
        self.envelopes: list[Envelope] = []
        self.signed_in: list[bool | None] = []

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address == "nobody@example.org":
            return "550-5.1.1 No such\r\n550 person here"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        self.envelopes.append(envelope)
        self.signed_in.append(session.authenticated)
        return "250 OK"

    def only_message(self) -> EmailMessage:
        [envelope] = self.envelopes
        assert isinstance(envelope.content, bytes)
        message = message_from_bytes(envelope.content, policy=default)
        assert isinstance(message, EmailMessage)
        return message

    def only_parts(self) -> list[tuple[str, str]]:
        """Content type and text of each part, with the line ends that mail has undone."""
        parts = self.only_message().iter_parts()
        return [(part.get_content_type(), part.get_content().replace("\r\n", "\n")) for part in parts]


class Server:
    """A mail server on this machine."""

    def __init__(self, inbox: Inbox, port: int) -> None:
        self.inbox = inbox
        self.port = port

    def mailer(self, tls: Tls = Tls.NONE, **credentials: str) -> SmtpMailer:
        return SmtpMailer(host="localhost", port=self.port, tls=tls, **credentials)


@contextmanager
def a_server(**options: Any) -> Iterator[Server]:  # Any: whatever aiosmtpd takes
    inbox = Inbox()
    controller = Controller(inbox, hostname="127.0.0.1", port=a_free_port(), **options)
    controller.start()
    try:
        yield Server(inbox, controller.port)
    finally:
        controller.stop()


def a_free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def knows_the_password(
    server: SMTP, session: Session, envelope: Envelope, mechanism: str, credentials: Any
) -> AuthResult:  # Any: each mechanism brings its own kind
    good = credentials == LoginPassword(USER.encode(), PASSWORD.encode())
    return AuthResult(success=good, handled=False)


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def certificate(authority: trustme.CA) -> ssl.SSLContext:
    """The server's side: a certificate for localhost."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    return context


@pytest.fixture
def trusted(authority: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Our side: the authority is one that the machine trusts."""
    authority.cert_pem.write_to_path(str(tmp_path / "authority.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))


def test_both_parts_arrive_under_the_headers_of_a_machine() -> None:
    with a_server() as server:
        server.mailer().deliver(MAIL)

    message = server.inbox.only_message()
    assert message.get_content_type() == "multipart/alternative"
    assert server.inbox.only_parts() == [("text/plain", MAIL.text), ("text/html", MAIL.html)]
    assert message["From"] == MAIL.sender
    assert message["To"] == MAIL.to
    assert message["Subject"] == MAIL.subject
    assert message["Message-ID"] == MAIL.message_id
    assert message["Auto-Submitted"] == "auto-generated"
    assert abs(parsedate_to_datetime(message["Date"]) - datetime.now(UTC)) < timedelta(minutes=1)


def test_the_server_is_told_the_bare_addresses() -> None:
    with a_server() as server:
        server.mailer().deliver(MAIL)

    [envelope] = server.inbox.envelopes
    assert envelope.mail_from == "countersign@index.example"
    assert envelope.rcpt_tos == ["ada@example.org"]


@pytest.mark.parametrize("text", ["Grüße, 日本語 – €\n", ".\n..\nFrom me\n", "x" * 2000 + "\n"])
def test_any_language_long_lines_and_single_dots_arrive_unaltered_in_seven_bits(text: str) -> None:
    mail = replace(MAIL, text=text, html=f"<p>{text}</p>\n", subject="Bestätigung für Müller " * 6 + "日本語")

    with a_server() as server:
        server.mailer().deliver(mail)

    assert server.inbox.only_parts() == [("text/plain", mail.text), ("text/html", mail.html)]
    assert server.inbox.only_message()["Subject"] == mail.subject
    [envelope] = server.inbox.envelopes
    assert isinstance(envelope.content, bytes)
    assert envelope.content.isascii()
    assert max(map(len, envelope.content.splitlines())) < 998


def test_user_and_password_are_given_where_they_are_known() -> None:
    with a_server(authenticator=knows_the_password, auth_require_tls=False) as server:
        server.mailer(user=USER, password=PASSWORD).deliver(MAIL)

    assert server.inbox.signed_in == [True]


def test_a_wrong_password_is_the_servers_words_and_is_not_repeated() -> None:
    with (
        a_server(authenticator=knows_the_password, auth_require_tls=False) as server,
        pytest.raises(DeliveryFailed, match=r"535 .*invalid") as refusal,
    ):
        server.mailer(user=USER, password="wr0ng").deliver(MAIL)

    assert "wr0ng" not in str(refusal.value)
    assert server.inbox.envelopes == []


@pytest.mark.usefixtures("trusted")
def test_starttls_protects_the_password_and_the_mail(certificate: ssl.SSLContext) -> None:
    with a_server(
        tls_context=certificate, require_starttls=True, authenticator=knows_the_password, auth_required=True
    ) as server:
        server.mailer(Tls.STARTTLS, user=USER, password=PASSWORD).deliver(MAIL)

    assert server.inbox.signed_in == [True]


@pytest.mark.usefixtures("trusted")
def test_tls_from_the_first_byte(certificate: ssl.SSLContext) -> None:
    with a_server(ssl_context=certificate) as server:
        server.mailer(Tls.TLS).deliver(MAIL)

    assert server.inbox.only_message()["To"] == MAIL.to


def test_a_certificate_of_an_unknown_authority_is_refused(certificate: ssl.SSLContext) -> None:
    with (
        a_server(tls_context=certificate) as server,
        pytest.raises(DeliveryFailed, match=r"(?i)certificate verify failed"),
    ):
        server.mailer(Tls.STARTTLS).deliver(MAIL)

    assert server.inbox.envelopes == []


def test_a_server_that_offers_no_starttls_gets_nothing() -> None:
    with a_server() as server, pytest.raises(DeliveryFailed, match="STARTTLS extension not supported"):
        server.mailer(Tls.STARTTLS).deliver(MAIL)

    assert server.inbox.envelopes == []


def test_a_refused_recipient_is_told_in_the_servers_words_on_one_line() -> None:
    with a_server() as server, pytest.raises(DeliveryFailed) as refusal:
        server.mailer().deliver(replace(MAIL, to="nobody@example.org"))

    expected = f"localhost:{server.port}: the recipient was refused: 550 5.1.1 No such person here"
    assert str(refusal.value) == expected


def test_a_refused_mail_is_told_in_the_servers_words() -> None:
    with a_server(data_size_limit=2000) as server, pytest.raises(DeliveryFailed, match=r"552 .*size"):
        server.mailer().deliver(replace(MAIL, text="x\n" * 2000))

    assert server.inbox.envelopes == []


def test_a_dead_port_is_a_failed_delivery() -> None:
    mailer = SmtpMailer(host="127.0.0.1", port=a_free_port(), tls=Tls.NONE)

    with pytest.raises(DeliveryFailed, match="Connection refused"):
        mailer.deliver(MAIL)


def test_a_silent_server_does_not_hold_us_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adapters.mail, "TIMEOUT_SECONDS", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        mailer = SmtpMailer(host="127.0.0.1", port=silent.getsockname()[1], tls=Tls.NONE)

        with pytest.raises(DeliveryFailed, match="timed out"):
            mailer.deliver(MAIL)


@pytest.mark.parametrize("header", ["to", "subject", "sender", "message_id"])
@pytest.mark.parametrize("injected", ["\r\nBcc: eve@example.org", "\nX: y", "\r", "\n", "\0", "\u2028", "\x85"])
def test_no_header_can_bring_another_one_along(header: str, injected: str) -> None:
    mail = replace(MAIL, **{header: getattr(MAIL, header) + injected})

    with a_server() as server, pytest.raises(DeliveryFailed, match="control character"):
        server.mailer().deliver(mail)

    assert server.inbox.envelopes == []


@pytest.mark.parametrize("to", ["ada@a.org, eve@e.org", "friends: ada@a.org, eve@e.org;", "", "ädä@a.org", "ada@ä.org"])
def test_a_mail_goes_to_exactly_one_ascii_address(to: str) -> None:
    with a_server() as server, pytest.raises(DeliveryFailed, match="To must hold exactly one address"):
        server.mailer().deliver(replace(MAIL, to=to))

    assert server.inbox.envelopes == []


def test_a_text_that_no_mail_can_carry_is_a_failed_delivery() -> None:
    with a_server() as server, pytest.raises(DeliveryFailed, match="surrogates"):
        server.mailer().deliver(replace(MAIL, text="\ud800"))

    assert server.inbox.envelopes == []
