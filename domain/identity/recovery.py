"""Recovery codes: the way back in when every second factor is gone."""

import base64
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from domain.identity.typed_codes import MalformedCode, fold

CODES = 10
# 80 bits: 16 symbols of 5. With a slow hash nobody tries them all (NIST SP 800-63B-4 §4.2.1.1 asks for 64).
CODE_BYTES = 10
CODE_SYMBOLS = 16
GROUP = 4

# Crockford's base 32 has no I, L, O and U: what is read from paper cannot be mistaken.
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
FROM_RFC_4648 = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", ALPHABET)
MISREAD = str.maketrans("OIL", "011")

FIELD = "recovery_code_value"


def new_codes(random_bytes: Callable[[int], bytes]) -> list[str]:
    """Ten fresh codes in the form XXXX-XXXX-XXXX-XXXX. random_bytes: gives that many unpredictable bytes.

    Each symbol stands for exactly five random bits, so all are equally likely.
    """
    return [
        _in_groups(base64.b32encode(random_bytes(CODE_BYTES)).decode().translate(FROM_RFC_4648))
        for _ in range(CODES)
    ]


def clean_recovery_code(typed: str) -> str:
    """The code just as it was shown, out of whatever case and hyphens, with O read as 0 and I or L as 1.

    Raises MalformedCode where it cannot be one of ours.
    """
    if not typed.strip():
        raise MalformedCode("Type one of your recovery codes.", field=FIELD)
    code = fold(typed).upper().translate(MISREAD)
    if len(code) != CODE_SYMBOLS:
        raise MalformedCode(
            "That is not a whole recovery code. It has 16 letters and digits, in four groups of four.",
            field=FIELD,
        )
    if not set(code) <= set(ALPHABET):
        raise MalformedCode(
            "That is not a recovery code. It has only digits and the letters A to Z, and never a U.",
            field=FIELD,
        )
    return _in_groups(code)


def as_file(codes: Sequence[str], *, site: str, username: str, made_at: datetime) -> str:
    """The codes as plain text to download, with what they are for, whose they are and when they were made."""
    made = made_at.astimezone(UTC)
    numbered = "\n".join(f"{number:>2}. {code}" for number, code in enumerate(codes, start=1))
    return (
        f"Recovery codes for {username} at {site}\n"
        f"Made on {made.day} {made:%b %Y, %H:%M} UTC. Codes made before then no longer work.\n"
        f"\n{numbered}\n\n"
        "With your password, each code signs you in once when you do not have your second factor.\n"
        "Keep this file away from your password. Making new codes voids these.\n"
    )


def _in_groups(code: str) -> str:
    return "-".join(code[start : start + GROUP] for start in range(0, len(code), GROUP))
