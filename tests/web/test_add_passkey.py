"""Adding passkeys and security keys, from the challenge to the row, and all that may go wrong in between."""

import uuid
from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask import Flask
from webauthn.helpers import base64url_to_bytes

from adapters.clock import SettableClock
from models import BrowserSession, Event, Passkey, RecoveryCode, User, db
from tests.authenticator import (
    EDDSA,
    ES256,
    RS256,
    Authenticator,
    InvalidState,
    Json,
    a_password_manager,
    a_security_key,
)
from tests.browsing import Browser
from tests.builders import PASSWORD, People
from tests.ceremonies import ADD, AUTHENTICATE, CONFIRM, SIGN_IN, add, answer, ask, sign_in
from tests.letters import letters, notices_to
from tests.requirements import requirement

PAGE, LIST = "/manage/account/webauthn-provision", "/manage/account/two-factor/"
CODES, TOKENS = "/manage/account/recovery-codes/", "/manage/account/token/"


@pytest.fixture
def ana(people: People) -> User:
    return people.a_user("ana").verified().build()


def keys(user: User) -> list[Passkey]:
    db.session.rollback()
    return list(db.session.scalars(sa.select(Passkey).where(Passkey.user_id == user.id).order_by(Passkey.id)))


def labels(user: User) -> list[str]:
    return [key.label for key in keys(user)]


def test_the_first_one_leads_to_recovery_codes_and_back_to_what_was_asked(browser: Browser, ana: User) -> None:
    stopped = browser.sign_in(ana).submit(TOKENS, description="night builds", reach="user", expires="30")
    chosen = browser.page(f"{LIST}?method=webauthn")

    added = add(browser, Authenticator(), "Laptop")

    assert stopped.h1 == "Choose how to confirm it is you"
    assert chosen.h1 == "Add a passkey or security key"
    assert added.get_json() == {"redirect_to": CODES}
    codes = browser.page(CODES)
    assert "Passkey saved as “Laptop”, on this device only." in codes.text
    assert "One thing is left: a way back in if the device is lost." in codes.text
    first = codes.root.find(".//ol[@id='codes']/li")
    assert first is not None
    done = browser.submit(f"{CODES}confirm", recovery_code_value="".join(first.itertext()))
    assert done.response.request.path == f"{LIST}done/"
    assert "Laptop" in done.text
    resumed = browser.submit("/manage/account/resume/")
    assert resumed.response.request.path == TOKENS
    assert resumed.value("description") == "night builds"


def test_what_is_kept_is_what_the_authenticator_said(browser: Browser, clock: SettableClock, ana: User) -> None:
    manager = a_password_manager()

    add(browser.sign_in(ana), manager, "Everywhere")

    (key,), (held,) = keys(ana), manager.held
    assert (key.credential_id, key.public_key, key.sign_count) == (held.credential_id, held.public_key, 0)
    assert (key.transports, key.aaguid) == ("hybrid internal", str(uuid.UUID(bytes=manager.aaguid)))
    assert (key.is_discoverable, key.is_backup_eligible, key.is_backed_up) == (True, True, True)
    assert (key.label, key.added_at, key.last_used_at, key.refused_since) == ("Everywhere", clock.now(), None, None)
    assert held.user_handle == db.session.get_one(User, ana.id).passkey_handle
    assert len(held.user_handle) == 32


@pytest.mark.parametrize("algorithm", [ES256, EDDSA, RS256])
def test_a_key_of_each_algorithm_that_is_asked_for_can_be_added_and_used(
    app: Flask, browser: Browser, ana: User, algorithm: int
) -> None:
    authenticator = Authenticator(algorithm=algorithm)

    added = add(browser.sign_in(ana), authenticator)

    assert added.status_code == 200
    assert sign_in(Browser(app), authenticator).get_json() == {"redirect_to": "/manage/projects/"}


@requirement("R54")
def test_the_options_give_five_minutes_and_ask_for_what_the_person_has(browser: Browser, ana: User) -> None:
    options = ask(browser.sign_in(ana), ADD)

    assert options["timeout"] == 300_000
    assert options["rp"] == {"id": "localhost", "name": "Countersign localhost:8000"}
    assert options["user"]["name"] == "ana"
    assert [each["alg"] for each in options["pubKeyCredParams"]] == [EDDSA, ES256, RS256]
    assert options["authenticatorSelection"]["userVerification"] == "preferred"
    assert options["authenticatorSelection"]["residentKey"] == "preferred"
    assert options["attestation"] == "none"
    assert options["extensions"] == {"credProps": True}


