"""Asking somebody to help, and everything that may follow, on the pages."""

from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from adapters.clock import SettableClock
from domain.identity.throttle import INVITE
from models import Attempt, Event, Invitation, Mail, Project, ProjectRole, TotpApp, User, db
from tests.browsing import Browser, Page
from tests.builders import PASSWORD, People, code_of
from tests.requirements import requirement

PEOPLE = "/manage/project/acme-utils/collaboration/"


@pytest.fixture
def ana(people: People, browser: Browser) -> User:
    """The owner of acme-utils, signed in."""
    user = people.a_member("ana")
    people.a_project("acme-utils", user)
    browser.sign_in(user)
    return user


def acme() -> Project:
    return db.session.scalars(sa.select(Project).where(Project.normalized_name == "acme-utils")).one()


def parts() -> dict[str, str]:
    db.session.expire_all()
    return {part.user.username: part.role for part in db.session.scalars(sa.select(ProjectRole))}


def invitation() -> Invitation:
    return db.session.scalars(sa.select(Invitation)).one()


def rows(page: Page) -> list[str]:
    """The rows of the page's tables, in words."""
    return [" ".join(" ".join(row.itertext()).split()) for row in page.root.iter("tr") if row.find("td") is not None]


def typed_name(page: Page) -> str | None:
    """What stands in the form; the buttons to revoke have a field of this name, too."""
    field = page.root.find(".//*[@id='username']")
    assert field is not None
    return field.get("value")


def notice_of(page: Page) -> str:
    found = page.root.find(".//*[@class='notice notice--danger']")
    assert found is not None
    return " ".join("".join(found.itertext()).split())


def test_from_invitation_to_helping(ana: User, browser: Browser, app: Flask, people: People) -> None:
    bo = people.a_member("bo")
    theirs = Browser(app).sign_in(bo)

    sent = browser.submit(f"{PEOPLE}invite", username="bo", role="maintainer")
    asked = theirs.page("/manage/projects/")
    done = theirs.submit(f"/manage/projects/invitation/{invitation().id}/accept")

    assert "bo is invited and has seven days to answer." in sent.text
    assert "bo invited by ana maintainer 29 Nov 2026, 14:05 UTC Revoke the invitation of bo" in rows(sent)
    assert "ana asks you to help maintain acme-utils." in asked.text
    assert done.response.request.path == PEOPLE
    assert "You now look after acme-utils." in done.text
    assert parts() == {"ana": "owner", "bo": "maintainer"}


def test_declining_leaves_everything_as_it_was(ana: User, app: Flask, people: People) -> None:
    bo = people.a_user("bo").build()
    people.an_invitation(acme(), bo, by=ana)

    page = Browser(app).sign_in(bo).submit(f"/manage/projects/invitation/{invitation().id}/decline")

    assert "You declined to help with acme-utils." in page.text
    assert "asks you" not in page.text
    assert parts() == {"ana": "owner"}


def test_without_a_second_factor_an_invitation_gives_nothing_and_waits(
    ana: User, app: Flask, people: People, clock: SettableClock
) -> None:
    newt = people.a_user("newt").verified().build()
    people.an_invitation(acme(), newt, by=ana)
    accept, browser = f"/manage/projects/invitation/{invitation().id}/accept", Browser(app).sign_in(newt)

    stopped = browser.submit(accept)
    before = parts()
    key = TotpApp(
        public_id="1", user_id=newt.id, label="My phone", secret_sealed=b"", last_step=0, added_at=clock.now()
    )
    db.session.add(key)
    db.session.commit()
    resumed = browser.submit("/manage/account/resume/")
    browser.submit(accept)

    assert stopped.response.request.path == "/manage/account/two-factor/"
    assert stopped.stop is not None
    assert "accept an invitation “acme-utils”" in stopped.stop
    assert before == {"ana": "owner"}
    assert resumed.response.request.path == "/manage/projects/"
    assert "ana asks you" in resumed.text
    assert parts() == {"ana": "owner", "newt": "maintainer"}


