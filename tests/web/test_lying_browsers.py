"""Answers that were made for another site, inside of one, or by a key that is none."""

import secrets
from collections.abc import Callable

import cbor2
import pytest
import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from flask import Flask

from adapters.clock import SettableClock
from models import Passkey, User, db
from tests.authenticator import (
    ATTESTED,
    BACKED_UP,
    EDDSA,
    ES256,
    ORIGIN,
    RS256,
    USER_PRESENT,
    USER_VERIFIED,
    Authenticator,
    Json,
    cose_key,
    ec2_key,
)
from tests.browsing import Browser
from tests.builders import PASSWORD, People
from tests.ceremonies import AUTHENTICATE, SIGN_IN, add, answer, ask, confirm, second_step, sign_in
from tests.conftest import MakeApp
from tests.requirements import requirement

REFUSED = (422, "not_verified")
FOREIGN_ORIGINS = [
    "https://localhost:8000",
    "http://localhost",
    "http://localhost:8001",
    "http://login.localhost:8000",
    "http://localhost.evil.example:8000",
    "http://localhost:8000.evil.example",
    "http://evil.example",
    "http://localhost:8000/",
    "http://LOCALHOST:8000",
    "http://127.0.0.1:8000",
    "http://user@localhost:8000",
    "android:apk-key-hash:AAAA",
    "null",
    "",
]
LIES: list[Json] = [
    *({"origin": origin} for origin in FOREIGN_ORIGINS),
    {"origin": None},
    {"origin": [ORIGIN]},
    {"crossOrigin": True},
    {"crossOrigin": "true"},
    {"crossOrigin": 1},
    {"crossOrigin": "false"},
    {"topOrigin": ORIGIN},
    {"topOrigin": "https://evil.example"},
    {"topOrigin": ""},
    {"type": "payment.get"},
    {"type": None},
    {"type": ["webauthn.get", "webauthn.create"]},
]


@pytest.fixture
def laptop() -> Authenticator:
    return Authenticator()


@pytest.fixture
def ana(people: People, laptop: Authenticator) -> User:
    return people.a_user("ana").verified().with_passkey(laptop, "Laptop").build()


def said(lie: Json) -> str:
    """The lie as the name of a test."""
    return " ".join(f"{name}={value}" for name, value in lie.items())


def is_signed_in(browser: Browser) -> bool:
    return browser.get("/manage/account/two-factor/").status_code == 200


def labels() -> list[str]:
    db.session.rollback()
    return list(db.session.scalars(sa.select(Passkey.label).order_by(Passkey.id)))


@requirement("R45")
@pytest.mark.parametrize("lie", [*LIES, {"type": "webauthn.get"}], ids=said)
def test_a_key_that_was_made_elsewhere_is_not_added(browser: Browser, people: People, lie: Json) -> None:
    browser.sign_in(people.a_user("ana").verified().build())
    authenticator = Authenticator()

    refused = add(browser, authenticator, create=lambda asked: authenticator.create(asked, client_data=lie))

    assert (refused.status_code, refused.get_json()["code"]) == REFUSED
    assert labels() == []


@requirement("R45")
@pytest.mark.parametrize("lie", [*LIES, {"type": "webauthn.create"}], ids=said)
def test_an_answer_that_was_made_elsewhere_signs_nobody_in(
    browser: Browser, ana: User, laptop: Authenticator, lie: Json
) -> None:
    refused = sign_in(browser, laptop, get=lambda asked: laptop.get(asked, client_data=lie))

    assert (refused.status_code, refused.get_json()["code"]) == REFUSED
    assert not is_signed_in(browser)


@requirement("R45")
@pytest.mark.parametrize(
    "lie", [{"origin": "https://evil.example"}, {"crossOrigin": True}, {"topOrigin": ORIGIN}], ids=said
)
def test_nor_does_it_finish_a_sign_in_or_confirm_anything(
    app: Flask, browser: Browser, ana: User, laptop: Authenticator, lie: Json
) -> None:
    half, member = Browser(app), browser.sign_in(ana)
    half.post("/account/login/", username="ana", password=PASSWORD)

    answers = [
        second_step(half, laptop, get=lambda asked: laptop.get(asked, client_data=lie)),
        confirm(member, laptop, get=lambda asked: laptop.get(asked, client_data=lie)),
    ]

    assert [(each.status_code, each.get_json()["code"]) for each in answers] == [REFUSED] * 2
    assert not is_signed_in(half)


