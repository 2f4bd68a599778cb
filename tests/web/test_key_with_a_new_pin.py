"""A PIN that a security key was given after it was added: whoever found the key could have set it."""

import pytest
import sqlalchemy as sa
from flask import Flask

from models import Passkey, User, db
from tests.authenticator import Authenticator
from tests.browsing import Browser
from tests.builders import PASSWORD, People
from tests.ceremonies import add, confirm, second_step, sign_in
from tests.requirements import requirement

PRIVATE, PASSWORD_STEP = "/manage/account/two-factor/", "/account/two-factor/password/"


@pytest.fixture
def stick() -> Authenticator:
    """Knows whose it is, and has no PIN yet."""
    return Authenticator(verifies_user=False, transports=("usb", "nfc"))


@pytest.fixture
def ana(people: People, stick: Authenticator) -> User:
    return people.a_user("ana").verified().with_passkey(stick, "Stick").build()


def is_signed_in(browser: Browser) -> bool:
    return browser.get(PRIVATE).status_code == 200


def after_password(app: Flask) -> Browser:
    browser = Browser(app)
    browser.post("/account/login/", username="ana", password=PASSWORD)
    return browser


@requirement("R37")
def test_it_does_not_sign_in_alone(browser: Browser, ana: User, stick: Authenticator) -> None:
    stick.verifies_user = True

    answered = sign_in(browser, stick)
    half = is_signed_in(browser)
    browser.post(PASSWORD_STEP, password=PASSWORD)

    assert answered.get_json() == {"redirect_to": PASSWORD_STEP}
    assert not half
    assert is_signed_in(browser)


def test_it_does_not_confirm_alone(browser: Browser, ana: User, stick: Authenticator) -> None:
    stick.verifies_user = True
    browser.sign_in(ana)

    alone = confirm(browser, stick)
    with_password = confirm(browser, stick, password=PASSWORD)

    assert (alone.status_code, alone.get_json()["field"]) == (422, "password")
    assert alone.get_json()["detail"] == (
        "This key has not shown that it checks who you are. Type your password, then use it again."
    )
    assert with_password.status_code == 200


def test_used_after_the_password_it_does_not_sign_in_alone_afterwards(
    app: Flask, ana: User, stick: Authenticator
) -> None:
    stick.verifies_user = True
    second_step(after_password(app), stick)

    assert sign_in(Browser(app), stick).get_json() == {"redirect_to": PASSWORD_STEP}


def test_removed_and_added_again_it_signs_in_alone(
    app: Flask, browser: Browser, ana: User, stick: Authenticator
) -> None:
    browser.sign_in(ana)
    add(browser, Authenticator(), label="Laptop")
    browser.post("/manage/account/webauthn-provision/delete", label="Stick")
    stick.verifies_user = True

    add(browser, stick, label="Stick")

    assert sign_in(Browser(app), stick).get_json() == {"redirect_to": "/manage/projects/"}


@pytest.mark.parametrize("verifies_user", [True, False])
def test_what_it_showed_when_it_was_added_is_kept(browser: Browser, people: People, verifies_user: bool) -> None:
    ana = people.a_user("ana").verified().build()

    add(browser.sign_in(ana), Authenticator(verifies_user=verifies_user))

    assert db.session.scalars(sa.select(Passkey.verifies_user)).one() is verifies_user


def test_a_key_that_had_one_from_the_start_asks_for_the_password_only_where_it_was_not_used(
    app: Flask, people: People
) -> None:
    laptop = Authenticator()
    people.a_user("newt").verified().with_passkey(laptop).build()
    laptop.verifies_user = False
    without = sign_in(Browser(app), laptop)
    laptop.verifies_user = True

    with_it = sign_in(Browser(app), laptop)

    assert without.get_json() == {"redirect_to": PASSWORD_STEP}
    assert with_it.get_json() == {"redirect_to": "/manage/projects/"}