@pytest.mark.parametrize("answer", ["accept", "decline"])
def test_another_persons_invitation_does_not_exist(ana: User, app: Flask, people: People, answer: str) -> None:
    people.an_invitation(acme(), people.a_member("bo"), by=ana)
    browser = Browser(app).sign_in(people.a_member("eve"))

    for number in (invitation().id, 999, 2**31, "x"):
        assert browser.post(f"/manage/projects/invitation/{number}/{answer}").status_code == 404
    assert parts() == {"ana": "owner"}


@pytest.mark.parametrize("answer", ["accept", "decline"])
def test_an_invitation_that_is_over_says_so(
    ana: User, app: Flask, people: People, clock: SettableClock, answer: str
) -> None:
    bo = people.a_member("bo")
    people.an_invitation(acme(), bo, by=ana)
    clock.advance(timedelta(days=7))

    page = Browser(app).sign_in(bo).submit(f"/manage/projects/invitation/{invitation().id}/{answer}")

    assert "The invitation to acme-utils is not open any more. Ask its owners for a new one." in page.text
    assert parts() == {"ana": "owner"}


@pytest.mark.parametrize(
    ("username", "role", "words"),
    [
        ("ghost", "maintainer", "There is nobody of that name on this index. Check the spelling."),
        ("", "maintainer", "There is nobody of that name on this index. Check the spelling."),
        ("ice", "maintainer", "There is nobody of that name on this index. Check the spelling."),
        ("ana", "owner", "ana has a role in acme-utils already."),
        ("cleo", "owner", "cleo is invited already and has not answered yet."),
        ("bo", "king", "Choose what they may do."),
        ("bo", "", "Choose what they may do."),
    ],
)
def test_a_refused_invitation_says_why_and_keeps_what_was_typed(
    ana: User, browser: Browser, people: People, username: str, role: str, words: str
) -> None:
    people.a_member("bo")
    people.a_user("ice").verified().frozen().build()
    people.an_invitation(acme(), people.a_member("cleo"), by=ana)

    page = browser.submit(f"{PEOPLE}invite", username=username, role=role, status=422)

    assert words in page.text
    assert typed_name(page) == username
    assert page.title.startswith("Error: ")
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Invitation)) == 1


@requirement("R105")
def test_the_forty_first_invitation_within_an_hour_waits(ana: User, browser: Browser, people: People) -> None:
    people.a_member("bo")
    browser.submit(f"{PEOPLE}invite", username="ghost", role="maintainer", status=422)
    db.session.execute(sa.update(Attempt).where(Attempt.bucket == f"{INVITE.name}:{ana.id}").values(count=40))
    db.session.commit()

    page = browser.submit(f"{PEOPLE}invite", username="bo", role="maintainer", status=429)

    assert "Too many invitations." in page.text
    assert page.value("username") == "bo"
    assert page.response.headers["Retry-After"] == "3600"


def test_after_confirming_the_invitation_is_still_typed(ana: User, browser: Browser, clock: SettableClock) -> None:
    clock.advance(timedelta(minutes=16))

    browser.submit(f"{PEOPLE}invite", username="bo", role="owner")
    page = browser.submit("/account/reauthenticate/", method="totp", password=PASSWORD, totp_value=code_of(ana, clock))

    assert page.response.request.path == PEOPLE
    assert page.value("username") == "bo"
    chosen = [
        box.get("value") for box in page.root.iter("input") if box.get("name") == "role" and "checked" in box.attrib
    ]
    assert chosen == ["owner"]
    assert "We kept what you typed. Check it and press Invite." in page.text