@requirement("R42")
def test_each_challenge_is_another_one_and_the_name_of_the_account_stays(browser: Browser, ana: User) -> None:
    browser.sign_in(ana)

    first, second = ask(browser, ADD), ask(browser, ADD)

    assert len(base64url_to_bytes(first["challenge"])) == 32
    assert first["challenge"] != second["challenge"]
    assert first["user"] == second["user"]


@requirement("R53")
def test_keys_that_are_there_already_are_excluded_with_the_ways_to_reach_them(browser: Browser, people: People) -> None:
    stick, laptop = a_security_key(), Authenticator()
    ana = people.a_user("ana").verified().with_passkey(stick, "Stick").with_passkey(laptop, "Laptop").build()

    options = ask(browser.sign_in(ana), ADD)

    assert options["excludeCredentials"] == [
        {"id": stick.held[0].id, "type": "public-key", "transports": ["nfc", "usb"]},
        {"id": laptop.held[0].id, "type": "public-key", "transports": ["internal"]},
    ]
    with pytest.raises(InvalidState):
        laptop.create(options)


def test_a_second_one_keeps_the_recovery_codes(browser: Browser, people: People) -> None:
    ana = people.a_user("ana").verified().with_passkey(a_security_key(), "Stick").with_recovery_codes().build()
    codes = db.session.scalars(sa.select(RecoveryCode.code_hash).where(RecoveryCode.user_id == ana.id)).all()

    added = add(browser.sign_in(ana), a_password_manager())

    assert added.get_json() == {"redirect_to": f"{LIST}done/"}
    assert "Passkey saved as “Bitwarden”, synced to your other devices." in browser.page(f"{LIST}done/").text
    assert db.session.scalars(sa.select(RecoveryCode.code_hash).where(RecoveryCode.user_id == ana.id)).all() == codes


@requirement("R38")
def test_a_passkey_needs_no_app_before_it_and_is_offered_first(browser: Browser, ana: User) -> None:
    page = browser.sign_in(ana).page(LIST)

    first, second = page.root.findall(".//input[@name='method']")
    assert (first.get("value"), second.get("value")) == ("webauthn", "totp")
    assert first.get("checked") is not None
    assert first.get("disabled") is None


def test_without_a_name_it_is_called_after_its_make_or_its_kind(browser: Browser, ana: User) -> None:
    browser.sign_in(ana)

    for authenticator in (a_password_manager(), a_password_manager(), Authenticator(), a_security_key()):
        assert add(browser, authenticator, "  ").status_code == 200

    assert labels(ana) == ["Bitwarden", "Bitwarden 2", "Passkey", "Security key"]


@pytest.mark.parametrize(
    ("label", "words"),
    [
        ("My phone", "You have a second factor named “My phone” already. Choose another name."),
        ("My  phone ", "You have a second factor named “My phone” already. Choose another name."),
        ("x" * 65, "Use at most 64 characters."),
        ("x" * 10_000, "Use at most 64 characters."),
        ("a\x00b", "Leave out control characters and other invisible ones."),
        ("a\u202eb", "Leave out control characters and other invisible ones."),
    ],
)
def test_a_name_that_cannot_be_given_is_refused_at_its_field_before_a_key_is_made(
    browser: Browser, people: People, label: str, words: str
) -> None:
    """And once more with the answer: another tab may have given it meanwhile."""
    ana = people.a_member("ana")
    options = ask(browser.sign_in(ana), ADD, {"label": "Laptop"})

    asked = browser.ask(f"{ADD}options", {"label": label})
    sent = answer(browser, ADD, Authenticator().create(options), {"label": label})

    for refused in (asked, sent):
        assert refused.status_code == 422
        assert refused.mimetype == "application/problem+json"
        assert (refused.get_json()["detail"], refused.get_json()["field"]) == (words, "label")
    assert keys(ana) == []


def test_the_longest_name_is_kept_whole(browser: Browser, ana: User) -> None:
    add(browser.sign_in(ana), Authenticator(), "é" * 64)

    assert labels(ana) == ["é" * 64]


