"""A CI job gets a token for its identity token, uploads with it, and nothing else; and nobody gets one in its name."""

import base64
import hmac
from dataclasses import replace
from datetime import timedelta
from typing import Any

import orjson
import pytest
import sqlalchemy as sa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from flask import Flask
from werkzeug.test import TestResponse

from adapters.clock import SettableClock
from adapters.identity_tokens import Key, PublishedIssuers
from blueprints import wiring
from domain import upkeep
from domain.index import trusted_publishing
from domain.index.publisher_identities import GITHUB, GITLAB, check
from domain.index.trusted_publishing import Refused, Trace
from models import Event, File, Mail, MintedToken, Project, SpentIdentity, TrustedPublisher, User, db
from tests.browsing import Browser, wiring_of
from tests.builders import People
from tests.identity_issuer import EC, GITHUB_URL, GITLAB_URL, RSA, STRANGER, github, gitlab, minutes
from tests.packages import a_wheel
from tests.uploading import upload

HERE = "gitlab.com/acme/acme-utils//"
MINT, BURN = "/_/oidc/mint-token", "/_/oidc/burn-token"


@pytest.fixture
def app(app: Flask) -> Flask:
    """The application, with issuers whose keys need no network."""
    keys: dict[str, dict[str, Key]] = {
        GITHUB_URL: {key.kid: (key.algorithm, key.private.public_key()) for key in (RSA, EC)},  # type: ignore[misc]
        GITLAB_URL: {RSA.kid: (RSA.algorithm, RSA.private.public_key())},  # type: ignore[dict-item]
    }
    services = wiring_of(app)
    tokens = PublishedIssuers(lambda issuer, allows_private: keys[issuer])
    app.extensions[wiring.EXTENSION] = replace(services, identity_tokens=tokens)
    return app


@pytest.fixture
def ana(people: People) -> User:
    return people.a_member("ana")


@pytest.fixture
def project(people: People, ana: User) -> Project:
    """Ana's acme-utils, which trusts a workflow on GitHub."""
    found = people.a_project("acme-utils", ana)
    people.a_publisher(found)
    return found


def post(app: Flask, path: str, body: Any) -> TestResponse:
    db.session.rollback()
    sent = {"data": body} if isinstance(body, bytes) else {"json": body}
    with app.app_context():
        return app.test_client().post(path, base_url="http://localhost:8000", **sent)


def mint(app: Flask, text: str) -> TestResponse:
    return post(app, MINT, {"token": text})


def minted(app: Flask, clock: SettableClock, **changes: Any) -> str:
    answer = mint(app, RSA.sign(github(clock.now(), **changes)))
    assert answer.status_code == 200, answer.text
    token: str = answer.get_json()["token"]
    return token


def refusal(answer: TestResponse) -> tuple[int, str, str]:
    (error,) = answer.get_json()["errors"]
    assert answer.get_json()["message"] == "Token request failed"
    return answer.status_code, error["code"], error["description"]


def events(*tags: str) -> list[Event]:
    db.session.rollback()
    return list(db.session.scalars(sa.select(Event).where(Event.tag.in_(tags)).order_by(Event.id)))


def tokens() -> int:
    db.session.rollback()
    return db.session.scalar(sa.select(sa.func.count()).select_from(MintedToken)) or 0


def test_the_audience_is_the_host_of_this_index(app: Flask) -> None:
    answer = app.test_client().get("/_/oidc/audience", base_url="http://localhost:8000")

    assert answer.get_json() == {"audience": "localhost"}


@pytest.mark.parametrize("key", [RSA, EC], ids=["RS256", "ES256"])
def test_a_job_gets_a_token_for_a_quarter_of_an_hour(
    app: Flask, clock: SettableClock, project: Project, key: Any
) -> None:
    answer = mint(app, key.sign(github(clock.now())))

    assert answer.status_code == 200, answer.text
    body = answer.get_json()
    assert body["success"] is True
    assert body["token"].startswith("csn_")
    assert body["expires"] == int((clock.now() + timedelta(minutes=15)).timestamp())
    assert answer.headers["Cache-Control"] == "no-store"
    (event,) = events("project:publisher:used")
    assert event.details["ref"] == "refs/tags/v1.0"


