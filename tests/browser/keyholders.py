"""People of the town with passkeys and security keys, sessions, trusted browsers and a history, in states that take a
while to come to: their rows are written as they would be by then."""

import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from flask import Flask
from sqlalchemy import select, update

from domain.identity import ceremonies
from domain.identity.ceremonies import Purpose
from domain.identity.handles import digest, new_handle
from domain.identity.sessions import Level
from domain.identity.sign_ins import Method
from models import ApiToken, BrowserSession, Event, KnownBrowser, Passkey, RecoveryCode, User, db
from tests.browsing import Browser, wiring_of
from tests.builders import People

IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 19_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/19.1 Mobile/15E148 Safari/604.1"
)
EDGE = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 "
    "Safari/537.36 Edg/142.0.0.0"
)
GOOGLE, YUBIKEY = "ea9b8d66-4d01-1d21-3ce4-b6b48cb575d4", "fa2b99dc-9e39-4257-8f92-4a30d23c4118"


@dataclass
class Keyholders:
    """cookies: what each one's browser holds, by name. words: what stands in braces in the addresses of places."""

    cookies: dict[str, dict[str, str]] = field(default_factory=dict)
    words: dict[str, str] = field(default_factory=dict)


def settle(app: Flask, people: People, now: datetime) -> Keyholders:
    """Write them all."""
    settled = Keyholders()
    users = _write_accounts(people, now)
    for name, user in users.items():
        settled.cookies[name] = cookies_of(Browser(app).sign_in(user))
    for name in ("kim", "lou", "max", "sam"):
        settled.cookies[f"stale {name}"] = cookies_of(Browser(app).sign_in(users[name]))
        _change_newest(users[name], confirmed_at=now - timedelta(hours=1))
    for name in ("kim", "lou"):
        settled.cookies[f"half {name}"] = cookies_of(Browser(app).sign_in(users[name], level=Level.HALF))
    settled.cookies["half lou by key"] = cookies_of(Browser(app).sign_in(users["lou"], level=Level.HALF))
    _change_newest(users["lou"], method="passkey")
    settled.cookies["lost"] = cookies_of(Browser(app).sign_in(users["kim"]))
    _change_newest(users["kim"], method=Method.RECOVERY_CODE.words)
    _write_browsers(users["sam"], now)
    _write_history(users["sam"], now)
    _begin_confirmations(app, settled, users["kim"], now)
    db.session.commit()
    return settled


def _write_accounts(people: People, now: datetime) -> dict[str, User]:
    """kim has a bit of everything, lou a security key alone, max one that is refused, ned a passkey and a few codes,
    sam an app and a long life here; dora has not been here for long."""
    long_ago = now - timedelta(days=400)
    kim = people.a_user("kim").verified().registered(long_ago).with_totp("Kim’s phone").with_recovery_codes().build()
    lou, max_ = (people.a_user(name).verified().with_recovery_codes().build() for name in ("lou", "max"))
    ned = people.a_user("ned").verified().with_recovery_codes().build()
    sam = people.a_user("sam").verified().registered(long_ago).with_totp("Phone").with_recovery_codes().build()
    dora = people.a_user("dora").verified().registered(long_ago).build()
    _add_key(kim, "Google Password Manager", now, aaguid=GOOGLE, is_backup_eligible=True, is_backed_up=True)
    _add_key(kim, "YubiKey 5 NFC", now, aaguid=YUBIKEY, transports="nfc usb", last_used_at=now, last_used_with=EDGE)
    _add_key(kim, "Spare key in the office safe, third drawer from above", now, transports="usb", refused_since=now)
    _add_key(lou, "Blue key", now, transports="usb", is_discoverable=False)
    _add_key(max_, "Red key", now, transports="usb", refused_since=now)
    _add_key(ned, "Windows Hello", now, last_used_at=now, last_used_with=EDGE)
    _use_codes(ned, 8, now)
    dora.address_proof_due_since = now
    token, _ = people.a_token(kim, "build server in the cellar")
    db.session.execute(update(ApiToken).where(ApiToken.id == token.id).values(created_at=long_ago))
    db.session.commit()
    return {"kim": kim, "lou": lou, "max": max_, "ned": ned, "sam": sam, "dora": dora}


