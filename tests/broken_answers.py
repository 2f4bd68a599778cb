"""Answers of authenticators that are broken in one place, the same ones in every run."""

import json
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cbor2
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url

from tests.authenticator import ATTESTED, ES256, EXTENDED, Authenticator, Json, cose_key, new_private_key


def nested(depth: int, value: object = None) -> object:
    for _ in range(depth):
        value = [value]
    return value


JUNK: list[object] = [
    None, True, False, 0, -1, 2**53, 2**64, 10**400, 1.5, 1e308, "", " ", "\x00", "é", "\ud800", "=", "A", "AAAAA", "%",
    "AAAA", "x" * 3_000, [], {}, [[]], {"": None}, [None] * 50, nested(100), {"a": nested(500)},
]  # fmt: skip
TWICE = ['"type":"x"', '"type":null', '"rawId":7', '"response":{}', '"id":"A"']  # the last of two counts
BROKEN_CBOR = [
    b"\xff", b"\x1c", b"\x81" * 5_000, b"\xa1\x00" * 3_000, b"\xc1" * 5_000, b"\x9f" * 5_000, b"\x9b" + b"\xff" * 8,
    b"\xbb" + b"\x7f" * 8, b"\x5b" + b"\x7f" * 8, b"\x7a\x7f\xff\xff\xff", b"\x9a\x7f\xff\xff\xff", b"\x62\xff\xff",
    b"\xc5\x82\x1b" + b"\x7f" * 8 + b"\x01", b"\xd8\x1e\x82\x01\x00", b"\xd8\x23\x61(", b"\xa2\x01\x01\x01\x02",
    b"\xd9\x01\x00\xd8\x19\x00",
]  # fmt: skip
ODD_CBOR = [b"", b"\x00", b"\xf7", b"\xd8\x24\x61a", b"\xa1\x80\x00", b"\xc2\x59\x10\x00" + b"\xff" * 4_096]