def test_a_revoked_invitation_is_gone(ana: User, browser: Browser, people: People) -> None:
    people.an_invitation(acme(), people.a_member("bo"), by=ana)

    page = browser.submit(f"{PEOPLE}revoke", username="bo")
    again = browser.submit(f"{PEOPLE}revoke", username="bo", status=422)

    assert "The invitation of bo was revoked." in page.text
    assert notice_of(again) == "This invitation is not open any more: it was answered, revoked, or has expired."


def test_somebody_is_removed_after_a_question(ana: User, browser: Browser, people: People) -> None:
    bo = people.a_member("bo")
    db.session.add(ProjectRole(project_id=acme().id, user_id=bo.id, role="maintainer", since=acme().created_at))
    db.session.commit()

    asked = browser.page(f"{PEOPLE}remove?username=bo")
    done = browser.submit(f"{PEOPLE}remove", username="bo")
    again = browser.submit(f"{PEOPLE}remove", username="bo", status=422)

    assert asked.h1 == "Remove bo from acme-utils?"
    assert "bo has been a maintainer since 22 Nov 2026" in asked.text
    assert "bo no longer looks after acme-utils." in done.text
    assert notice_of(again) == "Nobody of that name has a role in acme-utils."
    assert parts() == {"ana": "owner"}
    assert {mail.notice for mail in db.session.scalars(sa.select(Mail))} == {
        "collaborator-removed",
        "removed-from-project",
    }


def test_after_confirming_one_is_back_at_the_question_about_the_same_person(
    ana: User, browser: Browser, people: People, clock: SettableClock
) -> None:
    bo = people.a_member("bo")
    db.session.add(ProjectRole(project_id=acme().id, user_id=bo.id, role="maintainer", since=acme().created_at))
    db.session.commit()
    clock.advance(timedelta(minutes=16))

    browser.submit(f"{PEOPLE}remove", username="bo")
    page = browser.submit("/account/reauthenticate/", method="totp", password=PASSWORD, totp_value=code_of(ana, clock))

    assert page.h1 == "Remove bo from acme-utils?"
    assert parts() == {"ana": "owner", "bo": "maintainer"}


@pytest.mark.parametrize("username", ["ghost", "", "%00", "cleo"])
def test_there_is_no_question_about_somebody_without_a_part(
    ana: User, browser: Browser, people: People, username: str
) -> None:
    people.a_member("cleo")

    browser.page(f"{PEOPLE}remove?username={username}", status=404)


def test_the_last_owner_can_neither_leave_nor_remove_themselves(ana: User, browser: Browser) -> None:
    asked = browser.page(f"{PEOPLE}leave")
    left = browser.submit(f"{PEOPLE}leave", status=422)
    removed = browser.submit(f"{PEOPLE}remove", username="ana", status=422)

    assert asked.h1 == "Leave acme-utils?"
    for page in (left, removed):
        assert (
            notice_of(page) == "acme-utils needs an owner, and ana is the only one. Make somebody else an owner first."
        )
    assert parts() == {"ana": "owner"}


def test_a_maintainer_leaves(ana: User, app: Flask, people: People) -> None:
    bo = people.a_member("bo")
    db.session.add(ProjectRole(project_id=acme().id, user_id=bo.id, role="maintainer", since=acme().created_at))
    db.session.commit()

    page = Browser(app).sign_in(bo).submit(f"{PEOPLE}leave")

    assert page.response.request.path == "/manage/projects/"
    assert "You no longer look after acme-utils." in page.text
    assert parts() == {"ana": "owner"}


