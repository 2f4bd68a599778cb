"""The real application on a real port of this machine, in a thread, for browsers to open."""

import re
import ssl
import threading
from collections.abc import Iterable
from pathlib import Path
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from flask import Flask
from sqlalchemy import select
from werkzeug.serving import make_server

from adapters.identity_tokens import IdentityTokens
from app import create_app
from models import Mail, db
from tests.browsing import wiring_of
from tests.conftest import settings_for


class Live:
    """An index at `url`, by the real clock. Its data lies in `folder`, with all tables there already.

    tls: serves by https, with the certificate in it. identity_tokens: as for `create_app`.
    """

    def __init__(
        self,
        folder: Path,
        *,
        tls: ssl.SSLContext | None = None,
        identity_tokens: IdentityTokens | None = None,
        **settings: object,
    ) -> None:
        self._folder = folder
        self._identity_tokens = identity_tokens
        self._apps: list[Flask] = []
        self.asked: list[str] = []  # paths, as they came
        self._server = make_server("127.0.0.1", 0, _not_yet, threaded=True, ssl_context=tls)
        self.url = f"{'https' if tls else 'http'}://localhost:{self._server.port}"
        self.restart(**settings)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def restart(self, **settings: object) -> None:
        """Go on with other settings, as an operator does who changes one and starts the index again."""
        app = create_app(
            settings_for(self._folder, public_url=self.url, **settings), identity_tokens=self._identity_tokens
        )
        self._apps.append(app)
        self._server.app = self._at_once(app)

    @property
    def app(self) -> Flask:
        """The application as it runs now."""
        return self._apps[-1]

    def link_mailed_to(self, address: str) -> str:
        """The link in the newest mail to an address."""
        with self.app.app_context():
            mail = db.session.scalars(select(Mail).where(Mail.to == address).order_by(Mail.id.desc())).first()
            assert mail is not None, f"no mail to {address}"
            found = re.search(rf"{re.escape(self.url)}/\S+", wiring_of(self.app).notices.read(mail).text)
        assert found, f"no link in {mail.subject!r}"
        return found.group()

    def stop(self) -> None:
        """Close the port and the database."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
        for app in self._apps:
            with app.app_context():
                db.engine.dispose()

    def _at_once(self, app: WSGIApplication) -> WSGIApplication:
        """Note what is asked for. Answer with all of a page or file, and close it: Werkzeug's server leaves it open
        when a browser hangs up."""

        def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
            self.asked.append(environ["PATH_INFO"])
            parts = app(environ, start_response)
            try:
                return [b"".join(parts)]
            finally:
                if hasattr(parts, "close"):
                    parts.close()

        return answer


def _not_yet(environ: object, start_response: object) -> Iterable[bytes]:
    """Stands where the application will be once its port is known."""
    raise NotImplementedError
