"""Sealed secrets open in their own place only, unaltered, and with a key of the ring."""

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st

from adapters.secretbox import SecretBox, Unsealable
from tests.requirements import requirement

OLD_KEY = bytes(range(32))
NEW_KEY = bytes(range(100, 132))
SECRET = b"JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
HERE = "totp:ada:phone"


@given(plaintext=st.binary(max_size=200), context=st.text(st.characters(codec="utf-8"), max_size=50))
def test_what_is_sealed_opens_again_in_its_place(plaintext: bytes, context: str) -> None:
    box = SecretBox([NEW_KEY])

    sealed = box.seal(plaintext, context=context)

    assert box.open(sealed, context=context) == plaintext


def test_the_sealed_form_does_not_show_the_secret_and_differs_each_time() -> None:
    box = SecretBox([NEW_KEY])

    first, second = box.seal(SECRET, context=HERE), box.seal(SECRET, context=HERE)

    assert SECRET not in first
    assert first != second


def test_the_form_on_disk_stays_readable() -> None:
    sealed = SecretBox([NEW_KEY]).seal(SECRET, context=HERE)

    header, nonce, ciphertext = sealed[:9], sealed[9:21], sealed[21:]

    assert header == b"\x01" + bytes.fromhex(SecretBox([NEW_KEY]).key_id)
    assert AESGCM(NEW_KEY).decrypt(nonce, ciphertext, header + HERE.encode()) == SECRET


def test_a_later_form_is_refused_as_that() -> None:
    box = SecretBox([NEW_KEY])
    sealed = box.seal(SECRET, context=HERE)

    with pytest.raises(Unsealable, match="no sealed box of a version that we know"):
        box.open(b"\x02" + sealed[1:], context=HERE)


def test_the_nonce_comes_from_the_given_randomness() -> None:
    nonce = b"twelve bytes"

    sealed = SecretBox([NEW_KEY], random_bytes=lambda count: nonce[:count]).seal(SECRET, context=HERE)

    assert sealed[9:21] == nonce


def test_a_box_moved_to_another_row_does_not_open() -> None:
    box = SecretBox([NEW_KEY])
    sealed = box.seal(SECRET, context=HERE)

    with pytest.raises(Unsealable, match="altered, or was sealed for another place"):
        box.open(sealed, context="totp:eve:phone")


@given(position=st.integers(0, 8 * (9 + 12 + len(SECRET) + 16) - 1))
def test_a_single_flipped_bit_anywhere_is_noticed(position: int) -> None:
    box = SecretBox([NEW_KEY, OLD_KEY])
    sealed = bytearray(box.seal(SECRET, context=HERE))

    sealed[position // 8] ^= 1 << position % 8

    with pytest.raises(Unsealable):
        box.open(bytes(sealed), context=HERE)


def test_a_box_relabelled_with_another_key_of_the_ring_does_not_open() -> None:
    box = SecretBox([NEW_KEY, OLD_KEY])
    sealed = box.seal(SECRET, context=HERE)
    label = SecretBox([OLD_KEY]).seal(SECRET, context=HERE)[:9]

    with pytest.raises(Unsealable, match="altered"):
        box.open(label + sealed[9:], context=HERE)


@given(junk=st.binary(max_size=60))
def test_what_was_never_a_box_is_refused(junk: bytes) -> None:
    box = SecretBox([NEW_KEY])

    with pytest.raises(Unsealable):
        box.open(junk, context=HERE)


@pytest.mark.parametrize("length", [0, 1, 9, 21, 36])
def test_a_box_cut_short_is_refused(length: int) -> None:
    box = SecretBox([NEW_KEY])
    sealed = box.seal(b"", context=HERE)

    with pytest.raises(Unsealable):
        box.open(sealed[:length], context=HERE)


@requirement("R98")
def test_after_a_new_key_is_put_in_front_old_boxes_still_open() -> None:
    sealed = SecretBox([OLD_KEY]).seal(SECRET, context=HERE)

    rotated = SecretBox([NEW_KEY, OLD_KEY])

    assert rotated.open(sealed, context=HERE) == SECRET
    assert rotated.needs_resealing(sealed)


@requirement("R98")
def test_after_resealing_the_old_key_can_go() -> None:
    rotated = SecretBox([NEW_KEY, OLD_KEY])
    sealed = SecretBox([OLD_KEY]).seal(SECRET, context=HERE)

    resealed = rotated.seal(rotated.open(sealed, context=HERE), context=HERE)

    assert not rotated.needs_resealing(resealed)
    assert SecretBox([NEW_KEY]).open(resealed, context=HERE) == SECRET


def test_an_unknown_key_is_named_by_its_id_and_nothing_else() -> None:
    old = SecretBox([OLD_KEY])
    sealed = old.seal(SECRET, context=HERE)

    with pytest.raises(Unsealable) as refusal:
        SecretBox([NEW_KEY]).open(sealed, context=HERE)

    words = str(refusal.value)
    assert words == f"This box was sealed with key {old.key_id}, which is not in the key ring."
    assert OLD_KEY.hex() not in words
    assert NEW_KEY.hex() not in words


def test_the_key_id_belongs_to_the_key_that_seals_and_is_no_part_of_it() -> None:
    ring = SecretBox([NEW_KEY, OLD_KEY])

    key_id = ring.key_id

    assert key_id == SecretBox([NEW_KEY]).key_id != SecretBox([OLD_KEY]).key_id
    assert key_id not in NEW_KEY.hex()


@requirement("R98")
@pytest.mark.parametrize("length", [0, 16, 31, 33])
def test_a_key_of_another_length_is_refused(length: int) -> None:
    keys = [NEW_KEY, bytes(length)]

    with pytest.raises(ValueError, match="32 bytes"):
        SecretBox(keys)


def test_an_empty_key_ring_is_refused() -> None:
    with pytest.raises(ValueError, match="empty"):
        SecretBox([])