def test_what_some_browsers_leave_out_or_add_is_no_lie(app: Flask, ana: User, laptop: Authenticator) -> None:
    for extra in ({"crossOrigin": None}, {"crossOrigin": False}, {"tokenBinding": {"status": "supported"}}, {"new": 1}):
        answered = sign_in(Browser(app), laptop, get=lambda asked, e=extra: laptop.get(asked, client_data=e))  # type: ignore[misc]

        assert answered.status_code == 200, extra


def test_a_key_for_another_name_is_refused(browser: Browser, people: People, ana: User, laptop: Authenticator) -> None:
    laptop.rp_id = "evil.example"
    refused = [sign_in(browser, laptop)]
    browser.sign_in(people.a_user("newt").verified().build())
    refused.append(add(browser, Authenticator(rp_id="login.localhost")))

    assert [(each.status_code, each.get_json()["code"]) for each in refused] == [REFUSED] * 2
    assert labels() == ["Laptop"]


@requirement("R44")
def test_name_and_origin_come_from_the_settings_never_from_the_request(
    app: Flask, browser: Browser, ana: User, laptop: Authenticator
) -> None:
    token = browser.form_token()
    foreign = browser.client.post(
        f"{AUTHENTICATE}options",
        data={"csrf_token": token, **SIGN_IN},
        base_url="http://evil.example",
        environ_overrides=browser.environ,
    )
    forwarded = browser.client.post(
        f"{AUTHENTICATE}options",
        data={"csrf_token": token, **SIGN_IN},
        base_url=browser.base_url,
        headers={"X-Forwarded-Host": "evil.example", "Origin": "http://evil.example"},
        environ_overrides=browser.environ,
    )

    assert foreign.status_code == 400
    assert forwarded.get_json()["rpId"] == "localhost"


@requirement("R44", "R45")
def test_an_index_with_tls_takes_keys_of_its_https_origin_only(make_app: MakeApp, clock: SettableClock) -> None:
    app = make_app(public_url="https://index.example")
    with app.app_context():
        authenticator = Authenticator(origin="https://index.example", rp_id="index.example")
        People(app, clock).a_user("ana").verified().with_passkey(authenticator).build()

        answered = sign_in(Browser(app), authenticator)
        authenticator.origin = "http://index.example"
        refused = sign_in(Browser(app), authenticator)

        assert answered.status_code == 200
        assert (refused.status_code, refused.get_json()["code"]) == REFUSED
        db.session.remove()
        db.engine.dispose()


def p256() -> ec.EllipticCurvePublicNumbers:
    return ec.generate_private_key(ec.SECP256R1()).public_key().public_numbers()


def ec_key_of(curve: ec.EllipticCurve, number: int) -> bytes:
    point = ec.generate_private_key(curve).public_key().public_numbers()
    size = (curve.key_size + 7) // 8
    return cbor2.dumps(
        {1: 2, 3: ES256, -1: number, -2: point.x.to_bytes(size, "big"), -3: point.y.to_bytes(size, "big")}
    )


def with_(key: bytes, **changed: object) -> bytes:
    """A COSE key with other members."""
    names = {"kty": 1, "alg": 3, "crv": -1, "x": -2, "y": -3}
    return cbor2.dumps({**cbor2.loads(key), **{names[name]: value for name, value in changed.items()}})