def test_only_owners_see_who_has_which_second_factor(ana: User, browser: Browser, app: Flask, people: People) -> None:
    bo, newt = people.a_member("bo"), people.a_user("newt").verified().build()
    for user in (bo, newt):
        db.session.add(ProjectRole(project_id=acme().id, user_id=user.id, role="maintainer", since=acme().created_at))
    db.session.commit()

    owners, maintainers = browser.page(PEOPLE), Browser(app).sign_in(bo).page(PEOPLE)

    assert rows(owners) == [
        "ana you owner 22 Nov 2026 authenticator app Change role of ana Leave acme-utils",
        "bo maintainer 22 Nov 2026 authenticator app Change role of bo Remove bo",
        "newt maintainer 22 Nov 2026 None Change role of newt Remove newt",
    ]
    assert rows(maintainers) == [
        "ana owner 22 Nov 2026",
        "bo you maintainer 22 Nov 2026 Leave acme-utils",
        "newt maintainer 22 Nov 2026",
    ]
    assert "authenticator" not in maintainers.text
    assert "Second factor" not in maintainers.text
    assert "Invite" not in maintainers.text


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("invite", {"username": "eve", "role": "owner"}),
        ("revoke", {"username": "cleo"}),
        ("remove", {"username": "ana"}),
    ],
)
def test_a_maintainer_or_stranger_cannot_change_the_people(
    ana: User, app: Flask, people: People, path: str, fields: dict[str, str]
) -> None:
    bo, eve = people.a_member("bo"), people.a_member("eve")
    people.an_invitation(acme(), people.a_member("cleo"), by=ana)
    db.session.add(ProjectRole(project_id=acme().id, user_id=bo.id, role="maintainer", since=acme().created_at))
    db.session.commit()

    for user in (bo, eve):
        page = Browser(app).sign_in(user).submit(f"{PEOPLE}{path}", fields, status=403)
        assert page.stop is not None

    assert parts() == {"ana": "owner", "bo": "maintainer"}
    guest = invitation().user
    assert guest is not None
    assert guest.username == "cleo"


def test_the_links_of_the_page_lead_somewhere(ana: User, browser: Browser, people: People) -> None:
    people.an_invitation(acme(), people.a_member("bo"), by=ana)
    main = browser.page(PEOPLE).root.find(".//main")
    assert main is not None

    for link in main.iter("a"):
        assert browser.get(link.get("href", "")).status_code in (200, 302), link.get("href")


def test_the_journal_tells_who_did_what_to_whom(ana: User, browser: Browser, people: People) -> None:
    bo = people.a_member("bo")

    browser.submit(f"{PEOPLE}invite", username="bo", role="owner")

    event = db.session.scalars(sa.select(Event)).one()
    assert (event.tag, event.actor_id, event.user_id) == ("project:invitation:sent", ana.id, bo.id)
    assert event.details == {"project": "acme-utils", "role": "owner", "guest": "bo"}


def test_the_history_of_who_was_invited_names_the_owner_and_not_their_address(
    ana: User, browser: Browser, app: Flask, people: People
) -> None:
    bo = people.a_member("bo")
    browser.submit(f"{PEOPLE}invite", username="bo", role="owner")

    page = Browser(app, address="198.51.100.24").sign_in(bo).page("/manage/account/")

    assert "Invitation of bo to acme-utils as owner" in page.text
    assert "Done by ana" in page.text
    assert browser.environ["REMOTE_ADDR"] not in page.text


def test_a_role_is_changed_after_a_question(ana: User, browser: Browser, people: People) -> None:
    bo = people.a_member("bo")
    db.session.add(ProjectRole(project_id=acme().id, user_id=bo.id, role="maintainer", since=acme().created_at))
    db.session.commit()

    asked = browser.page(f"{PEOPLE}change?username=bo")
    done = browser.submit(f"{PEOPLE}change", username="bo", role="owner")
    own = browser.submit(f"{PEOPLE}change", username="ana", role="maintainer")

    assert asked.h1 == "Which role for bo?"
    assert "bo is an owner of acme-utils now." in done.text
    assert own.response.request.path == "/manage/projects/"
    assert parts() == {"ana": "maintainer", "bo": "owner"}
    assert browser.get(f"{PEOPLE}change?username=bo").status_code == 403


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"username": "ana", "role": "maintainer"}, "acme-utils needs an owner"),
        ({"username": "ana", "role": "king"}, "Choose what they may do."),
        ({"username": "ana"}, "Choose what they may do."),
        ({"username": "ghost", "role": "owner"}, "Nobody of that name has a role in acme-utils."),
        ({"role": "owner"}, "Nobody of that name has a role in acme-utils."),
        ({"username": "a\0b", "role": "owner"}, "Nobody of that name has a role in acme-utils."),
    ],
)
def test_a_role_that_cannot_be_given_says_why(ana: User, browser: Browser, fields: dict[str, str], words: str) -> None:
    page = browser.submit(f"{PEOPLE}change", fields, status=422)

    assert notice_of(page).startswith(words)
    assert parts() == {"ana": "owner"}


