"""Reports of leaked tokens are believed by their signature; keys are fetched seldom, and may be out of reach."""

import base64
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

import adapters.leak_keys
from adapters.fetched_keys import AGAIN, NoKeys
from adapters.leak_keys import KEPT, MAX_BYTES, PublishedKeys
from tests.breach_service import Answer, a_list, a_service
from tests.leak_service import Signer, answering, listing

BODY = b'[{"token": "csn_x"}]'
NOW = datetime(2026, 11, 22, 14, 5, tzinfo=UTC)
SIGNER, OTHER = Signer(), Signer("another")


def signed(keys: PublishedKeys, signer: Signer = SIGNER, *, after: timedelta = timedelta(0)) -> bool:
    return keys.signed(BODY, key=signer.identifier, signature=signer.sign(BODY), now=NOW + after)


def test_what_a_published_key_signed_is_believed() -> None:
    with a_service(listing(OTHER, SIGNER)) as service:
        assert signed(PublishedKeys(f"{service.url}/meta/public_keys/secret_scanning"))

    assert service.requests[0].startswith("GET /meta/public_keys/secret_scanning HTTP/1.1")


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda body, signature: (body + b" ", signature), id="another body"),
        pytest.param(lambda body, signature: (body, OTHER.sign(body)), id="another key"),
        pytest.param(lambda body, signature: (body, ""), id="no signature"),
        pytest.param(lambda body, signature: (body, "ä"), id="no base64"),
        pytest.param(lambda body, signature: (body, base64.b64encode(b"x" * 70).decode()), id="no DER"),
        pytest.param(lambda body, signature: (body, signature[:-8]), id="cut short"),
        pytest.param(lambda body, signature: (body, "A" * 100_000), id="very long"),
    ],
)
def test_any_other_signature_is_not(change: Callable[[bytes, str], tuple[bytes, str]]) -> None:
    body, signature = change(BODY, SIGNER.sign(BODY))

    with a_service(listing(SIGNER)) as service:
        assert not PublishedKeys(service.url).signed(body, key=SIGNER.identifier, signature=signature, now=NOW)


def test_keys_are_kept_for_half_an_hour() -> None:
    with a_service(listing(SIGNER)) as service:
        keys = PublishedKeys(service.url)
        for after in (timedelta(0), KEPT - timedelta(seconds=1), KEPT):
            assert signed(keys, after=after)

    assert len(service.requests) == 2


def test_an_unknown_key_has_them_fetched_anew_once_a_minute_at_most() -> None:
    with a_service(listing(SIGNER)) as service:
        keys = PublishedKeys(service.url)
        assert signed(keys)
        for _ in range(3):
            assert not signed(keys, OTHER, after=AGAIN)
        service.answer = listing(SIGNER, OTHER)
        assert signed(keys, OTHER, after=2 * AGAIN)

    assert len(service.requests) == 3


BROKEN: dict[str, Answer] = {
    "an error": a_list("{}", status="500 Oops"),
    "a redirect": a_list("", status="302 Found", headers="Location: http://127.0.0.1/\r\n"),
    "no JSON": a_list("<html>"),
    "no object": answering([1]),
    "no list": answering({"public_keys": "x"}),
    "too many": answering({"public_keys": [{}] * 101}),
    "too much": a_list("x" * (MAX_BYTES + 1)),
    "nothing": list,
    "no HTTP": lambda: [b"SSH-2.0-x\r\n"],
}


@pytest.mark.parametrize("what", BROKEN)
def test_without_keys_nobody_can_say(what: str) -> None:
    with a_service(BROKEN[what]) as service:
        keys = PublishedKeys(service.url)
        for _ in range(3):
            with pytest.raises(NoKeys):
                signed(keys)

    assert len(service.requests) == 1


def test_without_a_service_nobody_can_say() -> None:
    with a_service(listing(SIGNER)) as service:
        pass

    with pytest.raises(NoKeys):
        signed(PublishedKeys(service.url))


def test_a_service_that_drips_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adapters.leak_keys, "SECONDS", 0.3)
    let_go = threading.Event()

    def drip() -> Iterator[bytes]:
        try:
            yield b"HTTP/1.1 200 OK\r\n\r\n"
            for _ in range(100):
                time.sleep(0.05)
                yield b" "
        finally:
            let_go.set()

    with a_service(drip) as service:
        started = time.monotonic()
        with pytest.raises(NoKeys):
            signed(PublishedKeys(service.url))

        assert time.monotonic() - started < 1
        assert let_go.wait(2), "its thread reads on"


def test_while_the_service_fails_the_keys_at_hand_serve_until_their_time_is_over() -> None:
    with a_service(listing(SIGNER)) as service:
        keys = PublishedKeys(service.url)
        signed(keys)
        service.answer = BROKEN["an error"]

        assert signed(keys, after=KEPT - timedelta(seconds=1))
        with pytest.raises(NoKeys):
            signed(keys, after=KEPT)


@pytest.mark.parametrize(
    "entry",
    [
        {},
        {"key_identifier": SIGNER.identifier},
        {"key_identifier": SIGNER.identifier, "key": "-----BEGIN PUBLIC KEY-----\nx"},
        {"key_identifier": SIGNER.identifier, "key": 1},
        Signer(SIGNER.identifier, ec.generate_private_key(ec.SECP384R1())).entry,
        "x",
    ],
)
def test_a_key_of_another_kind_is_passed_over(entry: object) -> None:
    with a_service(answering({"public_keys": [entry, OTHER.entry]})) as service:
        keys = PublishedKeys(service.url)

        assert not signed(keys)
        assert signed(keys, OTHER)