def _add_key(user: User, label: str, now: datetime, **changes: object) -> None:
    user.passkey_handle = user.passkey_handle or secrets.token_bytes(32)
    usual = {
        "public_id": secrets.token_hex(8),
        "user_id": user.id,
        "label": label,
        "credential_id": secrets.token_bytes(32),
        "public_key": b"nobody signs with it",
        "sign_count": 0,
        "aaguid": "00000000-0000-0000-0000-000000000000",
        "transports": "internal",
        "verifies_user": True,
        "is_discoverable": True,
        "is_backup_eligible": False,
        "is_backed_up": False,
        "added_at": now - timedelta(days=40),
    }
    db.session.add(Passkey(**{**usual, **changes}))


def _use_codes(user: User, number: int, now: datetime) -> None:
    codes = db.session.scalars(select(RecoveryCode).where(RecoveryCode.user_id == user.id).limit(number))
    for code in codes:
        code.used_at, code.used_from = now - timedelta(days=3), "198.51.100.24"


def _write_browsers(user: User, now: datetime) -> None:
    """Sessions elsewhere, and trusted browsers."""
    for hours, agent, method, address in (
        (1, IPHONE, Method.PASSKEY, "2001:db8:85a3:8d3:1319:8a2e:370:7348"),
        (7, EDGE, Method.TRUSTED_BROWSER, "198.51.100.24"),
        (20, "curl/8.14", Method.APP, "203.0.113.99"),
    ):
        at = now - timedelta(hours=hours)
        row = BrowserSession(handle_hash=secrets.token_bytes(32), user_id=user.id, level=Level.FULL.value)
        row.method, row.created_at, row.stepped_up_at, row.confirmed_at = method.words, at, at, at
        row.seen_at, row.expires_at = now - timedelta(minutes=7 * hours % 60), at + timedelta(hours=24)
        row.address, row.user_agent, row.data = address, agent, {}
        known = KnownBrowser(handle_hash=secrets.token_bytes(32), user_id=user.id, first_seen_at=at, last_seen_at=at)
        known.trusted_until = now + timedelta(days=hours) if method is Method.TRUSTED_BROWSER else None
        known.address, known.user_agent = address, agent
        db.session.add_all([row, known])


def _write_history(user: User, now: datetime) -> None:
    """More than fits on one page; nothing of it about projects."""
    signed_in, key = {"method": "passkey"}, {"kind": "security key", "label": "Blue key"}
    for number in range(20):
        for tag, details in (
            ("account:sign_in:succeeded", signed_in),
            ("account:passkey:added", key),
            ("account:passkey:refused", key),
        ):
            event = Event(at=now - timedelta(days=40 - number), tag=tag, actor_id=user.id, user_id=user.id)
            event.address, event.user_agent, event.details = "203.0.113.7", IPHONE if number % 3 else EDGE, details
            db.session.add(event)


def _begin_confirmations(app: Flask, settled: Keyholders, user: User, now: datetime) -> None:
    """A sign-in that waits for its mailed link: `here` waits in this browser, `elsewhere` in another one."""
    here = new_handle()
    settled.cookies["waiting"] = {"countersign-browser": here}
    for word, handle in (("here", here), ("elsewhere", new_handle())):
        payload = {"browser": digest(handle).hex(), "method": Method.APP.name, "destination": "/"}
        box = wiring_of(app).box
        settled.words[word] = ceremonies.begin(
            db.session(), box, Purpose.CONFIRM_BROWSER, now=now, payload=payload, user_id=user.id
        )


def _change_newest(user: User, **values: object) -> None:
    """Change the session that was begun last."""
    newest = select(BrowserSession.id).where(BrowserSession.user_id == user.id).order_by(BrowserSession.id.desc())
    session_id = db.session.scalar(newest.limit(1))
    db.session.execute(update(BrowserSession).where(BrowserSession.id == session_id).values(**values))
    db.session.commit()


def cookies_of(browser: Browser) -> dict[str, str]:
    """What a test's browser would send."""
    cookie = browser.client.get_cookie("countersign", domain=urlsplit(browser.base_url).hostname or "")
    assert cookie is not None
    return {"countersign": cookie.value}
