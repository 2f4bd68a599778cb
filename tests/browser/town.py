"""A live index with people and projects in every state that is worth looking at, and a browser for each of them."""

from datetime import datetime, timedelta

from flask import Flask
from playwright.sync_api import Browser as Chromium
from playwright.sync_api import Page
from sqlalchemy import update

from adapters.clock import SettableClock
from domain.identity import ceremonies
from domain.identity.ceremonies import Purpose
from domain.identity.sessions import Level
from domain.index import downloads
from domain.policy.principals import Grant
from models import BrowserSession, Project, ProjectRole, db
from tests.browser.keyholders import cookies_of, settle
from tests.browser.live import Live
from tests.browser.places import Place
from tests.browser.windows import open_window
from tests.browsing import Browser, wiring_of
from tests.builders import People
from tests.packages import a_metadata, a_wheel, an_sdist
from tests.uploading import upload

Cookies = dict[str, dict[str, str]]  # of each one's browser, by name
Words = dict[str, str]  # what stands in braces in the addresses of places
DESCRIPTION = """# acme-utils

Small helpers that every Acme service needs. See [the guide](https://docs.example/acme).

## Retries

```python
from acme_utils import retry

@retry(times=3)
def fetch(address: str) -> bytes: ...
```

| helper | since |
|---|---|
| `retry` | 1.0 |
| `clock` | 1.1 |

- one thing
- another thing
"""


class Town:
    """A live index with people in every state, and a browser for each of them."""

    def __init__(self, live: Live, chromium: Chromium) -> None:
        self._live = live
        self._chromium = chromium
        self._pages: dict[str, Page] = {}
        self._complaints: list[str] = []
        with live.app.app_context():
            self._cookies, self._words = populate(live.app)

    def page_of(self, who: str) -> Page:
        """The one page of somebody's browser; "nobody" is not signed in."""
        if who not in self._pages:
            page = open_window(self._chromium, self._live.url, self._complaints)
            for name, value in self._cookies.get(who, {}).items():
                page.context.add_cookies([{"name": name, "value": value, "url": self._live.url}])
            self._pages[who] = page
        return self._pages[who]

    def complaints(self) -> list[str]:
        """What Chromium has complained about since one asked last."""
        found, self._complaints[:] = self._complaints[:], []
        return found

    def visit(self, place: Place) -> Page:
        """Open a place and do there what is to be done."""
        page = self.page_of(place.who)
        page.goto(place.path.format(**self._words))
        if place.act:
            place.act(page)
        return page

    def leave(self) -> None:
        """Close all browsers."""
        for page in self._pages.values():
            page.context.close()


