"""Windows of Chromium, each with cookies of its own, and what Chromium complains about in them."""

from playwright.sync_api import Browser, ConsoleMessage, Page, Response

PATIENCE_MS = 15_000  # every page is there within a second, on a machine that does nothing else


def open_window(chromium: Browser, url: str, complaints: list[str], **options: object) -> Page:
    """A new window with one empty page. `page.context.close()` closes it.

    complaints: gets every error of a script, of the Content-Security-Policy and of whatever a page loads.
    options: those of Playwright's `new_context`.
    """
    context = chromium.new_context(base_url=url, **options)  # type: ignore[arg-type]
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    _listen(page, complaints)
    return page


def _listen(page: Page, complaints: list[str]) -> None:
    opened: set[str] = set()

    def note_opened(response: Response) -> None:
        is_told = response.request.resource_type == "fetch" and response.status < 500  # a script says it on the page
        if response.request.is_navigation_request() or is_told:
            opened.add(response.url)

    def note_message(message: ConsoleMessage) -> None:
        is_own_status = message.text.startswith("Failed to load resource") and message.location["url"] in opened
        if message.type in ("error", "warning") and not is_own_status:  # a page that answers 422 is no fault
            complaints.append(f"{page.url}: {message.text}")

    page.on("response", note_opened)
    page.on("console", note_message)
    page.on("pageerror", lambda error: complaints.append(f"{page.url}: {error}"))