def test_it_uploads_and_pages_say_which_job_it_was(
    app: Flask, clock: SettableClock, project: Project, ana: User, browser: Browser
) -> None:
    answer = upload(app, minted(app, clock), a_wheel())

    assert answer.status_code == 200, answer.text
    assert db.session.scalars(sa.select(File.publisher)).one() == {
        "title": "acme/acme-utils on GitHub",
        "ref": "refs/tags/v1.0",
        "sha": "9f3a" * 10,
    }
    page = browser.page("/project/acme-utils/")
    assert "Published by acme/acme-utils on GitHub" in page.text
    history = browser.sign_in(ana).page("/manage/project/acme-utils/history/")
    assert "nobody known" not in history.text
    assert "acme/acme-utils on GitHub" in history.text
    (event,) = events("project:file:added")
    assert event.actor_id is None


def test_of_a_first_file_owners_are_told_who_published_it(
    app: Flask, clock: SettableClock, project: Project, people: People
) -> None:
    upload(app, minted(app, clock), a_wheel())

    mails = {mail.notice: mail for mail in db.session.scalars(sa.select(Mail))}
    assert set(mails) == {"publisher-first-use", "file-published"}
    told = wiring_of(app).notices.read(mails["file-published"]).text
    assert "acme/acme-utils on GitHub" in told
    first = wiring_of(app).notices.read(mails["publisher-first-use"]).text
    assert "repository_owner_id: 501" in first


def test_the_first_use_is_told_once(app: Flask, clock: SettableClock, project: Project) -> None:
    minted(app, clock)
    minted(app, clock)

    assert [mail.notice for mail in db.session.scalars(sa.select(Mail))] == ["publisher-first-use"]


def test_it_reaches_no_other_project_and_creates_none(
    app: Flask, clock: SettableClock, project: Project, people: People, ana: User
) -> None:
    people.a_project("tide-tables", ana)
    token = minted(app, clock)

    other = upload(app, token, a_wheel("tide-tables"))
    new = upload(app, token, a_wheel("tide-charts"))

    assert (other.status_code, new.status_code) == (403, 403)
    assert other.status == "403 This trusted publisher may not upload a file here."
    assert new.status == "403 This trusted publisher may not create a project here."


def test_it_ends_after_a_quarter_of_an_hour_and_says_so(app: Flask, clock: SettableClock, project: Project) -> None:
    token = minted(app, clock)
    clock.advance(timedelta(minutes=15))

    late = upload(app, token, a_wheel())
    clock.advance(timedelta(days=2))
    upkeep.sweep(db.session(), *_kept(app), now=clock.now())
    db.session.commit()
    much_later = upload(app, token, a_wheel())

    assert late.status.startswith("403 This token was minted for a CI job and has expired.")
    assert much_later.status.startswith("403 This API token is not valid")
    assert tokens() == 0
    assert db.session.scalar(sa.select(sa.func.count()).select_from(SpentIdentity)) == 0


def test_a_burnt_token_uploads_no_more(app: Flask, clock: SettableClock, project: Project) -> None:
    token = minted(app, clock)

    burnt, again = post(app, BURN, {"token": token}), post(app, BURN, {"token": token})

    assert (burnt.status_code, again.status_code) == (200, 200)
    assert upload(app, token, a_wheel()).status_code == 403
    assert len(events("project:publisher:burnt")) == 1


def test_an_api_token_cannot_be_burnt(app: Flask, people: People, project: Project, ana: User) -> None:
    _, token = people.a_token(ana)

    post(app, BURN, {"token": token})

    assert upload(app, token, a_wheel()).status_code == 200


