"""One setting says how mail leaves: each form of it, each fault in words, and never the password."""

from io import StringIO

import pytest

from adapters.mail import ConsoleMailer, SmtpMailer, Tls, mailer_from_url

PASSWORD = "tops3cret"


@pytest.mark.parametrize(
    ("url", "host", "port", "tls"),
    [
        ("smtp://mail.example", "mail.example", 587, Tls.STARTTLS),
        ("smtp://MAIL.example/", "mail.example", 587, Tls.STARTTLS),
        ("smtp://mail.example?tls=none", "mail.example", 25, Tls.NONE),
        ("smtp://mail.example?tls=tls", "mail.example", 465, Tls.TLS),
        ("smtp://mail.example:2525?tls=tls", "mail.example", 2525, Tls.TLS),
        ("smtp://localhost", "localhost", 25, Tls.NONE),
        ("smtp://127.0.0.1:1025", "127.0.0.1", 1025, Tls.NONE),
        ("smtp://[::1]:1025", "::1", 1025, Tls.NONE),
        ("smtp://localhost?tls=starttls", "localhost", 587, Tls.STARTTLS),
    ],
)
def test_host_port_and_protection(url: str, host: str, port: int, tls: Tls) -> None:
    mailer = mailer_from_url(url, StringIO())

    assert mailer == SmtpMailer(host=host, port=port, tls=tls)


def test_user_and_password_are_percent_decoded() -> None:
    url = "smtp://ada%40example.org:p%2Fw%3A%23%3F%25@mail.example"

    mailer = mailer_from_url(url, StringIO())

    assert isinstance(mailer, SmtpMailer)
    assert (mailer.user, mailer.password) == ("ada@example.org", "p/w:#?%")


def test_the_mailer_does_not_show_its_password() -> None:
    mailer = mailer_from_url(f"smtp://ada:{PASSWORD}@mail.example", StringIO())

    assert PASSWORD not in repr(mailer)


def test_console_writes_to_the_given_stream() -> None:
    mailer = mailer_from_url("console:", StringIO())

    assert isinstance(mailer, ConsoleMailer)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("", "write console: or smtp://"),
        ("console", "write console: or smtp://"),
        ("console:x", "write console: or smtp://"),
        ("mail.example:25", "write console: or smtp://"),
        (f"smtps://ada:{PASSWORD}@mail.example", "write console: or smtp://"),
        ("smtp://", "write console: or smtp://"),
        ("smtp:///mail.example", "write console: or smtp://"),
        (f"smtp://ada:{PASSWORD}@", "write console: or smtp://"),
        (f"smtp://ada:{PASSWORD}@mail.example:mail", "host and port cannot be read"),
        (f"smtp://ada:{PASSWORD}@mail.example:65536", "host and port cannot be read"),
        (f"smtp://ada:{PASSWORD}@mail.example:0", "from 1 to 65535"),
        (f"smtp://ada:{PASSWORD}/x@mail.example", "host and port cannot be read"),
        (f"smtp://ada:{PASSWORD}@[::1", "host and port cannot be read"),
        (f"smtp://ada:{PASSWORD}@mail.example/inbox", "only \\?tls= may follow the host"),
        (f"smtp://ada:{PASSWORD}@mail.example#x", "only \\?tls= may follow the host"),
        ("smtp://ada@mail.example", "both a user and a password"),
        ("smtp://ada:@mail.example", "both a user and a password"),
        (f"smtp://:{PASSWORD}@mail.example", "both a user and a password"),
        (f"smtp://ada:{PASSWORD}ü@mail.example", "must be ASCII"),
        (f"smtp://ada:{PASSWORD}%C3%BC@mail.example", "must be ASCII"),
        (f"smtp://ada:{PASSWORD}@mail.example?tls=ssl", "only option is tls"),
        (f"smtp://ada:{PASSWORD}@mail.example?tls=", "only option is tls"),
        (f"smtp://ada:{PASSWORD}@mail.example?tls=none&tls=tls", "only option is tls"),
        (f"smtp://ada:{PASSWORD}@mail.example?tsl=tls", "only option is tls"),
        (f"smtp://ada:{PASSWORD}@mail.example?tls=tls&timeout=5", "only option is tls"),
    ],
)
def test_a_fault_is_said_in_words_without_the_password(url: str, words: str) -> None:
    with pytest.raises(ValueError, match=words) as fault:
        mailer_from_url(url, StringIO())

    assert PASSWORD not in str(fault.value)
    assert fault.value.__suppress_context__ or fault.value.__context__ is None
