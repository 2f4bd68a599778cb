"""Without a mail server the text part goes to the console; tests keep mails in memory."""

from dataclasses import replace
from io import BytesIO, StringIO, TextIOWrapper

import pytest

from adapters.mail import ConsoleMailer, DeliveryFailed, MemoryMailer, OutgoingMail
from tests.requirements import requirement

MAIL = OutgoingMail(
    to="ada@example.org",
    subject="Verify your email address",
    text="Open this link:\nhttps://index.example/v\n\n",
    html="<p>Open this link</p>",
    sender="countersign@index.example",
    message_id="<1@index.example>",
)


def test_the_text_stands_between_two_rules() -> None:
    stream = StringIO()

    ConsoleMailer(stream).deliver(MAIL)

    rule = "-" * 72
    assert stream.getvalue() == (
        f"\n{rule}\nTo: ada@example.org\nSubject: Verify your email address\n\n"
        f"Open this link:\nhttps://index.example/v\n{rule}\n"
    )


@requirement("R102")
def test_names_of_strangers_cannot_steer_the_terminal() -> None:
    stream = StringIO()

    ConsoleMailer(stream).deliver(replace(MAIL, text="Hello \x1b[2JEve\u202e\x07,\tÄda"))

    assert "Hello \ufffd[2JEve\ufffd\ufffd,\tÄda" in stream.getvalue()


def test_the_mail_is_on_the_console_at_once() -> None:
    console = BytesIO()
    buffered = TextIOWrapper(console, encoding="utf-8")

    ConsoleMailer(buffered).deliver(MAIL)

    assert b"https://index.example/v" in console.getvalue()


def test_a_console_that_is_gone_is_a_failed_delivery() -> None:
    stream = StringIO()
    stream.close()

    with pytest.raises(DeliveryFailed, match="console does not take the mail"):
        ConsoleMailer(stream).deliver(MAIL)


def test_a_console_without_the_characters_is_a_failed_delivery() -> None:
    stream = TextIOWrapper(BytesIO(), encoding="ascii")

    with pytest.raises(DeliveryFailed, match="'ascii' codec"):
        ConsoleMailer(stream).deliver(replace(MAIL, text="Grüße"))


def test_memory_keeps_mails_in_order() -> None:
    mailer = MemoryMailer()
    second = replace(MAIL, subject="Second")

    mailer.deliver(MAIL)
    mailer.deliver(second)

    assert mailer.sent == [MAIL, second]