def test_removing_the_publisher_ends_its_tokens(app: Flask, clock: SettableClock, project: Project) -> None:
    token = minted(app, clock)
    db.session.execute(sa.delete(TrustedPublisher))
    db.session.commit()

    assert upload(app, token, a_wheel()).status_code == 403


def test_an_identity_is_good_once(app: Flask, clock: SettableClock, project: Project) -> None:
    text = RSA.sign(github(clock.now()))

    first, again = mint(app, text), mint(app, text)

    assert first.status_code == 200
    assert refusal(again) == (422, "invalid-reuse-token", "This identity token was exchanged before.")
    assert tokens() == 1


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "another repository": ({"repository": "acme/other"}, "No project here trusts acme/other on GitHub."),
    "another workflow": (
        {"job_workflow_ref": "acme/acme-utils/.github/workflows/other.yml@refs/tags/v1.0"},
        "The claim job_workflow_ref is acme/acme-utils/.github/workflows/other.yml@refs/tags/v1.0",
    ),
    "a workflow of another case": (
        {"job_workflow_ref": "acme/acme-utils/.github/workflows/Release.yml@refs/tags/v1.0"},
        "and begins with acme/acme-utils/.github/workflows/release.yml@ for this publisher.",
    ),
    "a workflow of another repository": (
        {"job_workflow_ref": "evil/acme-utils/.github/workflows/release.yml@refs/tags/v1.0"},
        "The claim job_workflow_ref is evil/acme-utils",
    ),
    "a workflow of another commit": (
        {"job_workflow_ref": "acme/acme-utils/.github/workflows/release.yml@refs/heads/evil"},
        "ends in the ref or the sha of the job",
    ),
    "a strangers' pull request": ({"event_name": "pull_request_target"}, "pull_request_target"),
    "another audience": ({"aud": "pypi"}, "The claim aud has to be localhost"),
    "two audiences": ({"aud": ["localhost", "pypi"]}, "The claim aud has to be localhost"),
    "no audience": ({"aud": None}, "The claim aud has to be localhost"),
    "an audience in a list of lists": ({"aud": [["localhost"]]}, "The claim aud has to be localhost"),
    "no repository": ({"repository": None}, "The token has no claim repository."),
    "a repository that is no text": ({"repository": 7}, "The claim repository is no text."),
    "a list for a repository": ({"repository": ["acme/acme-utils"]}, "The claim repository is no text."),
    "no owner's number": ({"repository_owner_id": None}, "The token has no claim repository_owner_id."),
    "no repository's number": ({"repository_id": ""}, "The claim repository_id is no text."),
    "no ref": ({"ref": None}, "The token has no claim ref."),
    "no commit": ({"sha": None}, "The token has no claim sha."),
    "no event": ({"event_name": None}, "The token has no claim event_name."),
    "no mark": ({"jti": None}, "The token has no claim jti."),
    "a mark that is no text": ({"jti": 7}, "The claim jti is no text."),
    "a claim that is very long": ({"ref": "refs/heads/" + "x" * 2_000}, "The claim ref is too long"),
    "control characters": ({"ref": "refs/heads/\n"}, "control characters"),
    "no end": ({"exp": None}, "The token has no claim exp."),
    "an end that is no number": ({"exp": "later"}, "The claim exp is no number."),
    "an end that is true": ({"exp": True}, "The claim exp is no number."),
    "an end that is no moment": ({"exp": 1e300}, "The claim exp is no moment."),
    "no beginning": ({"iat": None}, "The token has no claim iat."),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_claim_that_is_wrong_is_named_and_nothing_is_minted(
    app: Flask, clock: SettableClock, project: Project, case: str
) -> None:
    changes, words = WRONG[case]
    claims = {name: value for name, value in github(clock.now(), **changes).items() if value is not None}

    status, code, why = refusal(mint(app, RSA.sign(claims)))

    assert (status, tokens()) == (422, 0)
    assert code in ("invalid-token", "invalid-publisher")
    assert words in why
    (event,) = events("project:publisher:refused", "index:publisher:refused")
    assert event.details["why"] == why
    assert event.details["steps"][-1]["answer"] == "no"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"exp": -0.55}, "The token has expired"),
        ({"iat": 0.55}, "not valid yet"),
        ({"nbf": 0.55}, "not valid yet"),
        ({"exp": 60 * 24 + 1}, "longer than a day"),
    ],
)
def test_the_clock_decides_with_half_a_minute_of_leeway(
    app: Flask, clock: SettableClock, project: Project, changes: dict[str, float], words: str
) -> None:
    (name,) = changes
    beyond = {name: minutes(clock.now(), changes[name])}
    within = {name: minutes(clock.now(), {"exp": -0.45, "iat": 0.45, "nbf": 0.45}[name])}

    _, code, why = refusal(mint(app, RSA.sign(github(clock.now(), **beyond))))
    fine = mint(app, RSA.sign(github(clock.now(), **within)))

    assert (code, fine.status_code) == ("invalid-token", 200)
    assert words in why