@dataclass
class Breaker:
    """Makes them. None can hold: what is changed is always something that is checked.

    names_itself: whether the answer has to say whose the key is.
    """

    rng: random.Random
    authenticator: Authenticator
    creates: bool
    names_itself: bool

    def good(self, options: Json) -> Json:
        return self.authenticator.create(options) if self.creates else self.authenticator.get(options)

    def text(self, options: Json) -> str:
        """No JSON, or none of ours."""
        text = json.dumps(self.good(options))
        cut = self.rng.randrange(len(text))
        return self.rng.choice(
            [
                text[:cut],
                text[:cut] + "\x00" + text[cut:],
                text + self.rng.choice(["}", ",", "x", "{}", "\x00"]),
                "\ufeff" + text,
                f"[{text}]",
                json.dumps(text),
                text.replace('"', "'"),
                text.replace(":", "=", 1),
                "".join(f"{character}\x00" for character in text),
                f"{text[:-1]},{self.rng.choice(TWICE)}}}",
                '{"response":' * self.rng.choice([10, 900, 1_200]) + text,
                text[:-1] + f',"padding":"{"x" * 16_000}"}}',
                text[:-1] + ',"a":NaN}',
                "",
            ]
        )  # fmt: skip

    def member(self, options: Json) -> str:
        """A member that is missing, misnamed, or of another type."""
        credential = self.good(options)
        inner = ["attestationObject"] if self.creates else ["authenticatorData", "signature"]
        places = ["id", "rawId", "type", "response", "clientDataJSON", *inner, *(["userHandle"] * self.names_itself)]
        name = self.rng.choice(places)
        holder = credential if name in credential else credential["response"]
        value = holder.pop(name)
        match self.rng.randrange(4):
            case 0:
                holder[name.upper()] = value
            case 1:
                holder[name] = [value]
            case _:
                holder[name] = self.rng.choice(JUNK)
        return json.dumps(credential)

    def base64(self, options: Json) -> str:
        """Binary that lost or gained something on the way."""
        credential = self.good(options)
        response = credential["response"]
        name = self.rng.choice(
            ["attestationObject"] if self.creates else ["authenticatorData", "signature", "clientDataJSON"]
        )
        raw = bytearray(base64url_to_bytes(response[name]))
        places: Sequence[int] = range(len(raw))
        if self.creates:  # of a new key only this is bound to anything: the party's name, and at the end the key itself
            party = raw.find(b"authData") + 10
            places = [*range(party, party + 32), *range(len(raw) - 77, len(raw))]
        place = self.rng.choice(places)
        match self.rng.randrange(3 if self.creates else 4):
            case 0:
                raw[place] ^= 1 << self.rng.randrange(8)
            case 1:
                del raw[place:]
            case 2:
                del raw[place : place + self.rng.randrange(1, 9)]
            case _:
                raw += self.rng.randbytes(self.rng.randrange(1, 40))
        response[name] = bytes_to_base64url(bytes(raw)) if self.rng.random() < 0.9 else response[name][:-1] + "é"
        return json.dumps(credential)

    def client_data(self, options: Json) -> str:
        """What the browser says of itself is broken, and the signature of that is good."""
        kind = "webauthn.create" if self.creates else "webauthn.get"
        said = {"type": kind, "challenge": options["challenge"], "origin": self.authenticator.origin}
        text = json.dumps(said)
        name = self.rng.choice(list(said))
        changed = json.dumps({**said, name: self.rng.choice(JUNK)})
        data = self.rng.choice(
            [
                b"", b"null", b"[]", b"7", b'"x"', b"\xff\xfe", b"\xef\xbb\xbf" + text.encode(), text.encode("utf-16"),
                text[: self.rng.randrange(len(text))].encode(), text.encode() + b"\x00", f"[{text}]".encode(),
                (text[:-1] + f',"{name}":"x"}}').encode(), (text[:-1] + f',"x":{"[" * 2_000}{"]" * 2_000}}}').encode(),
                text.encode()[:-2] + b'\xff"}', (text[:-1] + ',"topOrigin":null}').encode(),
                changed.encode(), changed.encode(), changed.encode(), changed.encode(), changed.encode(),
            ]
        )  # fmt: skip
        if self.creates:
            return json.dumps(self.authenticator.create(options, client_data=data))
        return json.dumps(self.authenticator.get(options, client_data=data))

    def auth_data(self, options: Json) -> str:
        """What the authenticator says is broken, and the signature of that is good."""
        good = self.good(options)["response"]
        if self.creates:
            raw: bytes = cbor2.loads(base64url_to_bytes(good["attestationObject"]))["authData"]
        else:
            raw = base64url_to_bytes(good["authenticatorData"])
        flags, junk = raw[32], self.rng.choice(BROKEN_CBOR)
        extended = bytes([flags | EXTENDED])
        data = self.rng.choice(
            [
                raw[: self.rng.randrange(len(raw))],
                raw + self.rng.randbytes(self.rng.randrange(1, 60)),
                self.rng.randbytes(32) + raw[32:],
                raw[:32] + bytes([flags & ~1]) + raw[33:],
                raw[:32] + bytes([flags ^ ATTESTED]) + raw[33:],
                raw[:32] + extended + raw[33:] + junk,
                raw[:32] + bytes([flags | ATTESTED]) + raw[33:37] + bytes(16) + b"\xff\xff" + self.rng.randbytes(40),
                raw[:32] + bytes([flags | ATTESTED]) + raw[33:37] + bytes(16) + b"\x00\x01x" + junk,
                b"",
            ]
        )
        if self.creates:
            return json.dumps(self.authenticator.create(options, auth_data=data))
        return json.dumps(self.authenticator.get(options, auth_data=data))

    def attestation(self, options: Json) -> str:
        """What wraps a new key is broken."""
        formats = ["packed", "tpm", "android-key", "android-safetynet", "apple", "fido-u2f", "", "x", 7, None, [], {}]
        statement = {
            "sig": self.rng.randbytes(70),
            "alg": self.rng.choice([-7, -257, 0, None, "x"]),
            "ver": self.rng.choice(["2.0", 7]),
            "x5c": self.rng.choice([[], [b""], [b"x" * 300], [None], "x", b"x"]),
            "response": b"a.b.c",
            "certInfo": b"x",
            "pubArea": b"",
        }
        ways: list[dict[str, object] | bytes] = [
            self.rng.choice([*BROKEN_CBOR, *ODD_CBOR]),
            cbor2.dumps(self.rng.choice([None, 7, [], "x", {1: 2}, {"fmt": "none"}, 2**70, 1.5])),
            {"fmt": self.rng.choice(formats)},
            {"fmt": self.rng.choice(formats[:6]), "attStmt": statement},
            {"fmt": self.rng.choice(formats[:6]), "attStmt": {self.rng.choice(list(statement)): b"x"}},
            {"attStmt": self.rng.choice([7, None, {"sig": b"x"}, {"x5c": []}])},
            {"authData": self.rng.choice([None, 7, "x" * 200, [], {}, b""])},
        ]
        return json.dumps(self.authenticator.create(options, attestation=self.rng.choice(ways)))

    def public_key(self, options: Json) -> str:
        """What a new key is, is none."""
        good = cbor2.loads(cose_key(new_private_key(ES256)))
        junk = [None, False, 0, -9, 2**70, 1.5, "", "x", b"", b"x", self.rng.randbytes(33), [], {}, nested(50)]
        key = {**good, self.rng.choice(list(good)): self.rng.choice(junk)}
        data = self.rng.choice([cbor2.dumps(key), cbor2.dumps(key), self.rng.choice([*BROKEN_CBOR, *ODD_CBOR])])
        return json.dumps(self.authenticator.create(options, public_key=data))

    def signature(self, options: Json) -> str:
        """It is signed by nobody."""
        credential = self.good(options)
        junk = self.rng.randbytes(self.rng.choice([0, 1, 8, 64, 70, 72, 256, 4_000]))
        credential["response"]["signature"] = bytes_to_base64url(junk)
        return json.dumps(credential)

    def ways(self) -> list[Callable[[Json], str]]:
        common = [self.text, self.member, self.base64, self.client_data, self.auth_data]
        return [*common, self.attestation, self.public_key] if self.creates else [*common, self.signature]