@requirement("R62")
def test_other_browsers_are_signed_out_and_this_one_goes_on_under_a_new_handle(
    app: Flask, browser: Browser, ana: User
) -> None:
    elsewhere = Browser(app).sign_in(ana)
    before = browser.sign_in(ana).client.get_cookie("countersign")

    add(browser, Authenticator())

    after = browser.client.get_cookie("countersign")
    assert before is not None
    assert after is not None
    assert before.value != after.value
    assert browser.get(LIST).status_code == 200
    assert elsewhere.get(LIST).headers["Location"].startswith("/account/login/")
    assert db.session.scalar(sa.select(sa.func.count()).where(BrowserSession.user_id == ana.id)) == 1


@requirement("R34")
def test_it_is_told_to_every_verified_address_and_in_the_journal(browser: Browser, people: People) -> None:
    ana = people.a_user("ana").verified().also("ana@work.example", verified=True).also("old@mail.example").build()

    add(browser.sign_in(ana), Authenticator(), "Laptop")

    assert notices_to("ana@mail.example") == notices_to("ana@work.example") == ["factor-added"]
    assert notices_to("old@mail.example") == []
    (letter,) = letters("ana@work.example")
    assert letter.subject == "A passkey was added to your account ana"
    assert "“Laptop”" in letter.text
    assert "203.0.113.7" in letter.text
    event = db.session.scalars(sa.select(Event).where(Event.tag == "account:passkey:added")).one()
    assert (event.actor_id, event.user_id) == (ana.id, ana.id)
    assert event.details == {"label": "Laptop", "kind": "passkey"}


@requirement("R46")
def test_a_key_that_somebody_has_is_refused_whoever_it_is(app: Flask, browser: Browser, people: People) -> None:
    stick = a_security_key()
    ana = people.a_user("ana").verified().with_passkey(stick).build()
    newt = people.a_user("newt").verified().build()

    def with_the_same(options: Json) -> Json:
        return a_security_key().create({**options, "excludeCredentials": []}, key=stick.held[0])

    refused = [
        add(Browser(app).sign_in(newt), stick, create=with_the_same),
        add(Browser(app).sign_in(ana), stick, "Another", create=with_the_same),
    ]

    for response in refused:
        assert response.status_code == 422
        assert response.get_json()["code"] == "registered_already"
        assert response.get_json()["detail"] == ("This passkey or security key is registered already. Use another one.")
    assert (labels(ana), labels(newt)) == (["My key"], [])


def test_fifty_are_the_most(app: Flask, browser: Browser, people: People) -> None:
    builder = people.a_user("ana").verified()
    for number in range(49):
        builder.with_passkey(a_security_key(), f"Key {number}")
    ana = builder.with_recovery_codes().build()
    browser.sign_in(ana)
    fiftieth, too_late = a_security_key(), a_security_key()
    begun = ask(browser, ADD)
    add(browser, fiftieth, "Key 49")

    asked = browser.ask(f"{ADD}options")
    sent = answer(browser, ADD, too_late.create(begun), {"label": "Key 50"})

    words = "You have 50 passkeys and security keys, which is the most. Remove one first."
    assert (asked.status_code, asked.get_json()["detail"]) == (422, words)
    assert (sent.status_code, sent.get_json()["detail"]) == (422, words)
    assert len(keys(ana)) == 50


@requirement("R34")
def test_whoever_has_a_factor_confirms_that_it_is_them_first(
    browser: Browser, clock: SettableClock, people: People
) -> None:
    ana = people.a_member("ana")
    begun = ask(browser.sign_in(ana), ADD)
    clock.advance(timedelta(minutes=15))

    page = browser.page(PAGE)
    asked = browser.ask(f"{ADD}options")
    sent = answer(browser, ADD, Authenticator().create(begun))

    assert page.response.request.path == CONFIRM
    for refused in (asked, sent):
        assert refused.status_code == 403
        assert refused.get_json()["code"] == "confirmation_required"
        assert refused.get_json()["detail"] == "Confirm it is you to add a passkey or security key."
    assert keys(ana) == []