def forged(clock: SettableClock) -> dict[str, tuple[str, str]]:
    """Tokens that GitHub did not sign, and what is said of them."""
    now = clock.now()
    claims, fit = github(now), "The token's signature does not fit."
    header, body, signature = RSA.sign(claims).split(".")
    public = RSA.private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return {
        "no signature": (f"{header}.{body}.", fit),
        "another body": (f"{header}.{RSA.sign(github(now)).split('.')[1]}.{signature}", fit),
        "another key": (STRANGER.sign(claims), fit),
        "alg none": (_with_header({"alg": "none", "kid": RSA.kid}, body, ""), "another algorithm"),
        "HS256 with the public key": (_hs256({"alg": "HS256", "kid": RSA.kid}, body, public), "another algorithm"),
        "ES256 with an RSA key": (EC.sign(claims, kid=RSA.kid), fit),
        "RS256 with an elliptic key": (RSA.sign(claims, kid=EC.kid), fit),
        "an unknown key": (RSA.sign(claims, kid="unknown"), "does not publish"),
        "no key": (_with_header({"alg": "RS256"}, body, signature), "does not name the key"),
        "a key in its own header": (STRANGER.sign(claims, jwk=STRANGER.entry, jku="https://evil.example/keys"), fit),
    }


@pytest.mark.parametrize("case", [
    "no signature", "another body", "another key", "alg none", "HS256 with the public key", "ES256 with an RSA key",
    "RS256 with an elliptic key", "an unknown key", "no key", "a key in its own header",
])  # fmt: skip
def test_what_the_issuer_did_not_sign_is_refused(app: Flask, clock: SettableClock, project: Project, case: str) -> None:
    text, words = forged(clock)[case]

    status, code, why = refusal(mint(app, text))

    assert (status, code, tokens()) == (422, "invalid-token", 0)
    assert words in why
    assert len(events("index:publisher:refused")) == 1


def test_claims_are_those_of_the_issuer_whose_keys_were_taken(clock: SettableClock) -> None:
    known = trusted_publishing.KnownIssuer(GITLAB_URL, GITLAB, allows_private=False)

    with pytest.raises(Refused, match="The claim iss is not"):
        trusted_publishing.job_of(known, github(clock.now()), Trace(), audience="localhost", now=clock.now())


def test_an_issuer_speaks_for_its_own_publishers_alone(app: Flask, clock: SettableClock, project: Project) -> None:
    """GitLab signs what GitHub would say."""
    as_gitlab = refusal(mint(app, RSA.sign({**github(clock.now()), "iss": GITLAB_URL})))
    unknown = refusal(mint(app, RSA.sign({**github(clock.now()), "iss": "https://evil.example"})))
    slash = refusal(mint(app, RSA.sign({**github(clock.now()), "iss": f"{GITHUB_URL}/"})))

    assert as_gitlab[:2] == (422, "invalid-token")
    assert unknown == (422, "invalid-payload", "This index does not trust the issuer https://evil.example.")
    assert slash[1] == "invalid-payload"
    assert tokens() == 0


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'{"token": 7}',
        b'{"token": null}',
        b"[" * 60_000,
        b"\xff",
        b'{"token": "' + b"x" * 70_000,
    ],
)
def test_a_body_that_is_none_is_refused_in_the_same_form(app: Flask, project: Project, body: bytes) -> None:
    for path in (MINT, BURN):
        assert refusal(post(app, path, body))[:2] == (422, "invalid-payload")
    assert len(events("index:publisher:refused")) == 1  # to burn nothing is refused to nobody