def populate(app: Flask) -> tuple[Cookies, Words]:
    """People, projects, releases, invitations and tokens, made through the pages where those are quick enough."""
    now = wiring_of(app).clock.now()
    people = People(app, SettableClock(now))
    long_ago = now - timedelta(days=800)
    ana = people.a_user("ana").verified().registered(long_ago).with_totp().with_recovery_codes()
    ana.also("ana@work.example", verified=True).also("ana@typo.example")
    users = {
        "ana": ana.build(),
        "bo": people.a_member("bo"),
        "cleo": people.a_member("cleo"),
        "newt": people.a_user("newt").build(),
        "uma": people.a_user("uma").verified().build(),
        "fay": people.a_user("fay").verified().with_totp("Fay’s phone").build(),
        "two": people.a_user("two").verified().with_totp("Phone").with_totp("Tablet").with_recovery_codes().build(),
        "stale": people.a_member("stale"),
        "half": people.a_member("half"),
        "rita": people.a_member("rita"),
        "root": people.an_administrator("root"),
    }
    club = people.an_organization("acme-club", users["ana"], managers=(users["cleo"],), members=(users["bo"],))
    club.description = "Everybody who keeps the small helpers of Acme’s services alive."
    club.url = "https://club.acme.example/"
    people.an_organization("empty-club", users["ana"])
    people.a_request("tide-club", users["ana"], status="asked", question="Which gauges do you look after?")
    wish_id = people.a_request("buoy-club", users["ana"]).id
    people.a_request("old-club", users["ana"], status="declined", reason="There is one of that kind already.")
    acme = people.a_project("acme-utils", users["ana"], maintainers=(users["bo"],))
    client = people.a_project("acme-client", users["ana"])
    tides = people.a_project("tide-charts", users["bo"])
    people.an_organizations_project("acme-clubhouse", club)
    browsers = {name: Browser(app).sign_in(user) for name, user in users.items() if name != "half"}
    browsers["half"] = Browser(app).sign_in(users["half"], level=Level.HALF)
    people.an_invitation(acme, users["cleo"], by=users["ana"])
    people.an_invitation(tides, users["ana"], by=users["bo"], role="owner")
    office = people.an_organization(
        "tide-office", users["ana"], managers=(users["cleo"],), members=(users["bo"], users["two"])
    )
    people.an_organization("new-office", users["ana"], members=(users["bo"],))
    tables = people.an_organizations_project("tide-tables", office)
    people.an_organizations_project("harbour-gauges-and-their-calibration", office).status = "archived"
    db.session.add(ProjectRole(project_id=tables.id, user_id=users["bo"].id, role="owner", since=now))
    people.a_team("Crew", office, members=(users["bo"], users["two"]), projects=((tables, "maintainer"),))
    people.a_team("night-watch-of-the-northern-harbours-and-estuaries", office)
    people.a_publisher(acme)
    people.an_organizations_project("acme-attic", club).status = "archived"
    people.a_release(people.a_project("acme-notes", users["ana"]), "3.2", by=users["ana"]).project.status = "archived"
    people.a_release(people.a_project("acme-forecasts", users["ana"]), "1.2", by=users["ana"]).project.is_private = True
    people.an_issuer("https://forge.acme.example/api/actions")
    people.an_issuer("https://gitlab.acme.example", provider="gitlab", name="Our GitLab")
    people.a_pending("acme-next", users["ana"], repository="acme-next")
    people.a_pending("acme-club-tools", users["ana"], repository="club-tools", organization=club)
    people.a_kept_name("acme-drafts", users["ana"])
    people.a_transfer(people.a_project("acme-legacy", users["ana"]), users["cleo"], by=users["ana"])
    offered = people.a_project("harbour-lights", users["bo"], maintainers=(users["cleo"],))
    people.a_publisher(offered, repository="harbour-lights")
    transfer_id = people.a_transfer(offered, users["ana"], by=users["bo"]).id
    people.a_transfer(people.a_project("buoy-charts", users["bo"]), club, by=users["bo"])
    people.a_token(users["ana"], "release laptop", projects=(acme,), expires_at=now + timedelta(days=300))
    people.a_token(users["ana"], "nightly builds", projects=(acme, client), expires_at=now + timedelta(days=6))
    people.a_rotated_token(users["ana"], "packaging server")
    near = ("192.0.2.0/24", "2001:db8:1234::/48")
    people.a_token(
        users["ana"], "new tool", projects=(), creates_project=True, grants=(Grant.UPLOAD, Grant.YANK), networks=near
    )
    people.a_token(users["ana"], "old build server", projects=(client,), expires_at=now - timedelta(days=2))
    _, token = people.a_token(users["ana"], "old workstation")
    people.a_removal(acme, "0.8", by=users["ana"], files=2)
    people.a_release(acme, "0.9", by=users["ana"], yanked_at=now).yanked_reason = "Loses the last line of a file."
    db.session.commit()
    for version in ("1.0", "1.1", "2.0rc1"):
        metadata = a_metadata(
            "acme-utils",
            version,
            description=DESCRIPTION,
            Summary="Small, typed helpers that every Acme service needs: retries, clocks, paths and dates.",
            Requires_Python=">=3.10",
            License_Expression="MIT",
            Requires_Dist=["attrs>=24", 'colorama; sys_platform == "win32"'],
            Description_Content_Type="text/markdown",
            Project_URL=["Source, https://git.example/acme/utils", "Report a problem, https://git.example/acme/bugs"],
            Classifier=["Development Status :: 5 - Production/Stable", "Typing :: Typed"],
        )
        for package in (a_wheel(version=version, metadata=metadata), an_sdist(version=version, metadata=metadata)):
            assert upload(app, token, package).status_code == 200
    _let_it_be_downloaded(acme, now)
    keyholders = settle(app, people, now)
    hers = BrowserSession.user_id == users["stale"].id
    db.session.execute(update(BrowserSession).where(hers).values(confirmed_at=now - timedelta(hours=1)))
    db.session.commit()
    cookies = {name: cookies_of(browser) for name, browser in browsers.items()}
    people.a_token(users["rita"], "ci")
    reset = ceremonies.begin(
        db.session(), wiring_of(app).box, Purpose.RESET_PASSWORD, now=now, payload={}, user_id=users["rita"].id
    )
    db.session.commit()
    words = {"reset": reset, "wish": str(wish_id), "asked": str(wish_id - 1), "transfer": str(transfer_id)}
    return cookies | keyholders.cookies, keyholders.words | words


def _let_it_be_downloaded(project: Project, now: datetime) -> None:
    """Three weeks after its first release people begin to take it, least of all on Sundays."""
    days = ((now - timedelta(days=ago)).date() for ago in range(68))
    counts = {
        downloads.Key(project.id, day, version): (6 - day.weekday()) * share + day.day % 7
        for day in days
        for version, share in (("1.0", 11), ("1.1", 37), ("2.0rc1", 1))
    }
    downloads.keep(db.session(), counts)
    db.session.commit()
