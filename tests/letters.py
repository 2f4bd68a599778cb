"""Mails as tests read them."""

from urllib.parse import urlsplit

import sqlalchemy as sa

from blueprints import wiring
from domain.notices import Letter
from models import Mail, db


def letters(to: str | None = None) -> list[Letter]:
    """What stands in the outbox for an address, or for anybody, oldest first."""
    db.session.rollback()
    found = sa.select(Mail).order_by(Mail.id)
    if to is not None:
        found = found.where(Mail.to == to)
    return [wiring.services().notices.read(mail) for mail in db.session.scalars(found)]


def notices_to(to: str) -> list[str]:
    """The names of the notices for an address, oldest first."""
    return [letter.notice for letter in letters(to)]


def link_to(to: str) -> str:
    """The path, with its token, of the newest link that was mailed to an address."""
    links = [word for letter in letters(to) for word in letter.text.split() if "?token=" in word]
    parts = urlsplit(links[-1])
    return f"{parts.path}?{parts.query}"
