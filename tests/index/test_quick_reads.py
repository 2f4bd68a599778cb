"""Pages that are kept ready come straight from the driver of either database, and its errors are told as usual."""

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.exc import DBAPIError

from adapters.clock import SettableClock
from domain.index import pages, quick_reads
from domain.index.codings import Coding, encode
from domain.index.quick_reads import KnownFile
from domain.index.simple import Format
from models import File, Project, db
from tests.builders import People


@pytest.fixture
def acme(either_app: Flask, clock: SettableClock) -> Project:
    people = People(either_app, clock)
    ana = people.a_member("ana")
    project = people.a_project("Acme-Utils", ana)
    people.a_project("only-reserved", ana)
    people.a_release(project, "1.0", by=ana)
    pages.refresh(db.session(), project)
    db.session.commit()
    return project


@pytest.mark.parametrize("coding", list(Coding))
def test_a_page_comes_as_it_was_rendered(acme: Project, coding: Coding) -> None:
    html, json = pages.render(db.session(), acme)

    for form, rendered in ((Format.HTML, html), (Format.PLAIN_HTML, html), (Format.JSON, json)):
        found = quick_reads.find_page(db.engine, "acme-utils", form, coding)

        assert found is not None
        assert (found.project_id, found.is_private) == (acme.id, False)
        assert found.page == (rendered if coding is Coding.IDENTITY else encode(rendered.body, coding))


def test_it_says_that_a_project_is_private(acme: Project) -> None:
    acme.is_private = True
    db.session.commit()

    found = quick_reads.find_page(db.engine, "acme-utils", Format.JSON, Coding.GZIP)

    assert found is not None
    assert found.is_private


@pytest.mark.parametrize("coding", [Coding.IDENTITY, Coding.ZSTD])
def test_a_name_that_is_only_reserved_has_no_page(acme: Project, coding: Coding) -> None:
    found = quick_reads.find_page(db.engine, "only-reserved", Format.HTML, coding)

    assert found is not None
    assert found.page is None


@pytest.mark.parametrize("name", ["acme", "Acme-Utils", "acme-utils'--", "%s", "%(name)s", "?", ""])
def test_another_name_finds_nothing(acme: Project, name: str) -> None:
    assert quick_reads.find_page(db.engine, name, Format.HTML, Coding.IDENTITY) is None


def test_a_file_is_found_by_its_name_and_digest_together(acme: Project) -> None:
    file = db.session.scalars(sa.select(File)).one()

    assert quick_reads.find_file(db.engine, file.filename, file.sha256) == KnownFile(
        file.metadata_sha256, acme.id, "1.0", is_private=False
    )
    assert quick_reads.find_file(db.engine, file.filename, "0" * 64) is None
    assert quick_reads.find_file(db.engine, "x", file.sha256) is None


def test_an_error_of_the_database_is_raised_as_one_and_the_next_reader_is_served(acme: Project) -> None:
    with db.engine.begin() as connection:
        connection.execute(sa.text("ALTER TABLE kept_page RENAME TO elsewhere"))

    for _ in range(3):
        with pytest.raises(DBAPIError, match="kept_page"):
            quick_reads.find_page(db.engine, "acme-utils", Format.HTML, Coding.GZIP)

    assert quick_reads.find_file(db.engine, "x", "0" * 64) is None
    with db.engine.begin() as connection:
        connection.execute(sa.text("ALTER TABLE elsewhere RENAME TO kept_page"))
