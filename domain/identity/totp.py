"""One-time codes of authenticator apps (RFC 6238): to which step a code belongs, how far off a clock is."""

import base64
import hmac
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

import pyotp

from domain.identity.typed_codes import MalformedCode, fold

EPOCH = datetime.fromtimestamp(0, UTC)

# 30 seconds, six digits and SHA-1 are what every authenticator app takes. Some ignore other values in the QR
# code and would show wrong codes for ever. SHA-1 is sound here: its collisions do not touch HMAC (RFC 6194).
STEP = timedelta(seconds=30)
DIGITS = 6

# One step to either side: a code stays good while it is typed, and a clock half a minute off does no harm.
# Each step more would give a guesser one more right answer (RFC 6238 §5.2 advises one).
WINDOW = 1

# How far to look for the cause of a wrong code: five minutes to either side. Such a code is never accepted.
SKEW_WINDOW = 10

# 160 bits, the length of the hash (RFC 4226 §4); no padding in base32.
SECRET_BYTES = 20

FIELD = "totp_value"


def new_secret(random_bytes: Callable[[int], bytes]) -> str:
    """A fresh secret in base32, 32 characters long. random_bytes: gives that many unpredictable bytes."""
    return base64.b32encode(random_bytes(SECRET_BYTES)).decode()


def clean_code(typed: str) -> str:
    """Six ASCII digits out of what a person typed: spaces, hyphens and full-width digits are welcome.

    Raises MalformedCode when it is anything else.
    """
    if not typed.strip():
        raise MalformedCode("Type the six digits that your app shows.", field=FIELD)
    code = fold(typed)
    if not (len(code) == DIGITS and code.isascii() and code.isdigit()):
        raise MalformedCode("That is not a six-digit code. Type the six digits that your app shows now.", field=FIELD)
    return code


def matching_step(secret: str, *, code: str, now: datetime) -> int | None:
    """The step to which a code belongs; None for a wrong one. To accept it once only is up to the caller.

    secret: base32. code: as `clean_code` returns it. Result: 30-second counter since the epoch; the present
    one, the one before or the one after. Should a code belong to two of them, it is the newest: whoever keeps
    the result and then asks for a greater one has refused these six digits for as long as the window holds
    them.
    """
    return max(_steps_with(secret, code, now=now, distance=WINDOW), default=None)


def clock_skew(secret: str, *, code: str, now: datetime) -> timedelta | None:
    """How far the phone's clock is ahead of ours (behind: negative), if that is why a code was refused.

    Looks two to ten steps to either side and takes the nearest. It is for the message alone: the code stays
    refused, and the attempt counts, for an accepted code there would help a guesser.
    """
    present = _step(now)
    distances = [step - present for step in _steps_with(secret, code, now=now, distance=SKEW_WINDOW)]
    skewed = [distance for distance in distances if abs(distance) > WINDOW]
    return min(skewed, key=abs) * STEP if skewed else None


def skew_sentence(skew: timedelta) -> str:
    """What to tell the person whose phone is off by this much: in whole minutes, half ones rounded up."""
    minutes = (abs(skew) + timedelta(seconds=30)) // timedelta(minutes=1)
    amount = "1 minute" if minutes == 1 else f"{minutes} minutes"
    direction = "ahead" if skew > timedelta() else "behind"
    return f"Your phone's clock seems about {amount} {direction}. Switch on automatic time."


def why_refused(secrets: Sequence[str], *, code: str, now: datetime) -> str:
    """What to say of a code that fits none of these secrets: how far the clock is off, if that is why."""
    skews = (clock_skew(secret, code=code, now=now) for secret in secrets)
    skew = next((skew for skew in skews if skew is not None), None)
    if skew is not None:
        return f"{skew_sentence(skew)} Here it is {now.astimezone(UTC):%H:%M:%S} UTC."
    return "That code does not match. Codes change every 30 seconds: wait for the next one."


def otpauth_uri(secret: str, *, account: str, issuer: str, label: str) -> str:
    """What the QR code says to the app. label: tells several apps of one account apart; may be empty.

    A colon parts issuer and account in this format, written out or encoded, so neither can hold one
    ("localhost:8000"). Source: the Key URI Format of Google Authenticator.
    """
    name = f"{account} ({label})" if label else account
    name, issuer = name.replace(":", " "), issuer.replace(":", " ")
    return pyotp.TOTP(secret).provisioning_uri(name=name, issuer_name=issuer)


def grouped(secret: str) -> list[str]:
    """The secret in groups of four, for those who type it."""
    return [secret[start : start + 4] for start in range(0, len(secret), 4)]


def _step(now: datetime) -> int:
    return (now - EPOCH) // STEP


def _steps_with(secret: str, code: str, *, now: datetime, distance: int) -> list[int]:
    """All steps within this distance whose code is this one. Every one is compared, and in constant time."""
    codes = pyotp.HOTP(secret, digits=DIGITS)
    present = _step(now)
    steps = range(max(0, present - distance), present + distance + 1)
    return [step for step in steps if hmac.compare_digest(codes.at(step), code)]
