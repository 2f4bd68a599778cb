"""What a browser brings back from an authenticator, and whether it holds: without a database, and with a vector that
somebody else made."""

import json
from dataclasses import dataclass

import pytest
from webauthn.helpers import bytes_to_base64url

from domain.identity.passkeys import (
    CeremonyFailed,
    RelyingParty,
    check_assertion,
    check_registration,
    creation_options,
    encoded,
    read,
    request_options,
)
from tests.authenticator import Authenticator, Json, a_security_key, new_private_key
from tests.requirements import requirement

CHALLENGE, HANDLE = b"c" * 32, b"h" * 32
PARTY = RelyingParty.at("http://localhost:8000", name="Countersign localhost:8000")


@dataclass
class Kept:
    """A key as a row keeps it."""

    credential_id: bytes
    public_key: bytes
    transports: str = "internal"
    is_backup_eligible: bool = False


def created(authenticator: Authenticator) -> Json:
    options = creation_options(PARTY, challenge=CHALLENGE, handle=HANDLE, username="ana", others=[])
    return authenticator.create(options)


def signed(authenticator: Authenticator) -> Json:
    return authenticator.get(request_options(PARTY, challenge=CHALLENGE, keys=[]))


# WebAuthn Level 3 §16.2, "ES256 Credential with No Attestation"; §16.1 fixes the party.
W3C = RelyingParty.at("https://example.org", name="W3C")
W3C_ID = bytes.fromhex("f91f391db4c9b2fde0ea70189cba3fb63f579ba6122b33ad94ff3ec330084be4")
W3C_CREATE = bytes.fromhex("00c30fb78531c464d2b6771dab8d7b603c01162f2fa486bea70f283ae556e130")
W3C_CREATED = {
    "clientDataJSON": bytes.fromhex(
        "7b2274797065223a22776562617574686e2e637265617465222c226368616c6c656e6765223a22414d4d507434557878475453746e63647134"
        "313759447742466938767049612d7077386f4f755657345441222c226f726967696e223a2268747470733a2f2f6578616d706c652e6f726722"
        "2c2263726f73734f726967696e223a66616c73652c22657874726144617461223a22636c69656e74446174614a534f4e206d61792062652065"
        "7874656e6465642077697468206164646974696f6e616c206669656c647320696e20746865206675747572652c207375636820617320746869"
        "733a20426b5165446a646354427258426941774a544c453551227d"
    ),
    "attestationObject": bytes.fromhex(
        "a363666d74646e6f6e656761747453746d74a068617574684461746158a4bfabc37432958b063360d3ad6461c9c4735ae7f8edd46592a5e0f0"
        "1452b2e4b559000000008446ccb9ab1db374750b2367ff6f3a1f0020f91f391db4c9b2fde0ea70189cba3fb63f579ba6122b33ad94ff3ec330"
        "084be4a5010203262001215820afefa16f97ca9b2d23eb86ccb64098d20db90856062eb249c33a9b672f26df61225820930a56b87a2fca6633"
        "4b03458abf879717c12cc68ed73290af2e2664796b9220"
    ),
}
W3C_GET = bytes.fromhex("39c0e7521417ba54d43e8dc95174f423dee9bf3cd804ff6d65c857c9abf4d408")
W3C_GOT = {
    "clientDataJSON": bytes.fromhex(
        "7b2274797065223a22776562617574686e2e676574222c226368616c6c656e6765223a224f63446e55685158756c5455506f334a5558543049"
        "393770767a7a59425039745a63685879617630314167222c226f726967696e223a2268747470733a2f2f6578616d706c652e6f7267222c2263"
        "726f73734f726967696e223a66616c73657d"
    ),
    "authenticatorData": bytes.fromhex("bfabc37432958b063360d3ad6461c9c4735ae7f8edd46592a5e0f01452b2e4b51900000000"),
    "signature": bytes.fromhex(
        "3046022100f50a4e2e4409249c4a853ba361282f09841df4dd4547a13a87780218deffcd380221008480ac0f0b93538174f575bf11a1dd5d78"
        "c6e486013f937295ea13653e331e87"
    ),
}


def of_the_w3c(response: dict[str, bytes]) -> str:
    """The vector as a browser would send it."""
    return json.dumps(
        {
            "id": encoded(W3C_ID),
            "rawId": encoded(W3C_ID),
            "type": "public-key",
            "response": {name: bytes_to_base64url(value) for name, value in response.items()},
            "clientExtensionResults": {},
        }
    )