BROKEN_KEYS: dict[str, Callable[[], bytes]] = {
    "a point beside the curve": lambda: ec2_key(p256().x, 7),
    "the point at infinity": lambda: ec2_key(0, 0),
    "a coordinate that is too large": lambda: ec2_key(p256().x, 2**256 - 1),
    "another curve": lambda: ec_key_of(ec.SECP384R1(), 2),
    "the algorithm of another kind of key": lambda: ec2_key(p256().x, p256().y, algorithm=RS256),
    "a point with the algorithm of another kind": lambda: with_(
        cose_key(ec.generate_private_key(ec.SECP256R1())), alg=RS256
    ),
    "a point with another algorithm": lambda: with_(cose_key(ec.generate_private_key(ec.SECP256R1())), alg=EDDSA),
    "an RSA key that signs otherwise": lambda: with_(cose_key(rsa.generate_private_key(65537, 2048)), alg=ES256),
    "an algorithm that was not asked for": lambda: with_(cose_key(ec.generate_private_key(ec.SECP256R1())), alg=-35),
    "RS1": lambda: with_(cose_key(rsa.generate_private_key(65537, 2048)), alg=-65535),
    "a short RSA key": lambda: cose_key(rsa.generate_private_key(65537, 1024)),  # noqa: S505 - that is the point
    "an RSA key without a modulus": lambda: cbor2.dumps({1: 3, 3: RS256, -1: b"", -2: b"\x01\x00\x01"}),
    "an RSA key with exponent one": lambda: cbor2.dumps({1: 3, 3: RS256, -1: secrets.token_bytes(256), -2: b"\x01"}),
    "a short Ed25519 key": lambda: cbor2.dumps({1: 1, 3: EDDSA, -1: 6, -2: b"x" * 31}),
    "X25519": lambda: cbor2.dumps({1: 1, 3: EDDSA, -1: 4, -2: b"x" * 32}),
    "a kind that nobody knows": lambda: cbor2.dumps({1: 99, 3: ES256}),
    "no key at all": lambda: cbor2.dumps({}),
    "a list": lambda: cbor2.dumps([1, 2, 3]),
    "words": lambda: cbor2.dumps("a key"),
    "no CBOR": lambda: b"\xff\xff",
}


@requirement("R55")
@pytest.mark.parametrize("broken", BROKEN_KEYS)
def test_what_is_no_key_that_could_sign_is_not_added(browser: Browser, people: People, broken: str) -> None:
    browser.sign_in(people.a_user("ana").verified().build())
    authenticator, public_key = Authenticator(), BROKEN_KEYS[broken]()

    refused = add(browser, authenticator, create=lambda asked: authenticator.create(asked, public_key=public_key))

    assert (refused.status_code, refused.get_json()["code"]) == REFUSED
    assert labels() == []


@pytest.mark.parametrize(
    ("flags", "what"),
    [
        (ATTESTED | USER_VERIFIED, "nobody touched it"),
        (USER_PRESENT | USER_VERIFIED, "no key in it"),
        (ATTESTED | USER_PRESENT | BACKED_UP, "copied, but it cannot be"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_flags_that_cannot_be_true_add_no_key(browser: Browser, people: People, flags: int, what: str) -> None:
    browser.sign_in(people.a_user("ana").verified().build())
    authenticator = Authenticator()

    refused = add(browser, authenticator, create=lambda asked: authenticator.create(asked, flags=flags))

    assert (refused.status_code, refused.get_json()["code"]) == REFUSED
    assert labels() == []


def test_a_key_whose_id_is_too_long_is_not_added(browser: Browser, people: People) -> None:
    browser.sign_in(people.a_user("ana").verified().build())
    authenticator = Authenticator()
    held = authenticator.hold(b"ana")

    statuses = []
    for length in (1024, 1023):
        held.credential_id = secrets.token_bytes(length)
        statuses.append(
            add(browser, authenticator, create=lambda asked: authenticator.create(asked, key=held)).status_code
        )

    assert statuses == [422, 200]


def test_an_answer_that_is_too_long_is_not_even_parsed(browser: Browser, ana: User, laptop: Authenticator) -> None:
    credential = {**laptop.get(ask(browser, AUTHENTICATE, SIGN_IN)), "padding": "x" * 16_000}

    refused = answer(browser, AUTHENTICATE, credential, SIGN_IN)

    assert (refused.status_code, refused.get_json()["code"]) == REFUSED
    assert not is_signed_in(browser)


def test_an_id_that_names_another_key_than_the_signature_is_refused(
    browser: Browser, people: People, ana: User, laptop: Authenticator
) -> None:
    """Else the holder of one key could sign in as the owner of another."""
    mallorys = Authenticator()
    people.a_user("mallory").verified().with_passkey(mallorys).build()
    of_ana, of_mallory = laptop.held[0], mallorys.held[0]
    for changed in ({"rawId": of_ana.id}, {"id": of_ana.id}, {"id": of_ana.id, "rawId": of_ana.id}):
        for handle in (of_mallory.user_handle, of_ana.user_handle):
            credential = mallorys.get(ask(browser, AUTHENTICATE, SIGN_IN), user_handle=handle)

            refused = answer(browser, AUTHENTICATE, {**credential, **changed}, SIGN_IN)

            assert (refused.status_code, refused.get_json()["code"]) == REFUSED
            assert not is_signed_in(browser)
