"""The page at `/`: how it shows an answer, keeps the key, and says why there is no answer."""

import contextlib
import json
import re

import pytest
from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import expect

from course_utils.service.app import PAGE
from tests.service.page import PREDICT, VERSION, answered, draw_digit, predictions, reply, text

# The answer.


@pytest.mark.parametrize(
    ("probabilities", "summary"),
    [
        ({"d7": 0.984, "d1": 0.012, "d2": 0.004}, "7, 98 percent; next 1, 1 percent"),
        ({"d0": 0.997, "d9": 0.003}, "0, more than 99 percent; next 9, less than 1 percent"),
        ({"d4": 0.5, "d9": 0.5}, "4, 50 percent; next 9, 50 percent"),
    ],
)
def test_probabilities_are_shown_as_bars_numbers_and_words(visit, probabilities, summary):
    page = visit()
    reply(page, body=predictions(**probabilities))
    draw_digit(page, 7)
    answered(page)
    assert text(page, "[role=status]") == summary
    rows = page.locator("#probabilities tbody tr")
    for digit in range(10):
        probability = probabilities.get(f"d{digit}", 0.0)
        assert text(rows.nth(digit), "td:last-child") == f"{100 * probability:.1f} %"
        bar = rows.nth(digit).locator(".bar")
        assert float(bar.evaluate("bar => parseFloat(bar.style.width)")) == 100 * probability
    assert text(page, "#probabilities .best th") == summary[0]
    assert re.fullmatch(
        r"Version 12 of the model answered in \d+ ms, as measured by this page\.",
        text(page, "#detail"),
    )


def test_the_service_s_version_is_shown(visit):
    page = visit()
    draw_digit(page, 7)
    answered(page)
    assert text(page, "#detail").startswith(f"Version {VERSION} of the model answered in ")


def test_a_late_answer_to_an_older_drawing_is_not_shown(visit):
    page = visit()
    held = []

    def hold_the_first(route):
        if held:
            route.fulfill(body=json.dumps(predictions(d1=1.0)))
        held.append(route)

    page.route(PREDICT, hold_the_first)
    page.locator("#sample-list input").first.check()
    while not held:
        page.wait_for_timeout(10)
    page.locator("#sample-list input").nth(2).check()
    answered(page)
    assert text(page, "#summary").startswith("1, ")
    with contextlib.suppress(PlaywrightError):  # the page has given this request up
        held[0].fulfill(body=json.dumps(predictions(d0=1.0)))
    page.wait_for_timeout(300)  # time to show it wrongly
    assert text(page, "#summary").startswith("1, ")


# The key.


def test_the_key_leaves_the_address_and_stays_in_the_tab(visit, service, key):
    page = visit()
    assert page.url == service.address
    assert page.evaluate("history.length") <= 2
    page.reload()
    draw_digit(page, 7)
    answered(page)
    assert text(page, "#summary").startswith("7, ")
    assert page.evaluate("localStorage.length") == 0 == len(page.context.cookies())
    other = service.new_key()
    page.evaluate("key => { location.hash = `key=${key}`; }", other)
    expect(page.locator("#key")).to_have_value(other)
    assert page.url == service.address


def test_a_key_can_be_entered(visit, key):
    page = visit(fragment="")
    draw_digit(page, 7)
    expect(page.get_by_role("alert")).to_have_text(
        "The service needs an API key. Enter it under “API key”."
    )
    assert page.sent == []
    page.get_by_label("The key that the service printed").fill(f" {key} ")
    page.keyboard.press("Enter")
    answered(page)
    expect(page.get_by_role("alert")).to_be_hidden()
    assert text(page, "#summary").startswith("7, ")
    assert page.evaluate("document.activeElement.tagName") == "SUMMARY"


# Refusals.


OTHER = "Enter another one under “API key”."


def refusal(page):
    """Draw, and return the sentence that says why there is no answer."""
    draw_digit(page, 7)
    expect(page.locator("#answer")).to_have_attribute("aria-busy", "false")
    assert text(page, "#summary") == "No answer: the reason is below."
    assert set(page.locator("#probabilities td:last-child").all_inner_texts()[1:]) == {"–"}
    return page.get_by_role("alert").inner_text()


def test_refusals_by_the_real_service(visit, service):
    wrong = refusal(visit("#key=lms_00000000_wrong"))
    assert wrong.startswith(f"The service does not accept this API key (401). {OTHER} It says: ")
    narrow = refusal(visit(f"#key={service.new_key(scopes=('read:*',))}"))
    assert narrow.startswith(f"This API key may not ask this model (403). {OTHER} It says: ")
    page = visit(f"#key={service.new_key(per_minute=1)}")
    draw_digit(page, 7)
    answered(page)
    fast = refusal(page)
    assert re.match(
        r"The service has too many requests \(429\)\. Wait \d+ s, then ask again\. It says: ", fast
    )


@pytest.mark.parametrize(
    ("status", "body", "sentence"),
    [
        (500, {"error": "Broken."}, "The service failed (500). Your drawing is kept: ask again in "
         "a while. It says: Broken."),
        (502, "<h1>Bad gateway</h1>", "The service failed (502). Your drawing is kept: ask again "
         "in a while."),
        (413, {"error": "Too long."}, "The service refused the request (413). It says: Too long."),
        (429, {"error": "Full."}, "The service has too many requests (429). Wait, then ask again. "
         "It says: Full."),
        (503, {"error": "Full."}, "The service cannot answer now (503). Wait, then ask again. It "
         "says: Full."),
        (200, {"predictions": [[1, 0]]}, "The answer does not have the expected form, ten "
         "probabilities."),
        (200, "nonsense", "The answer does not have the expected form, ten probabilities."),
    ],
)  # fmt: skip
def test_other_refusals(visit, status, body, sentence):
    page = visit()
    reply(page, status, body)
    assert refusal(page) == sentence
    page.unroute(PREDICT)
    page.get_by_role("button", name="Ask again").click()
    answered(page)
    assert text(page, "#summary").startswith("7, ")
    expect(page.get_by_role("alert")).to_be_hidden()


def test_a_service_that_cannot_be_reached(visit, service):
    page = visit()
    page.route(PREDICT, lambda route: route.abort("connectionrefused"))
    host = service.address.removeprefix("http://").rstrip("/")
    assert refusal(page) == (
        f"The service at {host} cannot be reached. Is it still running? "
        "Start it with “python3 -m course_utils serve”."
    )


def test_a_service_that_does_not_answer_in_time(visit):
    def impatient(page):
        script = (PAGE / "client.js").read_text().replace("PATIENCE = 10_000", "PATIENCE = 100")
        kind = "text/javascript"
        page.route("**/client.js", lambda route: route.fulfill(body=script, content_type=kind))
        page.route(PREDICT, lambda route: None)

    assert refusal(visit(before=impatient)) == "The service gave no answer in 0.1 seconds."


def test_a_key_that_no_header_can_carry(visit):
    sentence = "The API key has a character that no key has. Copy it once more."
    assert refusal(visit("#key=lms_“quoted”")) == sentence


def test_the_page_works_without_the_test_images(browser, service, key):
    page = browser.new_page()
    page.route("**/samples.json", lambda route: route.fulfill(status=500))
    page.goto(f"{service.address}#key={key}")
    expect(page.locator("#sample-list")).to_have_text("They could not be loaded.")
    draw_digit(page, 7)
    expect(page.locator("#summary")).to_contain_text("7, ")
    page.close()