@pytest.mark.parametrize("text", ["", "x", "a.b.c", "é.é.é", "e30.e30.e30", "x" * 20_000, "\x00"])
def test_a_text_that_is_no_token_is_refused_and_leaves_an_event(app: Flask, project: Project, text: str) -> None:
    assert refusal(mint(app, text))[:2] == (422, "invalid-payload")
    assert len(events("index:publisher:refused")) == 1


@pytest.mark.parametrize("odd", ["\ud800", "\x00", "\n", "‮", ["x"], {"a": 1}, 7, None, True])
@pytest.mark.parametrize("name", ["iss", "repository", "ref", "jti", "job_workflow_ref", "environment", "aud", "exp"])
def test_oddities_in_claims_have_a_defined_answer(
    app: Flask, clock: SettableClock, project: Project, name: str, odd: Any
) -> None:
    add(project, clock, environment="release")
    before = tokens()

    answer = mint(app, RSA.sign(github(clock.now(), **{"environment": "nowhere", name: odd})))

    assert answer.status_code in (200, 422), answer.text
    assert answer.status_code == 422 or (name, tokens()) == ("environment", before + 1)


def test_whoever_gets_the_names_later_is_not_trusted(app: Flask, clock: SettableClock, project: Project) -> None:
    minted(app, clock)

    account = refusal(mint(app, RSA.sign(github(clock.now(), repository_owner_id="666"))))
    repository = refusal(mint(app, RSA.sign(github(clock.now(), repository_id="666"))))

    assert "The claim repository_owner_id is 666, and was 501" in account[2]
    assert "The claim repository_id is 666, and was 1001" in repository[2]
    assert tokens() == 1


def add(here: Project, clock: SettableClock, provider: Any = GITHUB, **facts: str) -> TrustedPublisher:
    values = {"owner": "acme", "repository": "acme-utils", "workflow": "release.yml", **facts}
    found = check(provider, values, {})
    row = TrustedPublisher(
        project_id=here.id,
        provider=found.provider,
        issuer=found.issuer,
        facts=found.facts,
        fingerprint=found.fingerprint,
        place=found.place,
        added_at=clock.now(),
    )
    db.session.add(row)
    db.session.commit()
    return row


def test_the_most_specific_publisher_of_a_project_counts(app: Flask, clock: SettableClock, project: Project) -> None:
    add(project, clock, environment="release")

    minted(app, clock, environment="Release")
    minted(app, clock)

    named = [event.details["publisher"] for event in events("project:publisher:used")]
    assert len(named) == 2
    uses = db.session.execute(sa.select(TrustedPublisher.facts, TrustedPublisher.last_used_at)).all()
    assert all(used is not None for _, used in uses)


@pytest.mark.parametrize(
    ("pattern", "fits"),
    [("refs/tags/v*", True), ("refs/tags/v1.0", True), ("refs/heads/*", False), ("refs/tags/v", False)],
)
def test_a_branch_or_tag_is_held_to_its_pattern(
    app: Flask, clock: SettableClock, people: People, ana: User, pattern: str, fits: bool
) -> None:
    add(people.a_project("acme-utils", ana), clock, ref=pattern)

    answer = mint(app, RSA.sign(github(clock.now())))

    assert (answer.status_code == 200) is fits
    assert fits or f"The claim ref is refs/tags/v1.0, and {pattern} for this publisher." in refusal(answer)[2]


