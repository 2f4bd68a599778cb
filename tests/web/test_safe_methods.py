"""Looking changes nothing: links are opened by mail scanners, previews and prefetching, with GET and with HEAD."""

from datetime import date

import pytest
import sqlalchemy as sa
from flask import url_for

from adapters.clock import SettableClock
from models import Event, db
from tests.browsing import Browser
from tests.builders import People
from tests.conftest import MakeApp
from tests.requirements import requirement
from tests.test_gate import gated_routes, rows, somebody


@requirement("R90")
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_no_page_changes_anything_by_being_opened(make_app: MakeApp, clock: SettableClock, method: str) -> None:
    app = make_app(require_2fa_new_users_from=date(2999, 1, 1))  # so that nothing is stopped at the gate
    with app.app_context():
        nora, values = somebody(People(app, clock), verified=True)
        browser = Browser(app).sign_in(nora)
        opened = 0

        for route in gated_routes(app):
            if route.method != "GET":
                continue
            with app.test_request_context():
                address = url_for(route.rule.endpoint, **{name: values[name] for name in route.rule.arguments})
            before = rows()
            answer = browser._send(method, address, query_string={"username": "friend", "token": "x"})
            assert answer.status_code < 500, f"{route}: {answer.status}"
            assert rows() == before, f"{method} {address} changed a row"
            opened += 1

        assert opened > 20
        assert db.session.scalar(sa.select(sa.func.count()).select_from(Event)) == 0
        db.session.remove()
        db.engine.dispose()
