"""Flask's `session`, kept in our own table: the cookie holds one random handle and nothing else."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from flask import Flask, Request, Response, request
from flask.globals import request_ctx
from flask.sessions import SessionInterface, SessionMixin

from blueprints import wiring
from domain.identity import sessions
from domain.identity.sessions import Level
from domain.policy.principals import Origin
from models import BrowserSession, begin_writing, db


class RowSession(SessionMixin):
    """A session that reads its row when it is first looked at, so that installers never touch the table."""

    def __init__(self, handle: str | None) -> None:
        self._handle = handle
        self._row: BrowserSession | None = None
        self._data: dict[str, Any] = {}  # Any: flashes and the CSRF secret, as Flask keeps them
        self._is_read = False
        self.modified = False
        self.new_handle: str | None = None
        self.is_over = False

    @property
    def was_read(self) -> bool:
        """Whether anything in it was looked at. Flask's own `accessed` is set by merely laying hands on the object."""
        return self._is_read

    @property
    def row(self) -> BrowserSession | None:
        """The row behind the cookie, if there is one."""
        self._read()
        return self._row

    def begun_by(self, method: str) -> bool:
        """Whether somebody came in this way, in words."""
        return self.row is not None and self.row.method == method

    def begun(self, *, origin: Origin, now: datetime) -> BrowserSession:
        """The row, begun in the running transaction if there is none yet."""
        if self.row is None:
            self._row, self.new_handle = sessions.start(db.session(), origin=origin, now=now)
        assert self._row is not None  # noqa: S101 - begun just above
        return self._row

    def handle_renewed(self, handle: str) -> None:
        """Take the handle that a step up returned; what the session had kept is read again from the row."""
        assert self._row is not None  # noqa: S101 - only a row steps up
        self.new_handle = handle
        self._data = dict(self._row.data)

    def end(self) -> None:
        """Forget the row and have the cookie removed."""
        self._row, self._data, self.is_over = None, {}, True
        self._is_read, self.modified = True, False

    def stored(self) -> dict[str, Any]:
        """What is to be written."""
        return dict(self._data)

    def _read(self) -> None:
        if self._is_read:
            return
        self._is_read = True
        if self._handle:
            self._row = sessions.find(db.session(), self._handle, now=wiring.now())
            self._data = dict(self._row.data) if self._row else {}

    def __getitem__(self, key: str) -> Any:
        self._read()
        return self._data[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self._read()
        self.modified = True
        self._data[key] = value

    def __delitem__(self, key: str) -> None:
        self._read()
        self.modified = True
        del self._data[key]

    def __iter__(self) -> Iterator[str]:
        self._read()
        return iter(self._data)

    def __len__(self) -> int:
        self._read()
        return len(self._data)


class RowSessionInterface(SessionInterface):
    """Opens a session from its cookie and saves it after the view, in a transaction of its own."""

    def open_session(self, app: Flask, request: Request) -> RowSession:
        return RowSession(request.cookies.get(cookie_name()))

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        assert isinstance(session, RowSession)  # noqa: S101 - open_session made it
        if session.was_read:
            response.vary.add("Cookie")
        if session.is_over and not session.modified:  # a notice that was flashed since begins a new one
            response.delete_cookie(
                cookie_name(), path="/", secure=wiring.services().is_https, httponly=True, samesite="Lax"
            )
            return
        if session.was_read:
            _save(session)
        if session.new_handle:
            response.set_cookie(
                cookie_name(),
                session.new_handle,
                path="/",
                secure=wiring.services().is_https,
                httponly=True,
                samesite="Lax",
            )


def _save(session: RowSession) -> None:
    now, row = wiring.now(), session.row
    is_due = row is not None and now - row.seen_at >= sessions.SEEN_EVERY
    if not (session.modified or is_due):
        return
    begin_writing(db.session())
    row = session.begun(origin=origin_of(request), now=now)
    sessions.keep(db.session(), row, session.stored(), now=now)
    db.session.commit()


def cookie_name() -> str:
    """With TLS the name carries the prefix that browsers defend: no sub-domain can plant such a cookie."""
    return "__Host-countersign" if wiring.services().is_https else "countersign"


def origin_of(request: Request) -> Origin:
    """Where the request came from; behind proxies, as far as they are trusted (COUNTERSIGN_TRUSTED_PROXIES)."""
    return Origin(address=request.remote_addr or "", user_agent=request.headers.get("User-Agent", "")[:255])


def level() -> Level:
    """How far this browser has come."""
    row = row_session().row
    return sessions.level_of(row, now=wiring.now()) if row is not None else Level.ANONYMOUS


def row_session() -> RowSession:
    """The request's session, as what it is."""
    found = request_ctx.session
    assert isinstance(found, RowSession)  # noqa: S101 - our interface opened it
    return found


def rise(
    *,
    user_id: int,
    to: Level,
    method: str,
    lasts: timedelta = sessions.ABSOLUTE,
    browser_id: int | None = None,
    confirmed_at: datetime | None = None,
) -> BrowserSession:
    """Raise this browser's session for an account, in the running transaction: new handle, nothing kept from before.

    method: how it was proved, in words. The rest is as `sessions.step_up` has it.
    Raises SessionOver if the session ended or rose meanwhile.
    """
    now, origin, session = wiring.now(), origin_of(request), row_session()
    row = session.begun(origin=origin, now=now)
    handle = sessions.step_up(
        db.session(),
        row,
        user_id=user_id,
        level=to,
        method=method,
        origin=origin,
        now=now,
        lasts=lasts,
        browser_id=browser_id,
        confirmed_at=confirmed_at,
    )
    session.handle_renewed(handle)
    return row


def confirm_presence() -> None:
    """Remember, in the running transaction, that the person just proved to be there; the handle changes, and the
    secret behind the form tokens: forms that somebody else may have read in this session are void with it.

    Raises SessionOver, as `rise` does.
    """
    session = row_session()
    assert session.row is not None  # noqa: S101 - only somebody signed in confirms
    session.handle_renewed(sessions.confirm(db.session(), session.row, now=wiring.now()))
    session.pop("csrf_token", None)  # where Flask-WTF keeps it; the next form gets a new one


def leave() -> None:
    """End this browser's session in the running transaction and have its cookie removed."""
    session = row_session()
    if session.row is not None:
        sessions.end(db.session(), session.row.id)
    session.end()