def test_one_job_of_several_projects_gets_one_token_for_all_that_take_files(
    app: Flask, clock: SettableClock, project: Project, people: People, ana: User
) -> None:
    other, archived = people.a_project("tide-tables", ana), people.a_project("old-tides", ana)
    for each in (other, archived):
        people.a_publisher(each)
    archived.status = "archived"
    db.session.commit()

    token = minted(app, clock)

    assert upload(app, token, a_wheel()).status_code == 200
    assert upload(app, token, a_wheel("tide-tables")).status_code == 200
    assert upload(app, token, a_wheel("old-tides")).status_code == 403


def test_an_archived_project_gets_no_token(app: Flask, clock: SettableClock, project: Project) -> None:
    project.status = "archived"
    db.session.commit()

    assert refusal(mint(app, RSA.sign(github(clock.now())))) == (
        422,
        "invalid-publisher",
        "acme-utils is archived, and takes no files.",
    )
    assert len(events("project:publisher:refused")) == 1


def test_gitlab_is_held_to_its_own_claims(app: Flask, clock: SettableClock, people: People, ana: User) -> None:
    project = people.a_project("acme-utils", ana)
    facts = {"namespace": "acme", "project": "acme-utils", "workflow_filepath": ".gitlab-ci.yml"}
    add(project, clock, GITLAB, **facts, ref="refs/heads/main")

    fine = mint(app, RSA.sign(gitlab(clock.now())))
    tag = mint(app, RSA.sign(gitlab(clock.now(), ref_type="tag")))
    other_file, other_host = (f"{place}@refs/heads/main" for place in (f"{HERE}evil.yml", f"evil.{HERE}.gitlab-ci.yml"))
    file = mint(app, RSA.sign(gitlab(clock.now(), ci_config_ref_uri=other_file)))
    host = mint(app, RSA.sign(gitlab(clock.now(), ci_config_ref_uri=other_host)))
    subject = mint(app, RSA.sign(gitlab(clock.now(), sub="project_path:acme/other:ref_type:branch:ref:main")))
    kind = mint(app, RSA.sign(gitlab(clock.now(), ref_type="pipeline")))

    assert fine.status_code == 200, fine.text
    assert [refusal(answer)[0] for answer in (tag, file, host, subject, kind)] == [422] * 5
    assert "The claim sub is project_path:acme/other" in refusal(subject)[2]
    assert tokens() == 1


def test_refusals_are_counted_by_address_and_successes_are_not(
    app: Flask, clock: SettableClock, project: Project
) -> None:
    for _ in range(3):
        minted(app, clock)
    for _ in range(200):
        assert mint(app, "x").status_code == 422

    last = mint(app, RSA.sign(github(clock.now())))

    assert refusal(last)[:2] == (429, "too-many-requests")


def _kept(app: Flask) -> tuple[Any, Any, Any]:
    found = wiring_of(app)
    return found.store, found.box, found.notices


def _with_header(header: dict[str, str], body: str, signature: str) -> str:
    return f"{_base64(orjson.dumps(header))}.{body}.{signature}"


def _hs256(header: dict[str, str], body: str, key: bytes) -> str:
    signed = _with_header(header, body, "").rstrip(".")
    return f"{signed}.{_base64(hmac.digest(key, signed.encode(), 'sha256'))}"


def _base64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def test_owners_see_why_a_job_got_no_token(
    app: Flask, clock: SettableClock, project: Project, ana: User, browser: Browser
) -> None:
    mint(app, RSA.sign(github(clock.now(), job_workflow_ref="acme/acme-utils/.github/workflows/x.yml@refs/tags/v1.0")))
    mint(app, RSA.sign(github(clock.now(), repository="acme/other")))

    page = browser.sign_in(ana).page("/manage/project/acme-utils/publishing/")

    assert "The claim job_workflow_ref is acme/acme-utils/.github/workflows/x.yml@refs/tags/v1.0" in page.text
    assert "Is the job a trusted publisher of a project here?" in page.text
    assert "acme/other" not in page.text
