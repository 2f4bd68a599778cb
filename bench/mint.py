"""How long a CI job waits for its token, once the keys of its issuer are known."""

import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from http.client import HTTPConnection
from pathlib import Path

import orjson
import sqlalchemy as sa

from bench import corpus
from bench.bars import Verdict
from bench.countersign import Site
from bench.load import LoadError
from bench.seed import inside
from domain.index.publisher_identities import OIDC, check
from models import Issuer, Project, TrustedPublisher, db
from tests.identity_issuer import RSA, timed
from tests.tls_issuer import TlsIssuer, tls_issuer

TIMES = 100
MOST_MS = 20
SUBJECT = "repo:bench/small:ref:refs/heads/main"


def time_mints(site: Site) -> list[float]:
    """Milliseconds of each exchange, one after another, of tokens that are all new. site: does not run now."""
    with _trusted(site) as (issuer, ours), ours.start() as server:
        connection = HTTPConnection("127.0.0.1", server.port, timeout=60)
        took = []
        for _ in range(TIMES + 2):  # each of the two processes fetches the keys once
            text = RSA.sign(timed(datetime.now(UTC), iss=issuer.url, sub=SUBJECT))
            started = time.perf_counter()
            connection.request("POST", "/_/oidc/mint-token", orjson.dumps({"token": text}))
            answer = connection.getresponse()
            said = answer.read()
            took.append((time.perf_counter() - started) * 1_000)
            if answer.status != 200:
                raise LoadError(f"mint-token: {answer.status} {said[:500]!r}")
        connection.close()
    return took[2:]


def judge_mints(took: list[float]) -> Verdict:
    """Whether a job hardly waits."""
    found = statistics.median(took)
    return Verdict(found <= MOST_MS, f"A CI job gets its token within {MOST_MS} ms at the median: {found:.1f} ms.")


@contextmanager
def _trusted(site: Site) -> Iterator[tuple[TlsIssuer, Site]]:
    """An issuer on this machine, and the site that trusts it, also its certificate; a project trusts a job of it."""
    with tempfile.TemporaryDirectory() as folder, tls_issuer(Path(folder), RSA) as issuer:
        with inside(site.settings()):
            now = datetime.now(UTC)
            db.session.add(Issuer(url=issuer.url, provider="oidc", name="Bench", allows_private=True, added_at=now))
            found = check(OIDC, {"issuer": issuer.url, "sub": SUBJECT}, {issuer.url: "Bench"})
            project_id = db.session.scalars(sa.select(Project.id).where(Project.normalized_name == corpus.SMALL)).one()
            row = TrustedPublisher(project_id=project_id, facts=found.facts, fingerprint=found.fingerprint)
            row.provider, row.issuer, row.place, row.added_at = found.provider, found.issuer, found.place, now
            db.session.add(row)
            db.session.commit()
        yield issuer, replace(site, more={**site.more, "SSL_CERT_FILE": f"{folder}/authority.pem"})
