"""The outbox: mails written with the change that they tell of, and delivered afterwards."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from jinja2 import Environment
from sqlalchemy import select, update
from sqlalchemy.engine import CursorResult
from sqlalchemy.orm import Session

from adapters.mail import DeliveryFailed, Mailer, OutgoingMail
from adapters.secretbox import SecretBox, Unsealable
from models import Mail, User

RETRY_AFTER = (
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=6),
    timedelta(hours=12),
)
CLAIM = timedelta(minutes=2)  # longer than one delivery may take; a crashed worker's mail is due again after it


@dataclass(frozen=True)
class Letter:
    """A mail opened for reading."""

    id: int
    notice: str
    to: str
    subject: str
    text: str
    html: str
    created_at: datetime
    sent_at: datetime | None
    due_at: datetime | None
    attempts: int
    last_error: str


class Notices:
    """Renders and keeps mails. `templates` holds email/<notice>/{subject.txt,body.txt,body.html}."""

    def __init__(self, templates: Environment, box: SecretBox, *, sender: str, site: "Site") -> None:
        self._templates = templates
        self._box = box
        self._sender = sender
        self._site = site

    def send(self, db: Session, notice: str, *, to: str, user_id: int | None, now: datetime, **values: object) -> Mail:
        """Write a mail into the outbox, in the running transaction.

        notice: the folder of its templates.
        values: what the templates say besides `site` and `now`.
        """
        facts = {"site": self._site, "now": now, **values}
        subject = " ".join(self._templates.get_template(f"email/{notice}/subject.txt").render(facts).split())
        message_id = f"<{secrets.token_hex(16)}@{self._site.host.partition(':')[0]}>"
        mail = Mail(
            message_id=message_id,
            notice=notice,
            to=to,
            user_id=user_id,
            subject=subject,
            text_sealed=self._seal(
                message_id, "text", self._templates.get_template(f"email/{notice}/body.txt").render(facts)
            ),
            html_sealed=self._seal(
                message_id, "html", self._templates.get_template(f"email/{notice}/body.html").render(facts)
            ),
            created_at=now,
            due_at=now,
            last_error="",
        )
        db.add(mail)
        db.flush()
        return mail

    def tell(self, db: Session, user: User, notice: str, *, now: datetime, **values: object) -> None:
        """Send a notice about an account to every verified address of it, or to the primary one if none is verified."""
        verified = [email.address for email in user.emails if email.verified_at is not None]
        primary = [user.primary_email.address] if user.primary_email else []
        for address in verified or primary:
            self.send(db, notice, to=address, user_id=user.id, now=now, user=user, **values)

    def read(self, mail: Mail) -> Letter:
        """Open a mail, for the operator's shell and for tests."""
        return Letter(
            id=mail.id,
            notice=mail.notice,
            to=mail.to,
            subject=mail.subject,
            text=self._open(mail.message_id, "text", mail.text_sealed),
            html=self._open(mail.message_id, "html", mail.html_sealed),
            created_at=mail.created_at,
            sent_at=mail.sent_at,
            due_at=mail.due_at,
            attempts=mail.attempts,
            last_error=mail.last_error,
        )

    def deliver_due(self, db: Session, mailer: Mailer, *, now: datetime, most: int = 50) -> int:
        """Deliver what is due and return how many went out. Safe to run in several processes: each mail is claimed
        by one conditional statement, and committed on its own, so that one that fails holds nothing up."""
        due = select(Mail.id).where(Mail.due_at <= now).order_by(Mail.due_at).limit(most)
        delivered = 0
        for mail_id in db.scalars(due).all():
            delivered += self._deliver(db, mailer, mail_id, now=now)
        return delivered

    def _deliver(self, db: Session, mailer: Mailer, mail_id: int, *, now: datetime) -> int:
        claim = update(Mail).where(Mail.id == mail_id, Mail.due_at <= now)
        claimed = db.execute(claim.values(due_at=now + CLAIM, attempts=Mail.attempts + 1))
        assert isinstance(claimed, CursorResult)  # noqa: S101 - an UPDATE has a row count
        db.commit()
        if claimed.rowcount != 1:
            return 0
        mail = db.get_one(Mail, mail_id)
        try:
            mailer.deliver(self._outgoing(mail))
        except (DeliveryFailed, Unsealable) as failure:  # one bad mail must not hold up the others
            waits = RETRY_AFTER[mail.attempts - 1 : mail.attempts]
            mail.due_at = now + waits[0] if waits else None
            mail.last_error = str(failure)[:255]
            db.commit()
            return 0
        mail.sent_at, mail.due_at, mail.last_error = now, None, ""
        db.commit()
        return 1

    def _outgoing(self, mail: Mail) -> OutgoingMail:
        letter = self.read(mail)
        return OutgoingMail(
            to=mail.to,
            subject=mail.subject,
            text=letter.text,
            html=letter.html,
            sender=self._sender,
            message_id=mail.message_id,
        )

    def _seal(self, message_id: str, part: str, text: str) -> bytes:
        return self._box.seal(text.encode(), context=part_context(message_id, part))

    def _open(self, message_id: str, part: str, sealed: bytes) -> str:
        return self._box.open(sealed, context=part_context(message_id, part)).decode()


def part_context(message_id: str, part: str) -> str:
    """What a part of a mail, `text` or `html`, is sealed for: this mail, so that swapped parts do not open."""
    return f"mail:{message_id}:{part}"


class Site(Protocol):
    """What mails and pages say of the index itself."""

    @property
    def name(self) -> str: ...
    @property
    def host(self) -> str: ...
    @property
    def public_url(self) -> str: ...