def test_without_a_verified_address_there_is_none(browser: Browser, people: People) -> None:
    browser.sign_in(people.a_user("newt").build())

    page = browser.page(PAGE)
    refused = browser.ask(f"{ADD}options")

    assert page.stop is not None
    assert "Verify your email address to continue" in page.stop
    assert (refused.status_code, refused.get_json()["code"]) == (403, "email_unverified")


def test_nobody_else_can_ask(browser: Browser, ana: User) -> None:
    for path in (f"{ADD}options", f"{ADD}validate"):
        refused = browser.ask(path)

        assert (refused.status_code, refused.get_json()["code"]) == (403, "not_signed_in")


@requirement("R42")
def test_a_challenge_waits_six_minutes(browser: Browser, clock: SettableClock, ana: User) -> None:
    browser.sign_in(ana)
    in_time, too_late = ask(browser, ADD), ask(browser, ADD)
    clock.advance(timedelta(minutes=6) - timedelta(seconds=1))
    answered = answer(browser, ADD, Authenticator().create(in_time))
    clock.advance(timedelta(seconds=1))

    refused = answer(browser, ADD, Authenticator().create(too_late))

    assert answered.status_code == 200
    assert (refused.status_code, refused.get_json()["code"]) == (422, "over")
    assert refused.get_json()["detail"] == "This took longer than five minutes, or was answered before. Try again."
    assert len(keys(ana)) == 1


@requirement("R43")
def test_a_challenge_is_good_for_the_browser_that_asked(app: Flask, browser: Browser, ana: User) -> None:
    options = ask(browser.sign_in(ana), ADD)

    refused = answer(Browser(app).sign_in(ana), ADD, Authenticator().create(options))

    assert (refused.status_code, refused.get_json()["code"]) == (422, "over")
    assert keys(ana) == []


@requirement("R43")
def test_a_challenge_is_good_for_the_account_that_asked(app: Flask, browser: Browser, people: People) -> None:
    laptop = Authenticator()
    newt = people.a_user("newt").verified().with_passkey(laptop).build()
    ana = people.a_user("ana").verified().build()
    options = ask(browser.sign_in(ana), ADD)
    sign_in(browser, laptop)  # in the same session

    refused = answer(browser, ADD, Authenticator().create(options))

    assert (refused.status_code, refused.get_json()["code"]) == (422, "over")
    assert (labels(ana), labels(newt)) == ([], ["My key"])


@requirement("R43")
def test_a_challenge_for_signing_in_adds_no_key(browser: Browser, ana: User) -> None:
    browser.sign_in(ana)
    other = ask(browser, AUTHENTICATE, SIGN_IN)["challenge"]

    refused = add(browser, Authenticator(), create=lambda asked: Authenticator().create({**asked, "challenge": other}))

    assert (refused.status_code, refused.get_json()["code"]) == (422, "over")
    assert keys(ana) == []


@requirement("R42")
def test_a_challenge_is_answered_once_even_if_the_answer_is_refused(browser: Browser, ana: User) -> None:
    authenticator = Authenticator()
    options = ask(browser.sign_in(ana), ADD)
    refused = answer(browser, ADD, authenticator.create(options, flags=0))

    again = answer(browser, ADD, authenticator.create(options))

    assert (refused.status_code, refused.get_json()["code"]) == (422, "not_verified")
    assert (again.status_code, again.get_json()["code"]) == (422, "over")
    assert keys(ana) == []


@requirement("R42")
def test_an_answer_sent_twice_adds_one_key(browser: Browser, ana: User) -> None:
    credential = Authenticator().create(ask(browser.sign_in(ana), ADD))
    answer(browser, ADD, credential)

    again = answer(browser, ADD, credential)

    assert (again.status_code, again.get_json()["code"]) == (422, "over")
    assert len(keys(ana)) == 1


def test_two_tabs_each_finish_their_own(browser: Browser, ana: User) -> None:
    browser.sign_in(ana)
    first, second = ask(browser, ADD), ask(browser, ADD)

    answers = [
        answer(browser, ADD, a_security_key().create(options), {"label": label})
        for options, label in ((second, "Second tab"), (first, "First tab"))
    ]

    assert [each.status_code for each in answers] == [200, 200]
    assert labels(ana) == ["Second tab", "First tab"]