def test_the_vector_of_the_standard_holds() -> None:
    key = check_registration(W3C, read(of_the_w3c(W3C_CREATED)), challenge=W3C_CREATE)

    assert (key.credential_id, key.sign_count, key.verifies_user) == (W3C_ID, 0, False)
    assert key.aaguid == "8446ccb9-ab1d-b374-750b-2367ff6f3a1f"
    assert (key.is_backup_eligible, key.is_backed_up, key.is_discoverable, key.transports) == (True, True, False, "")
    kept = Kept(key.credential_id, key.public_key, is_backup_eligible=True)
    assertion = check_assertion(W3C, read(of_the_w3c(W3C_GOT)), challenge=W3C_GET, key=kept)
    assert (assertion.verified_user, assertion.sign_count, assertion.is_backed_up) == (False, 0, True)


@pytest.mark.parametrize("name", ["clientDataJSON", "authenticatorData", "signature"])
def test_no_bit_of_the_vector_can_be_another(name: str) -> None:
    key = check_registration(W3C, read(of_the_w3c(W3C_CREATED)), challenge=W3C_CREATE)
    kept = Kept(key.credential_id, key.public_key, is_backup_eligible=True)
    passed = []
    for place in range(len(W3C_GOT[name])):
        for bit in range(8):
            changed = bytearray(W3C_GOT[name])
            changed[place] ^= 1 << bit
            try:
                answer = read(of_the_w3c({**W3C_GOT, name: bytes(changed)}))
                check_assertion(W3C, answer, challenge=W3C_GET, key=kept)
            except CeremonyFailed:
                continue
            passed.append((place, bit))

    assert passed == []


def test_an_answer_is_read_but_not_believed() -> None:
    authenticator = Authenticator()
    authenticator.hold(HANDLE)

    answer = read(json.dumps(signed(authenticator)))

    assert answer.challenge == bytes_to_base64url(CHALLENGE)
    assert answer.credential_id == authenticator.held[0].credential_id
    assert answer.user_handle == HANDLE


def client_data(**members: object) -> str:
    return json.dumps(
        {"rawId": "AAAA", "response": {"clientDataJSON": bytes_to_base64url(json.dumps(members).encode())}}
    )


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "null",
        "[]",
        '"words"',
        "1e999",
        "NaN",
        "{}",
        "{",
        '{"response": null}',
        '{"response": []}',
        '{"response": {"clientDataJSON": "e30"}}',
        '{"rawId": "AAAA", "response": {"clientDataJSON": "AAAAA"}}',
        '{"rawId": "AAAA", "response": {"clientDataJSON": "é"}}',
        '{"rawId": "AAAA", "response": {"clientDataJSON": "\\ud800"}}',
        '{"rawId": "AAAA", "response": {"clientDataJSON": 7}}',
        '{"rawId": "AAAA", "response": {"clientDataJSON": "bnVsbA"}}',
        '{"rawId": "AAAA", "response": {"clientDataJSON": "W10"}}',
        '{"rawId": "AAAAA", "response": {"clientDataJSON": "eyJjaGFsbGVuZ2UiOiAiQSJ9"}}',
        '{"rawId": "AAAA", "response": {"clientDataJSON": "eyJjaGFsbGVuZ2UiOiAiQSJ9", "userHandle": "AAAAA"}}',
        client_data(),
        client_data(challenge=None),
        client_data(challenge=7),
        client_data(challenge=["AAAA"]),
        "[" * 8_000,
        '{"a":' * 3_000,
        "\ud800",
        "x" * 16_001,
    ],
)
def test_what_is_no_answer_is_refused(text: str) -> None:
    with pytest.raises(CeremonyFailed) as refused:
        read(text)

    assert refused.value.code == "not_verified"
    assert refused.value.reason in ("answer malformed", "answer too long")


@requirement("R45")
@pytest.mark.parametrize(
    "members",
    [{"crossOrigin": True}, {"crossOrigin": None}, {"crossOrigin": 0}, {"topOrigin": None}, {"topOrigin": "x"}],
)
def test_an_answer_from_within_another_site_is_refused(members: Json) -> None:
    with pytest.raises(CeremonyFailed) as refused:
        read(client_data(challenge="AAAA", **members))

    assert refused.value.reason == "asked from within another site"


def test_a_handle_that_is_left_out_is_none() -> None:
    assert read(client_data(challenge="AAAA", crossOrigin=False)).user_handle is None


@pytest.mark.parametrize(
    ("transports", "kept"),
    [
        (["usb", "nfc"], "nfc usb"),
        (["internal", "internal", "hybrid"], "hybrid internal"),
        (["usb", "telepathy", "", 7, None, ["nfc"]], "usb"),
        ([], ""),
        ("usb", ""),
        ({"usb": 1}, ""),
        (None, ""),
    ],
)
def test_of_the_ways_to_reach_a_key_known_ones_are_kept(transports: object, kept: str) -> None:
    credential = created(Authenticator())
    credential["response"]["transports"] = transports

    key = check_registration(PARTY, read(json.dumps(credential)), challenge=CHALLENGE)

    assert key.transports == kept


