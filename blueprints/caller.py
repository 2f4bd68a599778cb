"""Who asks: from a request to a principal, by the channel it came through."""

from enum import Enum

from flask import Flask, g, request
from flask_login import AnonymousUserMixin, LoginManager

from blueprints.browser_session import level, origin_of, row_session
from domain.identity import tokens
from domain.identity.sessions import Level
from domain.identity.standing import standing_of
from domain.identity.token_texts import looks_like_token, token_hash
from domain.index import trusted_publishing
from domain.policy.principals import Anonymous, Member, Origin, Principal, Publisher, TokenHolder
from models import User, db

UNKNOWN_TOKEN = "This API token is not valid: it may have been removed or mistyped."  # noqa: S105 - a sentence


class Channel(Enum):
    """How a request reaches us. The channels never mix: a machine route sees no cookie, a page no token."""

    BROWSER = "browser"
    MACHINE = "machine"


def caller(channel: Channel) -> Principal:
    """The principal behind this request."""
    return _browser_caller() if channel is Channel.BROWSER else _machine_caller()


def _browser_caller() -> Principal:
    origin = origin_of(request)
    row = row_session().row
    if row is None or row.user_id is None or level() is not Level.FULL:
        return Anonymous(origin)
    account = standing_of(db.session(), row.user_id)
    if account is None or not account.is_active:
        return Anonymous(origin)
    return Member(origin=origin, account=account, session_id=row.id, confirmed_at=row.confirmed_at)


def _machine_caller() -> Principal:
    """Basic credentials `__token__:TOKEN`, as twine, uv and the others send them."""
    origin = origin_of(request)
    try:
        credentials = request.authorization
    except ValueError:  # werkzeug's word for Basic credentials that are not even ASCII
        credentials = None
    if credentials is None or credentials.type != "basic":
        return Anonymous(origin)
    if credentials.username != "__token__":
        return Anonymous(
            origin, because="Passwords are not accepted here. Use an API token with the username __token__."
        )
    text = (credentials.password or "").strip()
    holder = tokens.find(db.session(), text, origin=origin)
    if holder is None and looks_like_token(text):
        return trusted_publishing.holder_of(db.session(), token_hash(text), origin=origin) or _nobody(origin)
    return holder or _nobody(origin)


def account_id(principal: TokenHolder | Publisher) -> int | None:
    """Whose account acts; None for a CI job, which has none, and so no part in any project."""
    return principal.account.user_id if isinstance(principal, TokenHolder) else None


def _nobody(origin: Origin) -> Anonymous:
    return Anonymous(origin, because=UNKNOWN_TOKEN)


class SessionLogin(LoginManager):  # type: ignore[misc]  # Flask-Login has no types
    """Flask-Login reduced to `current_user` over our session table.

    Its remember cookie is never set and never read: it would be a way past the second factor that nobody can revoke.
    """

    def init_app(self, app: Flask, add_context_processor: bool = True) -> None:
        app.login_manager = self  # type: ignore[attr-defined]  # where flask_login looks for it

    def _load_user(self) -> None:
        g._login_user = signed_in_user() or AnonymousUserMixin()


def signed_in_user() -> User | None:
    """The account that this browser is fully signed in to."""
    row = row_session().row
    if row is None or row.user_id is None or level() is not Level.FULL:
        return None
    user = db.session.get(User, row.user_id)
    return user if user is not None and user.is_active else None
