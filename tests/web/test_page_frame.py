"""Every page has one frame: banner and notices first, an account menu in words, only the icons it uses."""

from types import SimpleNamespace

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from tests.drawing import TEMPLATES, find, page, words

STOP = {"title": "Turn it on to continue", "reason": "A rule asks for it.", "asked": "create an API token"}


def test_a_page_carries_the_symbols_that_it_uses_and_no_others() -> None:
    source = '{% from "components/icons.html" import icon %}{{ icon("key") }}'

    drawn = {symbol.get("id") for symbol in page(source).iter() if symbol.tag.endswith("symbol")}

    assert drawn == {"i-search", "i-key"}


def test_a_refusal_is_a_red_banner_first_in_main_and_in_the_title() -> None:
    banner_values = {**STOP, "rule": "new-users", "at": "2026-11-22T14:05:00+00:00"}

    root = page("<h1>Choose</h1>", flashed=[("info", "Kept."), ("danger", banner_values)])

    banner = find(root, ".//main")[0]
    assert (banner.get("id"), banner.get("role"), banner.get("tabindex")) == ("stop", "alert", "-1")
    assert "You asked to create an API token. A rule asks for it." in words(banner)
    assert words(banner).endswith("rule new-users stopped 22 Nov 2026, 14:05 UTC")
    assert words(find(root, ".//title")) == "Action needed: Tokens – Countersign"
    assert [words(notice) for notice in root.findall(".//*[@role='status']")] == ["Kept."]


def test_a_page_may_carry_its_own_refusal() -> None:
    assert words(find(page("", refusal=STOP), ".//*[@id='stop']")).startswith("Turn it on to continue")


def test_a_danger_in_one_sentence_is_a_notice() -> None:
    root = page("", flashed=[("danger", "The token was not created. <b>")])

    assert words(find(root, ".//*[@role='alert']")) == "The token was not created. <b>"
    assert root.find(".//*[@id='stop']") is None


def test_the_account_menu_tells_in_words_what_is_missing() -> None:
    def summary(**changes: bool) -> str:
        facts = {
            "has_second_factor": True,
            "email_verified": True,
            "needs_recovery_codes": False,
            "has_few_codes": False,
            **changes,
        }
        return words(find(page("", viewer=SimpleNamespace(username="ana", is_admin=False, **facts)), ".//summary"))

    assert summary() == "ana 2FA on"
    assert summary(has_second_factor=False) == "ana Set up 2FA"
    assert summary(has_second_factor=False, email_verified=False) == "ana Verify email"
    assert words(find(page(""), ".//*[@class='band__enter']")) == "Sign in"


def test_unsaved_recovery_codes_are_recalled_on_every_page() -> None:
    facts = {"has_second_factor": True, "email_verified": True, "needs_recovery_codes": True}
    viewer = SimpleNamespace(username="ana", is_admin=False, **facts)

    assert "recovery codes are not saved" in words(find(page("", viewer=viewer), ".//*[@role='status']"))


def test_few_recovery_codes_are_told_on_every_page() -> None:
    facts = {"email_verified": True, "has_second_factor": True, "needs_recovery_codes": False, "has_few_codes": True}

    def notice(codes_left: int) -> str:
        viewer = SimpleNamespace(username="ana", is_admin=False, codes_left=codes_left, **facts)
        return words(find(page("", viewer=viewer), ".//*[@role='status']"))

    assert "Only 3 recovery codes are left." in notice(3)
    assert "Only one recovery code is left." in notice(1)
    assert "No recovery code is left." in notice(0)


def test_the_page_for_a_broken_server_needs_nothing_from_it() -> None:
    environment = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined)
    environment.globals["url_for"] = lambda endpoint, **parts: f"/{endpoint}"
    values = {"code": 500, "title": "Our mistake", "message": "It is logged.", "advice": [], "links": []}

    html = environment.get_template("errors/error.html").render(values)

    assert "<h1>Our mistake</h1>" in html
    assert "<title>Our mistake – Countersign</title>" in html
