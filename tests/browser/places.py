"""Every kind of page that there is, each in a state worth looking at: who opens it, and what they do there."""

from collections.abc import Callable
from dataclasses import dataclass, field

from playwright.sync_api import Page

from tests.browser.visitor import ADD_KEY, SIGN_IN_BY_PASSKEY, USE_KEY


@dataclass(frozen=True)
class Place:
    """A page: who opens which address, and what they do there before it is looked at."""

    name: str
    path: str
    who: str = "nobody"
    act: Callable[[Page], None] | None = field(default=None, compare=False)


NEW_PASSWORD = "seven lanterns at the quiet pier"


def _sign_in_wrongly(page: Page) -> None:
    page.fill("main [name=username]", "nobody-here")
    page.fill("main [name=password]", "not the password")
    with page.expect_navigation():
        page.get_by_role("main").get_by_role("button", name="Sign in", exact=True).click()


def _press(text: str, **typed: str) -> Callable[[Page], None]:
    """Fill fields in and press a button of the page's body."""

    def act(page: Page) -> None:
        for name, value in typed.items():
            page.locator(f"main [name={name}]:not([type=hidden])").fill(value)
        with page.expect_navigation():
            page.get_by_role("main").get_by_role("button", name=text, exact=True).click()

    return act


def _follow(text: str) -> Callable[[Page], None]:
    """Follow the first link of that name."""

    def act(page: Page) -> None:
        with page.expect_navigation():
            page.get_by_role("main").get_by_role("link", name=text).first.click()

    return act


def _ask_a_key_in_vain(text: str) -> Callable[[Page], None]:
    """Press the button of a key that does not come: the person has said no."""

    def act(page: Page) -> None:
        answer = "() => Promise.reject(new DOMException('', 'NotAllowedError'))"
        page.evaluate(f"() => {{ navigator.credentials.get = navigator.credentials.create = {answer}; }}")
        page.get_by_role("main").get_by_role("button", name=text, exact=True).click()
        page.locator("[data-passkey=problem]").wait_for()

    return act


def _go_to_removal(page: Page) -> None:
    """Where no link leads: the page shows none for a factor that must stay."""
    href = page.get_by_role("main").get_by_role("link", name="Rename").get_attribute("href") or ""
    page.goto(href.replace("/rename/", "/remove/"))


def _open_details(page: Page) -> None:
    page.locator("main details").evaluate_all("all => all.forEach(each => each.open = true)")


