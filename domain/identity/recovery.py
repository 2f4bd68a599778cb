"""Recovery codes: the way back in when every second factor is gone."""

import base64
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import delete, func, select, update
from sqlalchemy.engine import CursorResult
from sqlalchemy.orm import Session

from adapters.secretbox import SecretBox
from domain import journal
from domain.identity import browsers, ceremonies, guesses
from domain.identity.ceremonies import Purpose
from domain.identity.passwords import HashCost, PasswordHasher
from domain.identity.typed_codes import MalformedCode, fold
from domain.notices import Notices
from domain.policy.actions import Action
from domain.policy.decision import Permit
from domain.policy.principals import Origin
from domain.problems import Problem
from models import RecoveryCode, User

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
FEW = 3  # with this many left or fewer, people are told to make new ones

# Ten codes are made and compared at a time. These are random: unlike passwords they need no 0.2 s each.
CODE_HASHER = PasswordHasher(HashCost(time_cost=1, memory_kib=8_192))


@dataclass(frozen=True)
class Shown:
    """Codes that this browser may still see."""

    codes: list[str]
    made_at: datetime
    until: datetime


def new_codes(random_bytes: Callable[[int], bytes]) -> list[str]:
    """Ten fresh codes in the form XXXX-XXXX-XXXX-XXXX. random_bytes: gives that many unpredictable bytes.

    Each symbol stands for exactly five random bits, so all are equally likely.
    """
    return [
        _in_groups(base64.b32encode(random_bytes(CODE_BYTES)).decode().translate(FROM_RFC_4648)) for _ in range(CODES)
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


def codes_of(db: Session, user_id: int) -> list[RecoveryCode]:
    """The account's present set, used ones too."""
    mine = select(RecoveryCode).where(RecoveryCode.user_id == user_id)
    return list(db.scalars(mine.order_by(RecoveryCode.id)))


def codes_left(db: Session, user_id: int) -> int:
    """How many ways back in there are."""
    unused = (RecoveryCode.user_id == user_id) & RecoveryCode.used_at.is_(None)
    return db.scalar(select(func.count()).select_from(RecoveryCode).where(unused)) or 0


def make_first_codes(db: Session, permit: Permit, box: SecretBox, user: User, *, now: datetime) -> None:
    """Make the codes that belong to a second factor being set up, unless the account has some left."""
    permit.covers(Action.ENROL_PASSKEY if permit.action is Action.ENROL_PASSKEY else Action.ENROL_TOTP)
    if codes_left(db, user.id) == 0:
        _replace(db, permit, box, user, now=now)


def make_codes(db: Session, permit: Permit, box: SecretBox, notices: Notices, *, now: datetime) -> None:
    """Make ten new codes; the old ones are void at once, and the account's other browsers signed out."""
    permit.covers(Action.MAKE_RECOVERY_CODES)
    user = db.get_one(User, permit.account.user_id, with_for_update={"key_share": True})
    _replace(db, permit, box, user, now=now)
    browsers.sign_out_others(db, user.id, kept=permit.member.session_id)
    notices.tell(db, user, "recovery-codes-made", now=now, origin=permit.principal.origin)


def shown_codes(db: Session, permit: Permit, box: SecretBox, *, now: datetime) -> Shown | None:
    """The codes, for the browser that had them made: until one is typed to prove that they are kept, 30 minutes at
    most. None afterwards, for good."""
    permit.covers(Action.CONFIRM_RECOVERY_CODES)
    member = permit.member
    begun = ceremonies.current(
        db, box, Purpose.RECOVERY_CODES, user_id=member.account.user_id, session_id=member.session_id, now=now
    )
    return Shown(begun.payload["codes"], begun.created_at, begun.expires_at) if begun else None


def confirm_saved(db: Session, permit: Permit, typed: str, *, now: datetime) -> None:
    """Take any one unused code as proof that they are kept. It stays good; the codes are shown no more.

    Raises Problem at the field: a malformed or wrong code, or too many of them.
    """
    permit.covers(Action.CONFIRM_RECOVERY_CODES)
    user_id, origin = permit.account.user_id, permit.principal.origin
    code_id = _find(db, user_id, typed, origin=origin, now=now)
    user = db.get_one(User, user_id, with_for_update={"key_share": True})  # or codes made meanwhile would count as kept
    if db.scalar(select(RecoveryCode.id).where(RecoveryCode.id == code_id, RecoveryCode.used_at.is_(None))) is None:
        raise _refusal(db, user_id, origin=origin, now=now)
    guesses.forgive(db, user_id, origin=origin)
    user.recovery_codes_confirmed_at = now
    ceremonies.abandon(db, Purpose.RECOVERY_CODES, user_id=user_id)
    journal.record(db, "account:recovery_codes:confirmed", now=now, origin=origin, actor_id=user_id)


def use_code(db: Session, notices: Notices, user_id: int, typed: str, *, origin: Origin, now: datetime) -> int:
    """Spend a code instead of a second factor, and return how many are left.

    The try is counted first, and committed. Raises Problem at the field: a malformed code, one that does not work
    (whether it is mistyped, used or void is not told), or too many of them.
    """
    code_id = _find(db, user_id, typed, origin=origin, now=now)
    unused = update(RecoveryCode).where(RecoveryCode.id == code_id, RecoveryCode.used_at.is_(None))
    spent = db.execute(unused.values(used_at=now, used_from=origin.address[:64]))
    assert isinstance(spent, CursorResult)  # noqa: S101 - an UPDATE has a row count
    if spent.rowcount != 1:
        raise _refusal(db, user_id, origin=origin, now=now)
    guesses.forgive(db, user_id, origin=origin)
    left = codes_left(db, user_id)
    journal.record(db, "account:recovery_code:used", now=now, origin=origin, actor_id=user_id, details={"left": left})
    user = db.get_one(User, user_id)
    notices.tell(db, user, "recovery-code-used", now=now, origin=origin, left=left, few=FEW)
    return left


def void_codes(db: Session, user: User) -> None:
    """Remove the account's codes, and the page that may still show them."""
    db.execute(delete(RecoveryCode).where(RecoveryCode.user_id == user.id))
    ceremonies.abandon(db, Purpose.RECOVERY_CODES, user_id=user.id)
    user.recovery_codes_confirmed_at = None


def _replace(db: Session, permit: Permit, box: SecretBox, user: User, *, now: datetime) -> None:
    codes = new_codes(secrets.token_bytes)
    void_codes(db, user)
    db.add_all(RecoveryCode(user_id=user.id, code_hash=CODE_HASHER.hash(code), made_at=now) for code in codes)
    session_id, payload = permit.member.session_id, {"codes": codes}
    ceremonies.begin(db, box, Purpose.RECOVERY_CODES, now=now, payload=payload, user_id=user.id, session_id=session_id)
    journal.record(db, "account:recovery_codes:made", now=now, origin=permit.principal.origin, actor_id=user.id)


def _find(db: Session, user_id: int, typed: str, *, origin: Origin, now: datetime) -> int | None:
    """The row that a typed code belongs to, used or not. The work is the same for every code and account.

    The hashes are read before the try is counted, so that the slow comparison holds no lock of the database.
    """
    code = clean_recovery_code(typed)
    kept = [(row.id, row.code_hash) for row in codes_of(db, user_id)]
    guesses.count(db, user_id, origin=origin, now=now)
    for _ in range(CODES - len(kept)):
        CODE_HASHER.verify(None, code)
    found = [code_id for code_id, code_hash in kept if CODE_HASHER.verify(code_hash, code)]
    return found[0] if found else None


def _refusal(db: Session, user_id: int, *, origin: Origin, now: datetime) -> Problem:
    guesses.note_refusal(db, user_id, "wrong recovery code", origin=origin, now=now)
    return Problem(
        "This recovery code does not work. It may be mistyped, used already, or replaced by newer ones. Check it, or "
        "take another.",
        field=FIELD,
    )


def _in_groups(code: str) -> str:
    return "-".join(code[start : start + GROUP] for start in range(0, len(code), GROUP))
