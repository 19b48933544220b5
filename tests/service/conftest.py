"""Fixtures for tests of the page: `service`, `key`, `browser` and `visit`.

They live as long as a module runs, not longer: playwright keeps an event loop, which other tests
must not find.
"""

from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import expect, sync_playwright

from tests.service.page import serving

CHROMIUM = Path("/usr/bin/chromium")
PATIENCE = 60_000  # milliseconds until a page that never shows what is expected fails


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    with serving(tmp_path_factory.mktemp("service")) as service:
        yield service


@pytest.fixture(scope="module")
def key(service):
    return service.new_key()


@pytest.fixture(scope="module")
def browser():
    if not CHROMIUM.exists():
        pytest.skip(f"no browser: {CHROMIUM} is missing (Debian's package chromium)")
    with sync_playwright() as playwright:
        expect.set_options(timeout=PATIENCE)
        arguments = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"]
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=arguments)
        yield browser
        browser.close()


@pytest.fixture
def visit(browser, service, key):
    """Open the page; afterwards the browser must have complained of nothing unexpected."""
    contexts, complaints = [], []

    def note(request):
        if not request.url.startswith(service.address) or key in request.url.split("#")[0]:
            complaints.append(f"asked for {request.url}")
        if request.url.endswith(":predict"):
            request.frame.page.sent.append(np.array(request.post_data_json["instances"][0]))

    def visit(fragment=f"#key={key}", before=lambda page: None, **options):
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **options})
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda line: complaints.append(line.text) if line.type == "error" else 0)
        page.sent = []
        page.on("request", note)
        before(page)
        page.goto(service.address + fragment)
        page.wait_for_selector("#sample-list input")
        return page

    yield visit
    for context in contexts:
        context.close()
    # The browser itself reports every answer that is an error.
    assert [line for line in complaints if "Failed to load resource" not in line] == []