@pytest.mark.parametrize(("verifies_user", "is_discoverable"), [(True, True), (True, False), (False, True)])
def test_it_is_said_to_sign_in_alone_only_where_it_does(
    browser: Browser, ana: User, verifies_user: bool, is_discoverable: bool
) -> None:
    authenticator = Authenticator(verifies_user=verifies_user, is_discoverable=is_discoverable)

    add(browser.sign_in(ana), authenticator)

    (letter,) = letters("ana@mail.example")
    for part in (letter.text, letter.html):
        assert ("signs you in without the password" in part) == (verifies_user and is_discoverable)
        assert ("which works without the password" in part) == (verifies_user and is_discoverable)
    assert ("signs in without a password" in browser.page(LIST).text) == (verifies_user and is_discoverable)


@requirement("R49")
def test_the_list_shows_how_each_is_kept_and_when_it_was_used(app: Flask, browser: Browser, people: People) -> None:
    manager, stick = a_password_manager(), a_security_key()
    synced_no_more = Authenticator(is_backup_eligible=True)
    ana = (
        people.a_user("ana")
        .verified()
        .with_passkey(manager, "Manager")
        .with_passkey(synced_no_more, "Tablet")
        .with_passkey(stick, "Stick")
        .build()
    )
    sign_in(Browser(app), manager)

    page = browser.sign_in(ana).page(LIST)

    rows = [" ".join("".join(row.itertext()).split()) for row in page.root.findall(".//tbody/tr")]
    assert len(rows) == 3
    assert "Passkeysynced · says it is Bitwarden · signs in without a password" in rows[0]
    assert "22 Nov 2026" in rows[0]
    assert "Firefox" in rows[0]
    assert "Passkeycould be synced" in rows[1]
    assert "Security keythis device only" in rows[2]
    assert "Never" in rows[2]


@requirement("R36")
def test_a_key_is_renamed_and_removed_and_then_signs_nobody_in(app: Flask, browser: Browser, people: People) -> None:
    laptop, stick = Authenticator(), a_security_key()
    ana = people.a_user("ana").verified().with_passkey(laptop, "Laptop").with_passkey(stick, "Stick").build()
    browser.sign_in(ana)

    browser.submit(f"{LIST}{keys(ana)[0].public_id}/rename/", label="Old laptop")
    renamed = labels(ana)
    page = browser.submit(f"{ADD}delete", label="Old laptop")

    assert renamed == ["Old laptop", "Stick"]
    assert "“Old laptop” was removed. Delete it from your password manager or device, too" in page.text
    assert labels(ana) == ["Stick"]
    refused = sign_in(Browser(app), laptop)
    assert (refused.status_code, refused.get_json()["code"]) == (422, "unknown_passkey")
    assert notices_to("ana@mail.example") == ["factor-renamed", "factor-removed"]


@requirement("R35")
def test_the_only_key_stays(browser: Browser, people: People) -> None:
    ana = people.a_user("ana").verified().with_passkey(Authenticator(), "Laptop").build()

    page = browser.sign_in(ana).submit(f"{ADD}delete", label="Laptop", status=422)

    assert "This is your only second factor, and this index requires one. Add another first" in page.text
    assert labels(ana) == ["Laptop"]


def test_a_key_of_somebody_else_can_be_neither_renamed_nor_removed(browser: Browser, people: People) -> None:
    ana = people.a_user("ana").verified().with_passkey(Authenticator(), "Laptop").build()
    public_id = keys(ana)[0].public_id
    browser.sign_in(people.a_member("mallory"))

    answers = [
        browser.post(f"{LIST}{public_id}/rename/", label="Mine"),
        browser.post(f"{LIST}{public_id}/remove/"),
        browser.post(f"{ADD}delete", label="Laptop"),
    ]

    assert [each.status_code for each in answers] == [404, 404, 404]
    assert labels(ana) == ["Laptop"]


def test_an_account_with_a_password_and_a_new_key_is_asked_for_the_key(app: Flask, browser: Browser, ana: User) -> None:
    add(browser.sign_in(ana), Authenticator())
    other = Browser(app)

    answered = other.post("/account/login/", username="ana", password=PASSWORD)

    assert answered.headers["Location"] == "/account/two-factor/"
    assert "Use your passkey or security key" in other.page("/account/two-factor/").text
