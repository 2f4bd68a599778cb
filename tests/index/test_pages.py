"""A project's simple pages follow what there is of it."""

import orjson
from flask import Flask

from adapters.clock import SettableClock
from domain.index import pages
from models import db
from tests.builders import People


def test_files_stand_in_the_order_of_versions_then_of_names(either_app: Flask, clock: SettableClock) -> None:
    people = People(either_app, clock)
    ana = people.a_member("ana")
    project = people.a_project("acme-utils", ana)
    for version in ("1.10", "1.9", "1.10rc1", "1.0.post1"):
        people.a_release(project, version, by=ana)
    first, _ = people.a_release(project, "1.0", by=ana, files=2).files
    first.filename = "acme_Utils-1.0-0-py3-none-any.whl"  # before "acme_utils", sign by sign
    db.session.commit()

    html, json = pages.render(db.session(), project)

    told = orjson.loads(json.body)
    assert told["versions"] == ["1.0", "1.0.post1", "1.9", "1.10rc1", "1.10"]
    names = [file["filename"] for file in told["files"]]
    assert [name.partition("-py3")[0] for name in names] == [
        "acme_Utils-1.0-0",
        "acme_utils-1.0-1",
        "acme_utils-1.0.post1-0",
        "acme_utils-1.9-0",
        "acme_utils-1.10rc1-0",
        "acme_utils-1.10-0",
    ]
    places = [html.body.index(name.encode()) for name in names]
    assert places == sorted(places)
