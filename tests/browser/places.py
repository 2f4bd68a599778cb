"""Every kind of page that there is, on an index with people and projects in it, each in a state worth looking at."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from flask import Flask
from playwright.sync_api import Browser as Chromium
from playwright.sync_api import Page
from sqlalchemy import update

from adapters.clock import SettableClock
from domain.identity.sessions import Level
from models import BrowserSession, User, db
from tests.browser.live import Live
from tests.browser.windows import open_window
from tests.browsing import Browser
from tests.builders import People
from tests.packages import a_metadata, a_wheel, an_sdist
from tests.uploading import upload

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


@dataclass(frozen=True)
class Place:
    """A page: who opens which address, and what they do there before it is looked at."""

    name: str
    path: str
    who: str = "nobody"
    act: Callable[[Page], None] | None = field(default=None, compare=False)


class Town:
    """A live index with people in every state, and a browser for each of them."""

    def __init__(self, live: Live, chromium: Chromium) -> None:
        self._live = live
        self._chromium = chromium
        self._pages: dict[str, Page] = {}
        self._complaints: list[str] = []
        with live.app.app_context():
            self._handles = _populate(live.app)

    def page_of(self, who: str) -> Page:
        """The one page of somebody's browser; "nobody" is not signed in."""
        if who not in self._pages:
            page = open_window(self._chromium, self._live.url, self._complaints)
            if who in self._handles:
                handle = self._handles[who]
                page.context.add_cookies([{"name": "countersign", "value": handle, "url": self._live.url}])
            self._pages[who] = page
        return self._pages[who]

    def complaints(self) -> list[str]:
        """What Chromium has complained about since one asked last."""
        found, self._complaints[:] = self._complaints[:], []
        return found

    def visit(self, place: Place) -> Page:
        """Open a place and do there what is to be done."""
        page = self.page_of(place.who)
        page.goto(place.path)
        if place.act:
            place.act(page)
        return page

    def leave(self) -> None:
        """Close all browsers."""
        for page in self._pages.values():
            page.context.close()


def _populate(app: Flask) -> dict[str, str]:
    """People, projects, releases, invitations and tokens, made through the pages; returns each one's session handle."""
    now = datetime.now(UTC)
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
    }
    acme = people.a_project("acme-utils", users["ana"], maintainers=(users["bo"],))
    client = people.a_project("acme-client", users["ana"])
    tides = people.a_project("tide-charts", users["bo"])
    browsers = {name: Browser(app).sign_in(user) for name, user in users.items() if name != "half"}
    browsers["half"] = Browser(app).sign_in(users["half"], level=Level.HALF)
    people.an_invitation(acme, users["cleo"], by=users["ana"])
    people.an_invitation(tides, users["ana"], by=users["bo"], role="owner")
    people.a_token(users["ana"], "release laptop", projects=(acme,), expires_at=now + timedelta(days=300))
    people.a_token(users["ana"], "nightly builds", projects=(acme, client), expires_at=now + timedelta(days=6))
    people.a_token(users["ana"], "old build server", projects=(client,), expires_at=now - timedelta(days=2))
    _, token = people.a_token(users["ana"], "old workstation")
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
    _make_stale(users["stale"], now - timedelta(hours=1))
    return {name: _handle(browser) for name, browser in browsers.items()}


def _make_stale(user: User, at: datetime) -> None:
    """Let it be long ago that somebody confirmed to be there."""
    db.session.execute(update(BrowserSession).where(BrowserSession.user_id == user.id).values(confirmed_at=at))
    db.session.commit()


def _handle(browser: Browser) -> str:
    cookie = browser.client.get_cookie("countersign", domain="localhost")
    assert cookie is not None
    return cookie.value


def _sign_in_wrongly(page: Page) -> None:
    page.fill("main [name=username]", "nobody-here")
    page.fill("main [name=password]", "not the password")
    page.get_by_role("main").get_by_role("button", name="Sign in").click()


def _press(text: str, **typed: str) -> Callable[[Page], None]:
    """Fill fields in and press a button of the page's body."""

    def act(page: Page) -> None:
        for name, value in typed.items():
            page.locator(f"main [name={name}]:not([type=hidden])").fill(value)
        page.get_by_role("main").get_by_role("button", name=text, exact=True).click()

    return act


def _follow(text: str) -> Callable[[Page], None]:
    """Follow the first link of that name."""
    return lambda page: page.get_by_role("main").get_by_role("link", name=text).first.click()


def _open_details(page: Page) -> None:
    page.locator("main details").evaluate_all("all => all.forEach(each => each.open = true)")


