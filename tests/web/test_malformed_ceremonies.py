"""A thousand malformed answers to each kind of question together: every one is refused, none is our mistake, and
nothing comes of any of them."""

import json
import random
from collections import Counter
from dataclasses import dataclass

import pytest
import sqlalchemy as sa
from flask import Flask

from models import Attempt, Base, User, db
from tests.authenticator import Authenticator, Json
from tests.broken_answers import Breaker
from tests.browsing import Browser
from tests.builders import PASSWORD, People
from tests.ceremonies import ADD, AUTHENTICATE, CONFIRM, SECOND_STEP, SIGN_IN
from tests.requirements import requirement

EACH = 250
COUNTED = {"attempt", "event", "ceremony"}  # what a refusal leaves: a count, an event, a question that was answered
PASSING = {"seen_at", "data"}  # of a session: when it was seen last, and the notices that wait in it


@dataclass(frozen=True)
class Place:
    """Where a kind of question is asked and answered, by somebody who is there."""

    browser: Browser
    path: str
    fields: dict[str, str]
    token: str

    def post(self, what: str, **more: str) -> tuple[int, Json]:
        """Without the two pages that a test otherwise opens for each form token: this one is good all the while."""
        db.session.execute(sa.delete(Attempt))  # budgets have tests of their own; here they would hide the parsers
        db.session.commit()
        response = self.browser.client.post(
            f"{self.path}{what}",
            data={"csrf_token": self.token, **self.fields, **more},
            headers={"Accept": "application/json"},
            base_url=self.browser.base_url,
            environ_overrides=self.browser.environ,
        )
        return response.status_code, response.get_json()


def place(app: Flask, kind: str, ana: User) -> Place:
    browser = Browser(app)
    if kind in ("add", "confirm"):
        browser.sign_in(ana)
    elif kind == "second step":
        browser.post("/account/login/", username="ana", password=PASSWORD)
    path = {"add": ADD, "confirm": CONFIRM}.get(kind, AUTHENTICATE)
    return Place(browser, path, {"sign in": SIGN_IN, "second step": SECOND_STEP}.get(kind, {}), browser.form_token())


def all_rows() -> dict[str, list[tuple[object, ...]]]:
    """Everything in the database that a refusal must leave alone."""
    db.session.rollback()
    kept = {}
    for table in Base.metadata.sorted_tables:
        if table.name not in COUNTED:
            columns = [column for column in table.columns if table.name != "session" or column.name not in PASSING]
            rows = db.session.execute(sa.select(*columns).order_by(*table.primary_key.columns))
            kept[table.name] = [tuple(row) for row in rows]
    return kept


@requirement("R55")
@pytest.mark.parametrize(("kind", "seed"), [("add", 1), ("sign in", 2), ("second step", 3), ("confirm", 4)])
def test_every_malformed_answer_is_refused_and_nothing_comes_of_it(
    app: Flask, people: People, kind: str, seed: int
) -> None:
    laptop = Authenticator()
    ana = people.a_user("ana").verified().with_passkey(laptop).with_recovery_codes().build()
    at, creates = place(app, kind, ana), kind == "add"
    breaker = Breaker(random.Random(seed), Authenticator() if creates else laptop, creates, kind == "sign in")  # noqa: S311
    before, outcomes = all_rows(), Counter[tuple[int, str]]()

    for number in range(EACH):
        ways = breaker.ways()
        broken = ways[number % len(ways)]
        _, options = at.post("options")
        credential = broken(options)
        status, said = at.post("validate", credential=credential)
        assert 400 <= status < 500, (broken.__name__, status, said, credential[:2_000])
        outcomes[status, said.get("code", "")] += 1

    assert all_rows() == before
    assert outcomes[422, "not_verified"] >= EACH * 0.85, outcomes
    _, options = at.post("options")
    status, said = at.post("validate", credential=json.dumps(breaker.good(options)))
    assert (status, list(said)) == (200, ["redirect_to"])
