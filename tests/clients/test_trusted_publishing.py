"""Real uv and pdm publish from what looks like a CI job to an index over TLS, with no stored secret."""

import shutil
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from adapters.clock import SettableClock
from adapters.identity_tokens import PublishedIssuers, fetch_keys
from domain.index.publisher_identities import GITHUB, GITLAB, OIDC, Provider, check
from models import Event, File, Issuer, MintedToken, TrustedPublisher, db
from tests.browser.live import Live
from tests.builders import People
from tests.clients.tools import Done, run
from tests.identity_issuer import GITHUB_URL, RSA, github, gitlab, timed
from tests.packages import a_wheel
from tests.tls_issuer import TlsIssuer, page, tls_issuer

pytestmark = pytest.mark.clients

NAMES = {
    "github": {"owner": "acme", "repository": "acme-utils", "workflow": "release.yml"},
    "gitlab": {"namespace": "acme", "project": "acme-utils", "workflow_filepath": ".gitlab-ci.yml"},
    "oidc": {"sub": "repo:acme/acme-utils:*"},
}


@pytest.fixture
def issuer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[TlsIssuer]:
    with tls_issuer(tmp_path, RSA) as found:
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))
        yield found


@pytest.fixture
def index(tmp_path: Path, empty_database: Path, issuer: TlsIssuer) -> Iterator[Live]:
    """An index by https with ana's acme-utils. The keys of GitHub come from the issuer on this machine."""
    folder = tmp_path / "instance"
    folder.mkdir()
    shutil.copy(empty_database, folder / "countersign.sqlite3")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    issuer.authority.issue_cert("localhost").configure_cert(context)
    tokens = PublishedIssuers(lambda url, _: fetch_keys(issuer.url if url == GITHUB_URL else url, allows_private=True))
    server = Live(folder, tls=context, identity_tokens=tokens)
    with server.app.app_context():
        people = People(server.app, SettableClock(datetime.now(UTC)))
        people.a_project("acme-utils", people.a_member("ana"))
        db.session.add(Issuer(url=issuer.url, provider="gitlab", name="Ours", allows_private=True, added_at=now()))
        db.session.commit()
    yield server
    server.stop()


def now() -> datetime:
    return datetime.now(UTC)


def trust(index: Live, provider: Provider, issuer: str) -> None:
    with index.app.app_context():
        added = {} if provider.issuer else {issuer: "Ours"}
        found = check(provider, {**NAMES[provider.word], "issuer": "" if provider.issuer else issuer}, added)
        db.session.execute(sa.update(Issuer).values(provider=provider.word))
        row = TrustedPublisher(project_id=1, facts=found.facts, fingerprint=found.fingerprint, place=found.place)
        row.provider, row.issuer, row.added_at = found.provider, found.issuer, now()
        db.session.add(row)
        db.session.commit()


def as_github(issuer: TlsIssuer, claims: dict[str, Any]) -> dict[str, str]:
    """The variables of a job on GitHub, or on Forgejo, which has taken them over."""
    issuer.answers["/job?x=1&audience=localhost"] = lambda: [page({"value": RSA.sign(claims)})]
    return {
        "GITHUB_ACTIONS": "true",
        "ACTIONS_ID_TOKEN_REQUEST_URL": f"{issuer.url}/job?x=1",
        "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "of-the-runner",
    }


def uv(index: Live, folder: Path, variables: dict[str, str]) -> Done:
    file = a_wheel().write(folder)
    trusted = {"SSL_CERT_FILE": str(folder / "authority.pem"), **variables}
    options = ("--trusted-publishing", "always", "--publish-url", f"{index.url}/legacy/")
    return run(folder, "uv publish", *options, str(file), **trusted)


def published(index: Live) -> tuple[list[str], list[str], int]:
    """Which jobs published files, what became of tokens by the journal, and how many tokens are left."""
    with index.app.app_context():
        jobs = [job["title"] for job in db.session.scalars(sa.select(File.publisher)) if job is not None]
        tags = sa.select(Event.tag).where(Event.tag.like("%:publisher:%")).order_by(Event.id)
        return jobs, list(db.session.scalars(tags)), len(db.session.scalars(sa.select(MintedToken)).all())


def test_uv_publishes_from_github_and_burns_its_token(index: Live, issuer: TlsIssuer, tmp_path: Path) -> None:
    trust(index, GITHUB, GITHUB_URL)

    done = uv(index, tmp_path, as_github(issuer, github(now())))

    assert done.returncode == 0, done.stdout
    assert published(index) == (
        ["acme/acme-utils on GitHub"],
        ["project:publisher:used", "project:publisher:burnt"],
        0,
    )
    assert [path for path in index.asked if path.startswith("/_/")] == [
        "/_/oidc/audience",
        "/_/oidc/mint-token",
        "/_/oidc/burn-token",
    ]


def test_uv_publishes_from_a_gitlab_of_ones_own(index: Live, issuer: TlsIssuer, tmp_path: Path) -> None:
    trust(index, GITLAB, issuer.url)

    done = uv(index, tmp_path, {"GITLAB_CI": "true", "LOCALHOST_ID_TOKEN": RSA.sign(gitlab(now(), issuer.url))})

    assert done.returncode == 0, done.stdout
    assert published(index)[0] == [f"acme/acme-utils on {issuer.url.removeprefix('https://')}"]


def test_uv_publishes_from_any_other_issuer(index: Live, issuer: TlsIssuer, tmp_path: Path) -> None:
    trust(index, OIDC, issuer.url)
    claims = timed(now(), iss=issuer.url, sub="repo:acme/acme-utils:ref:refs/heads/main")

    done = uv(index, tmp_path, as_github(issuer, claims))

    assert done.returncode == 0, done.stdout
    assert published(index)[0] == [f"repo:acme/acme-utils:ref:refs/heads/main on {issuer.url}"]


def test_pdm_publishes_from_github(index: Live, issuer: TlsIssuer, tmp_path: Path) -> None:
    trust(index, GITHUB, GITHUB_URL)
    (tmp_path / "dist").mkdir()
    a_wheel().write(tmp_path / "dist")
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "acme-utils"\nversion = "1.0"\n')
    variables = as_github(issuer, github(now()))
    authority = str(tmp_path / "authority.pem")

    done = run(
        tmp_path,
        "pdm publish",
        "--no-build",
        "--repository",
        f"{index.url}/legacy/",
        "--ca-certs",
        authority,
        SSL_CERT_FILE=authority,
        REQUESTS_CA_BUNDLE=authority,
        PDM_PYTHON=shutil.which("python3") or "",
        **variables,
    )

    assert done.returncode == 0, done.stdout
    assert published(index)[0] == ["acme/acme-utils on GitHub"]


def test_uv_shows_why_a_job_got_no_token(index: Live, issuer: TlsIssuer, tmp_path: Path) -> None:
    trust(index, GITHUB, GITHUB_URL)
    elsewhere = "acme/acme-utils/.github/workflows/nightly.yml@refs/tags/v1.0"

    done = uv(index, tmp_path, as_github(issuer, github(now(), job_workflow_ref=elsewhere)))

    assert done.returncode != 0
    assert f"The claim job_workflow_ref is {elsewhere}" in done.stdout
    assert published(index) == ([], ["project:publisher:refused"], 0)
