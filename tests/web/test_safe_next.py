"""Where one is sent next is always a page of this site."""

import pytest
from flask import Flask

from blueprints.redirects import safe_next
from tests.requirements import requirement

EVIL = [
    "//evil.example",
    "///evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "https://evil.example",
    "https:evil.example",
    "http:///",
    "//",
    "//[",
    "http://[x",
    "javascript:alert(1)",
    "data:text/html,x",
    "/%0d%0aLocation:%20x",
    "/\r\nLocation: x",
    "/\tx",
    "\x00",
    "/\u202e/",
    "evil.example",
    "/;@evil.example",
    "/.//evil.example",
    "/help/..//evil.example",
    "/no/such/page",
    "/account/theme/",
    "/" + "a" * 5_000,
    "",
    None,
]


@requirement("R95")
@pytest.mark.parametrize("address", EVIL)
def test_an_address_that_is_no_page_of_ours_leads_home(app: Flask, address: str | None) -> None:
    with app.test_request_context("/"):
        assert safe_next(address, otherwise="/home/") == "/home/"


@pytest.mark.parametrize(
    "address", ["/help/", "/help/policy/?a=b", "/manage/account/token/?description=ci&scope=user", "/search/?q=a%20b"]
)
def test_a_page_of_ours_is_kept_with_its_query(app: Flask, address: str) -> None:
    with app.test_request_context("/"):
        assert safe_next(address, otherwise="/home/") == address