@pytest.mark.parametrize(
    ("results", "is_discoverable"),
    [
        ({"credProps": {"rk": True}}, True),
        ({"credProps": {"rk": False}}, False),
        ({"credProps": {"rk": 1}}, False),
        ({"credProps": {"rk": "true"}}, False),
        ({"credProps": {}}, False),
        ({"credProps": [True]}, False),
        ({}, False),
        (None, False),
        ([], False),
    ],
)
def test_whether_a_key_knows_whose_it_is_is_the_word_of_the_browser(results: object, is_discoverable: bool) -> None:
    credential = {**created(Authenticator()), "clientExtensionResults": results}

    key = check_registration(PARTY, read(json.dumps(credential)), challenge=CHALLENGE)

    assert key.is_discoverable is is_discoverable


def test_an_answer_holds_for_its_own_challenge_and_its_own_key_only() -> None:
    authenticator = Authenticator()
    held = authenticator.hold(HANDLE)
    answer = read(json.dumps(signed(authenticator)))
    another = Authenticator().hold(HANDLE)

    check_assertion(PARTY, answer, challenge=CHALLENGE, key=Kept(held.credential_id, held.public_key))

    for challenge, public_key in ((b"d" * 32, held.public_key), (CHALLENGE, another.public_key), (CHALLENGE, b"")):
        with pytest.raises(CeremonyFailed) as refused:
            check_assertion(PARTY, answer, challenge=challenge, key=Kept(held.credential_id, public_key))
        assert refused.value.reason == "signature not verified"


@pytest.mark.parametrize("algorithm", [-7, -8, -257])
def test_a_signature_of_another_key_does_not_hold_whatever_the_algorithm(algorithm: int) -> None:
    authenticator = Authenticator(algorithm=algorithm)
    held, thief = authenticator.hold(HANDLE), new_private_key(algorithm)
    options = request_options(PARTY, challenge=CHALLENGE, keys=[])
    kept = Kept(held.credential_id, held.public_key)

    check_assertion(PARTY, read(json.dumps(authenticator.get(options))), challenge=CHALLENGE, key=kept)

    forged = read(json.dumps(authenticator.get(options, signed_by=thief)))
    with pytest.raises(CeremonyFailed):
        check_assertion(PARTY, forged, challenge=CHALLENGE, key=kept)


def test_the_counter_is_told_and_not_judged() -> None:
    """The library would judge it before the signature, so that anybody could make a key seem copied."""
    authenticator = Authenticator()
    held = authenticator.hold(HANDLE)
    options = request_options(PARTY, challenge=CHALLENGE, keys=[])
    kept = Kept(held.credential_id, held.public_key)

    counts = [
        check_assertion(
            PARTY, read(json.dumps(authenticator.get(options, count=count))), challenge=CHALLENGE, key=kept
        ).sign_count
        for count in (9, 0, 1, 2**32 - 1)
    ]

    assert counts == [9, 0, 1, 2**32 - 1]


def test_the_question_names_keys_with_the_ways_to_reach_them() -> None:
    stick = a_security_key().hold(HANDLE)
    keys = [Kept(stick.credential_id, stick.public_key, "nfc usb"), Kept(b"id", stick.public_key, "")]

    asked = request_options(PARTY, challenge=CHALLENGE, keys=keys)
    excluded = creation_options(PARTY, challenge=CHALLENGE, handle=HANDLE, username="ana", others=keys)

    named = [
        {"id": stick.id, "type": "public-key", "transports": ["nfc", "usb"]},
        {"id": "aWQ", "type": "public-key"},
    ]
    assert asked["allowCredentials"] == named
    assert excluded["excludeCredentials"] == named
    assert excluded["user"] == {"id": encoded(HANDLE), "name": "ana", "displayName": "ana"}


@pytest.mark.parametrize(
    ("url", "host", "origin"),
    [
        ("https://index.example", "index.example", "https://index.example"),
        ("https://index.example:443", "index.example", "https://index.example"),
        ("https://index.example:8443", "index.example", "https://index.example:8443"),
        ("http://localhost:80", "localhost", "http://localhost"),
        ("http://localhost:443", "localhost", "http://localhost:443"),
    ],
)
def test_the_origin_names_a_port_only_where_browsers_do(url: str, host: str, origin: str) -> None:
    party = RelyingParty.at(url, name="x")

    assert (party.id, party.origin) == (host, origin)