def test_an_invited_address_is_for_owners_to_see(ana: User, browser: Browser, app: Flask, people: People) -> None:
    bo = people.a_member("bo")
    db.session.add(ProjectRole(project_id=acme().id, user_id=bo.id, role="maintainer", since=acme().created_at))
    db.session.commit()

    sent = browser.submit(f"{PEOPLE}invite", username="new@mail.example", role="maintainer")
    theirs = Browser(app).sign_in(bo).page(PEOPLE)
    revoked = browser.submit(f"{PEOPLE}revoke", username="new@mail.example")

    assert "new@mail.example is invited and has seven days to answer." in sent.text
    assert "new@mail.example" not in theirs.text
    assert "an address" in theirs.text
    assert "The invitation of new@mail.example was revoked." in revoked.text


def test_one_address_is_not_filled_by_invitations_of_many(app: Flask, people: People) -> None:
    for number in range(6):
        host = people.a_member(f"host{number}")
        people.a_project(f"tool-{number}", host)
        browser = Browser(app).sign_in(host)
        answer = browser.post(
            f"/manage/project/tool-{number}/collaboration/invite", username="new@mail.example", role="owner"
        )
        assert answer.status_code == (303 if number < 5 else 429)

    assert db.session.scalar(sa.select(sa.func.count()).select_from(Mail)) == 5


def test_leaving_and_removing_say_what_goes(ana: User, browser: Browser, app: Flask, people: People) -> None:
    bo = people.a_member("bo")
    db.session.add(ProjectRole(project_id=acme().id, user_id=bo.id, role="owner", since=acme().created_at))
    db.session.commit()
    people.a_token(bo, projects=(acme(),))
    people.an_invitation(acme(), people.a_member("cy"), by=bo)

    removed = browser.page(f"{PEOPLE}remove?username=bo")
    left = Browser(app).sign_in(bo).page(f"{PEOPLE}leave")

    assert "1 API token of bo no longer reaches acme-utils." in removed.text
    assert "1 open invitation that bo sent ends." in removed.text
    assert "1 API token of yours no longer reaches acme-utils." in left.text
    assert "1 open invitation that you sent ends." in left.text


def test_one_account_invites_the_same_person_five_times_a_day_at_most(
    ana: User, browser: Browser, people: People, clock: SettableClock
) -> None:
    """Inviting and revoking in turn would fill a mailbox otherwise."""
    people.a_member("bo")
    people.a_member("cy")
    invite, revoke = (f"/manage/project/acme-utils/collaboration/{verb}" for verb in ("invite", "revoke"))
    for spelling in ("bo", "BO", "Bo", "bO", "bo"):
        browser.submit(invite, username=spelling, role="maintainer")
        browser.submit(revoke, username="bo")

    refused = browser.submit(invite, username="bo", role="maintainer", status=429)
    other = browser.submit(invite, username="cy", role="maintainer")
    clock.advance(timedelta(days=1, minutes=1))
    browser.sign_in(ana)
    later = browser.submit(invite, username="bo", role="maintainer")

    assert "Too many invitations to this person" in refused.text
    assert "cy is invited" in other.text
    assert "bo is invited" in later.text