PLACES = (
    Place("home", "/"),
    Place("search with hits", "/search/?q=acme"),
    Place("search narrowed", "/search/?q=acme&status=active"),
    Place("search narrowed to nothing", "/search/?q=acme&python=3.8"),
    Place("search without hits", "/search/?q=nothing-like-this"),
    Place("all projects", "/search/"),
    Place("project", "/project/acme-utils/"),
    Place("files of a project", "/project/acme-utils/?tab=files"),
    Place("history of a project", "/project/acme-utils/?tab=history"),
    Place("dependencies of a project", "/project/acme-utils/?tab=dependencies"),
    Place("downloads of a project", "/project/acme-utils/?tab=downloads", act=_open_details),
    Place("downloads of a project that nobody took", "/project/acme-notes/?tab=downloads"),
    Place("project of one release", "/project/acme-utils/1.0/"),
    Place("reserved name", "/project/acme-client/"),
    Place("user", "/user/ana/"),
    Place("organization", "/org/acme-club/"),
    Place("organization without projects", "/org/empty-club/"),
    Place("user without projects", "/user/cleo/"),
    Place("help", "/help/"),
    Place("policy", "/help/policy/"),
    Place("sign in", "/account/login/"),
    Place("sign in with error", "/account/login/", act=_sign_in_wrongly),
    Place("sign in with a passkey that does not come", "/account/login/", act=_ask_a_key_in_vain(SIGN_IN_BY_PASSKEY)),
    Place("sign in first", "/manage/projects/"),
    Place("register", "/account/register/"),
    Place("register with errors", "/account/register/", act=_press("Create account", username="-", new_password="abc")),
    Place("forgotten password", "/account/request-password-reset/"),
    Place("reset requested", "/account/request-password-reset/", act=_press("Send the link", username_or_email="two")),
    Place("link that does not work", "/account/reset-password/?token=spent"),
    Place(
        "new password set, with tokens",
        "/account/reset-password/?token={reset}",
        "nobody",
        _press("Set the password", new_password=NEW_PASSWORD, password_confirm=NEW_PASSWORD),
    ),
    Place("not found", "/project/no-such-project/"),
    Place("second step", "/account/two-factor/", "half", _open_details),
    Place("second step with error", "/account/two-factor/", "half", _press("Sign in", totp_value="12")),
    Place("second step by app or key", "/account/two-factor/", "half kim", _open_details),
    Place("second step by app or key with error", "/account/two-factor/", "half kim", _ask_a_key_in_vain(USE_KEY)),
    Place("second step by key", "/account/two-factor/", "half lou", _open_details),
    Place("second step by key with error", "/account/two-factor/", "half lou", _ask_a_key_in_vain(USE_KEY)),
    Place("password after a key", "/account/two-factor/", "half lou by key"),
    Place(
        "password after a key with error", "/account/two-factor/", "half lou by key", _press("Sign in", password="x")
    ),
    Place("recovery step", "/account/recovery-code/", "half"),
    Place("recovery step with error", "/account/recovery-code/", "half", _press("Sign in", recovery_code_value="x")),
    Place("check your mail for a sign-in", "/account/confirm-login/"),
    Place("is it you who signs in", "/account/confirm-login/?token={here}", "waiting"),
    Place("sign-in to confirm elsewhere", "/account/confirm-login/?token={elsewhere}", "waiting"),
    Place("sign-in that does not wait", "/account/confirm-login/?token=spent", "waiting"),
    Place("confirm it is you", "/manage/account/token/?description=ci", "stale", _open_details),
    Place(
        "confirm it is you by app with error", "/account/reauthenticate/", "stale sam", _press("Confirm", password="x")
    ),
    Place("confirm it is you by app or key", "/manage/account/token/", "stale kim", _open_details),
    Place(
        "confirm it is you by app or key with error",
        "/account/reauthenticate/",
        "stale kim",
        _ask_a_key_in_vain(USE_KEY),
    ),
    Place("confirm it is you by key", "/account/reauthenticate/", "stale lou", _open_details),
    Place("confirm it is you by key with error", "/account/reauthenticate/", "stale lou", _ask_a_key_in_vain(USE_KEY)),
    Place("confirm it is you by recovery code", "/account/reauthenticate/", "stale max", _open_details),
    Place(
        "confirm it is you by recovery code with error",
        "/account/reauthenticate/",
        "stale max",
        _press("Confirm", password="x", recovery_code_value="x"),
    ),
    Place("stopped for the email address", "/manage/account/token/", "newt"),
    Place("unverified account", "/manage/account/", "newt"),
    Place("stopped for the second factor", "/manage/account/token/?description=ci", "uma"),
    Place("choose a method", "/manage/account/two-factor/", "uma", _open_details),
    Place("prove the address again", "/manage/unverified-account/", "dora"),
    Place("stopped for the proof of the address", "/manage/account/webauthn-provision", "dora"),
    Place("add a passkey", "/manage/account/webauthn-provision", "uma"),
    Place("add a passkey with error", "/manage/account/webauthn-provision", "uma", _ask_a_key_in_vain(ADD_KEY)),
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
    Place("change a collaborator's role", "/manage/project/acme-utils/collaboration/change?username=bo", "ana"),
    Place("people of an organization's project", "/manage/project/tide-tables/collaboration/", "ana"),
    Place("make a project private", "/manage/project/acme-utils/settings/readers", "ana"),
    Place("open a private project", "/manage/project/acme-forecasts/settings/readers", "ana"),
    Place("private project", "/project/acme-forecasts/", "ana"),
    Place("settings of a private project", "/manage/project/acme-forecasts/settings/", "ana"),
    Place("take trusted publishers only", "/manage/project/acme-utils/publishing/uploaders", "ana"),
    Place("take trusted publishers only, without one", "/manage/project/acme-client/publishing/uploaders", "ana"),
    Place("pending publishers", "/manage/account/publishing/", "ana"),
    Place(
        "pending publishers with errors",
        "/manage/account/publishing/",
        "ana",
        _press("Add", project_name="acme-utils", owner="acme"),
    ),
    Place("pending publishers empty", "/manage/account/publishing/?provider=oidc", "bo"),
    Place("pending publisher from a link", "/manage/account/publishing/?project_name=oar&owner=acme", "bo"),
    Place("remove a pending publisher", "/manage/account/publishing/", "ana", _follow("Remove")),
    Place("pending publishers of an organization", "/manage/organization/acme-club/publishing/", "ana"),
    Place("archived projects", "/manage/projects/?status=archived", "ana"),
    Place("archived projects empty", "/manage/projects/?status=archived", "cleo"),
    Place("settings of a project", "/manage/project/acme-utils/settings/", "ana"),
    Place("settings of an archived project", "/manage/project/acme-notes/settings/", "ana"),
    Place("settings of an offered project", "/manage/project/acme-legacy/settings/", "ana"),
    Place("settings of an organization's project", "/manage/project/acme-clubhouse/settings/", "ana"),
    Place("archive a project", "/manage/project/acme-utils/settings/archive", "ana"),
    Place("open a project again", "/manage/project/acme-notes/settings/unarchive", "ana"),
    Place("hand a project over", "/manage/project/acme-utils/settings/transfer", "ana"),
    Place(
        "hand a project over with errors",
        "/manage/project/acme-utils/settings/transfer",
        "ana",
        _press("Offer acme-utils", receiver="nobody-here", confirm="acme-utils"),
    ),
    Place("hand an offered project over", "/manage/project/acme-legacy/settings/transfer", "ana"),
    Place("delete a project", "/manage/project/acme-utils/settings/delete", "ana"),
    Place(
        "delete a project with error",
        "/manage/project/acme-utils/settings/delete",
        "ana",
        _press("Delete acme-utils", confirm="acme"),
    ),
    Place("take a project over", "/manage/projects/transfer/{transfer}/accept", "ana"),
    Place("projects offered to an organization", "/manage/organization/acme-club/projects/", "ana"),
    Place("archived project", "/project/acme-notes/"),
    Place("organizations empty", "/manage/organizations/", "uma"),
    Place("organizations and requests", "/manage/organizations/", "ana"),
    Place("request an organization", "/manage/organizations/request/", "ana"),
    Place("request with errors", "/manage/organizations/request/", "ana", _press("Send the request", name="-")),
    Place("question about a request", "/manage/organizations/request/{asked}/", "ana"),
    Place("people of an organization", "/manage/organization/acme-club/people/", "ana"),
    Place("people for a member", "/manage/organization/acme-club/people/", "bo"),
    Place("change a member's role", "/manage/organization/acme-club/people/role?username=bo", "ana"),
    Place("remove a member", "/manage/organization/acme-club/people/remove?username=bo", "ana"),
    Place("leave an organization", "/manage/organization/acme-club/people/leave", "bo"),
    Place("settings of an organization", "/manage/organization/acme-club/settings/", "ana"),
    Place("rule of keys", "/manage/organization/acme-club/settings/keys", "ana"),
    Place("delete an organization", "/manage/organization/empty-club/settings/delete", "ana"),
    Place("delete an organization with projects", "/manage/organization/acme-club/settings/delete", "ana"),
    Place("requests to decide", "/admin/organizations/", "root"),
    Place("decide a request", "/admin/organizations/{wish}/", "root"),
    Place("issuers", "/admin/issuers/", "root"),
    Place("issuers with errors", "/admin/issuers/", "root", _press("Add", url="http://forge")),
    Place("remove an issuer", "/admin/issuers/", "root", _follow("Remove")),
    Place("decided requests", "/admin/organizations/?show=decided", "root"),
    Place("recovery codes not saved", "/manage/account/", "fay"),
    Place("account", "/manage/account/", "ana"),
    Place("delete the account", "/manage/account/delete/", "sam"),
    Place("delete the account, as the only owner", "/manage/account/delete/", "ana"),
    Place("delete the account with error", "/manage/account/delete/", "sam", _press("Delete sam", confirm="somebody")),
    Place("emails", "/manage/account/emails/", "ana"),
    Place("emails with error", "/manage/account/emails/", "ana", _press("Add the address", email="no address")),
    Place("password", "/manage/account/password/", "ana"),
    Place("factors", "/manage/account/two-factor/", "ana"),
    Place("two factors", "/manage/account/two-factor/", "two"),
    Place("factors with keys", "/manage/account/two-factor/", "kim"),
    Place("factors with one key", "/manage/account/two-factor/", "lou"),
    Place("replace the lost device", "/manage/account/two-factor/", "lost"),
    Place("add another passkey", "/manage/account/webauthn-provision", "kim"),
    Place("remove a key", "/manage/account/two-factor/", "kim", _follow("Remove")),
    Place("remove the only factor", "/manage/account/two-factor/", "lou", _go_to_removal),
    Place("account with keys", "/manage/account/", "kim"),
    Place("account with few codes left", "/manage/account/", "ned"),
    Place("sessions", "/manage/account/sessions/", "sam"),
    Place("sessions of one browser", "/manage/account/sessions/", "ned"),
    Place("history", "/manage/account/history/", "sam"),
    Place("older history", "/manage/account/history/", "sam", _follow("Older")),
    Place("history of second factors", "/manage/account/history/?show=second-factors", "sam"),
    Place("history of projects, empty", "/manage/account/history/?show=projects", "sam"),
    Place("rename a factor", "/manage/account/two-factor/", "two", _follow("Rename")),
    Place("remove a factor", "/manage/account/two-factor/", "two", _follow("Remove")),
    Place("connect another app", "/manage/account/totp-provision", "ana"),
    Place("recovery overview", "/manage/account/recovery-codes/", "ana"),
    Place("new recovery codes", "/manage/account/recovery-codes/", "two", _press("Make new codes")),
    Place("tokens", "/manage/account/token/", "ana"),
    Place("tokens with error", "/manage/account/token/", "ana", _press("Create token")),
    Place("no token yet", "/manage/account/token/", "cleo"),
    Place("token created", "/manage/account/token/", "two", _press("Create token", description="ci")),
    Place("new secret for a token", "/manage/account/token/", "ana", _follow("New secret")),
    Place("remove a token", "/manage/account/token/", "ana", _follow("Remove")),
    Place("tokens that reach a project", "/manage/project/acme-utils/tokens/", "ana"),
    Place("no token reaches a project", "/manage/project/tide-charts/tokens/", "bo"),
    Place("remove all tokens", "/manage/account/token/remove-all/", "ana"),
    Place("no token to remove", "/manage/account/token/remove-all/", "cleo"),
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
    Place("history of a project's management", "/manage/project/acme-utils/history/", "ana"),
    Place(
        "history of a project's management, with error",
        "/manage/project/acme-utils/history/",
        "ana",
        _press("Show", by="nobody-here"),
    ),
    Place("history of a project's management, nothing fits", "/manage/project/acme-utils/history/?show=tokens", "bo"),
    Place("yank a release", "/manage/project/acme-utils/release/1.1/yank", "ana"),
    Place(
        "yank a release with error",
        "/manage/project/acme-utils/release/1.1/yank",
        "ana",
        _press("Yank 1.1", reason="It loses data. " * 20),
    ),
    Place("yanked release", "/manage/project/acme-utils/release/0.9/", "ana"),
    Place("yanked release for visitors", "/project/acme-utils/0.9/"),
    Place("delete a file", "/manage/project/acme-utils/release/1.1/", "ana", _follow("Delete acme_utils")),
    Place("restore a release", "/manage/project/acme-utils/releases/", "ana", _follow("Restore")),
    Place("releases for a maintainer", "/manage/project/acme-utils/releases/", "bo"),
    Place("publishing", "/manage/project/acme-utils/publishing/", "ana"),
    Place("publishing elsewhere", "/manage/project/acme-utils/publishing/?provider=gitlab&namespace=acme", "ana"),
    Place("publishing with error", "/manage/project/acme-utils/publishing/", "ana", _press("Add", owner="a/b")),
    Place("remove a publisher", "/manage/project/acme-utils/publishing/", "ana", _follow("Remove")),
    Place("people", "/manage/project/acme-utils/collaboration/", "ana"),
    Place("people with error", "/manage/project/acme-utils/collaboration/", "ana", _press("Invite", username="nobody")),
    Place("people for a maintainer", "/manage/project/acme-utils/collaboration/", "bo"),
    Place("remove a person", "/manage/project/acme-utils/collaboration/", "ana", _follow("Remove")),
    Place("leave a project", "/manage/project/acme-utils/collaboration/", "bo", _follow("Leave")),
    Place("not allowed", "/manage/project/acme-utils/release/1.1/delete", "bo"),
    Place("teams", "/manage/organization/tide-office/teams/", "ana"),
    Place("no team yet", "/manage/organization/new-office/teams/", "ana"),
    Place("teams for a member", "/manage/organization/tide-office/teams/", "bo"),
    Place(
        "teams with error", "/manage/organization/tide-office/teams/", "cleo", _press("Create the team", name="crew")
    ),
    Place("team", "/manage/organization/tide-office/team/Crew/", "ana"),
    Place("team for a member", "/manage/organization/tide-office/team/Crew/", "bo"),
    Place(
        "team with error", "/manage/organization/tide-office/team/Crew/", "ana", _press("Give the role", project="x")
    ),
    Place("delete a team", "/manage/organization/tide-office/team/Crew/delete", "ana"),
    Place("projects of an organization", "/manage/organization/tide-office/projects/", "ana"),
    Place("no project of an organization yet", "/manage/organization/new-office/projects/", "ana"),
    Place("give a project back", "/manage/organization/tide-office/projects/tide-tables/give-back", "ana"),
    Place(
        "a project that nobody else owns",
        "/manage/organization/tide-office/projects/harbour-gauges-and-their-calibration/give-back",
        "ana",
    ),
    Place("sign out", "/account/logout/", "ana"),
)