PLACES = (
    Place("home", "/"),
    Place("search with hits", "/search/?q=acme"),
    Place("search without hits", "/search/?q=nothing-like-this"),
    Place("all projects", "/search/"),
    Place("project", "/project/acme-utils/"),
    Place("files of a project", "/project/acme-utils/?tab=files"),
    Place("history of a project", "/project/acme-utils/?tab=history"),
    Place("dependencies of a project", "/project/acme-utils/?tab=dependencies"),
    Place("project of one release", "/project/acme-utils/1.0/"),
    Place("reserved name", "/project/acme-client/"),
    Place("user", "/user/ana/"),
    Place("user without projects", "/user/cleo/"),
    Place("help", "/help/"),
    Place("policy", "/help/policy/"),
    Place("sign in", "/account/login/"),
    Place("sign in with error", "/account/login/", act=_sign_in_wrongly),
    Place("sign in first", "/manage/projects/"),
    Place("register", "/account/register/"),
    Place("register with errors", "/account/register/", act=_press("Create account", username="-", new_password="abc")),
    Place("forgotten password", "/account/request-password-reset/"),
    Place("reset requested", "/account/request-password-reset/", act=_press("Send the link", username_or_email="two")),
    Place("link that does not work", "/account/reset-password/?token=spent"),
    Place("not found", "/project/no-such-project/"),
    Place("second step", "/account/two-factor/", "half", _open_details),
    Place("second step with error", "/account/two-factor/", "half", _press("Sign in", totp_value="12")),
    Place("recovery step", "/account/recovery-code/", "half"),
    Place("confirm it is you", "/manage/account/token/?description=ci", "stale", _open_details),
    Place("stopped for the email address", "/manage/account/token/", "newt"),
    Place("unverified account", "/manage/account/", "newt"),
    Place("stopped for the second factor", "/manage/account/token/?description=ci", "uma"),
    Place("choose a method", "/manage/account/two-factor/", "uma", _open_details),
    Place("connect an app", "/manage/account/totp-provision", "uma"),
    Place(
        "wrong code",
        "/manage/account/totp-provision",
        "uma",
        _press("Turn on two-factor authentication", totp_value="1"),
    ),
    Place("account without second factor", "/manage/account/", "uma"),
    Place("why, with a trace", "/manage/account/why/", "uma"),
    Place("projects empty", "/manage/projects/", "uma"),
    Place("recovery codes not saved", "/manage/account/", "fay"),
    Place("account", "/manage/account/", "ana"),
    Place("emails", "/manage/account/emails/", "ana"),
    Place("emails with error", "/manage/account/emails/", "ana", _press("Add the address", email="no address")),
    Place("password", "/manage/account/password/", "ana"),
    Place("factors", "/manage/account/two-factor/", "ana"),
    Place("two factors", "/manage/account/two-factor/", "two"),
    Place("rename a factor", "/manage/account/two-factor/", "two", _follow("Rename")),
    Place("remove a factor", "/manage/account/two-factor/", "two", _follow("Remove")),
    Place("connect another app", "/manage/account/totp-provision", "ana"),
    Place("recovery overview", "/manage/account/recovery-codes/", "ana"),
    Place("new recovery codes", "/manage/account/recovery-codes/", "two", _press("Make new codes")),
    Place("tokens", "/manage/account/token/", "ana"),
    Place("tokens with error", "/manage/account/token/", "ana", _press("Create token")),
    Place("no token yet", "/manage/account/token/", "cleo"),
    Place("token created", "/manage/account/token/", "two", _press("Create token", description="ci")),
    Place("remove a token", "/manage/account/token/", "ana", _follow("Remove")),
    Place("why, without a trace", "/manage/account/why/", "ana"),
    Place("projects", "/manage/projects/", "ana"),
    Place("projects empty but open", "/manage/projects/", "cleo"),
    Place("reserve a name", "/manage/projects/create/", "ana"),
    Place("reserve a name with error", "/manage/projects/create/", "ana", _press("Reserve it", name="acme_utils")),
    Place("releases", "/manage/project/acme-utils/releases/", "ana"),
    Place("no release yet", "/manage/project/acme-client/releases/", "ana"),
    Place("release", "/manage/project/acme-utils/release/1.1/", "ana"),
    Place("delete a release", "/manage/project/acme-utils/release/1.1/delete", "ana"),
    Place(
        "delete a release with error",
        "/manage/project/acme-utils/release/1.1/delete",
        "ana",
        _press("Delete 1.1", confirm="1.0"),
    ),
    Place("people", "/manage/project/acme-utils/collaboration/", "ana"),
    Place("people with error", "/manage/project/acme-utils/collaboration/", "ana", _press("Invite", username="nobody")),
    Place("people for a maintainer", "/manage/project/acme-utils/collaboration/", "bo"),
    Place("remove a person", "/manage/project/acme-utils/collaboration/", "ana", _follow("Remove")),
    Place("leave a project", "/manage/project/acme-utils/collaboration/", "bo", _follow("Leave")),
    Place("not allowed", "/manage/project/acme-utils/release/1.1/delete", "bo"),
    Place("sign out", "/account/logout/", "ana"),
)
