"""The page at `/` for everyone: screen reader, keyboard, contrast, dark scheme, small screens."""

import urllib.request

import numpy as np
import pytest
from playwright.sync_api import expect

from tests.service.page import answered, draw_digit

TREE = """
- heading "Draw a digit" [level=1]
- heading "Your drawing" [level=2]
- application "Drawing area"
- button "Undo"
- button "Clear"
- heading "What the model sees" [level=2]
- img "The image of 28 by 28 pixels that the model gets"
- switch "Centre as MNIST did" [checked]
- heading "What it answers" [level=2]
- status
- table "What it answers"
- heading "Test images" [level=2]
- radio "0, test image 3"
- radio "9, test image 9"
"""

CONTRASTS = """() => {
  const numbers = (color) => color.match(/[\\d.]+/g).map(Number);
  const light = (color) => {
    const [r, g, b] = numbers(color).map((c) => c / 255)
      .map((c) => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const paper = (element) => {
    const color = getComputedStyle(element).backgroundColor;
    return numbers(color)[3] === 0 ? paper(element.parentElement) : color;
  };
  const found = [];
  for (const element of document.querySelectorAll("body *")) {
    const own = [...element.childNodes].some((n) => n.nodeType === 3 && n.data.trim());
    if (!own || !element.checkVisibility() || element.matches("noscript *")) continue;
    const pair = [getComputedStyle(element).color, paper(element)].map(light).sort((a, b) => b - a);
    found.push([(pair[0] + 0.05) / (pair[1] + 0.05), element.tagName + " " + element.textContent]);
  }
  return found;
}"""


def test_a_screen_reader_finds_names_and_roles(visit):
    page = visit()
    tree = [line.strip() for line in page.locator("main").aria_snapshot().splitlines()]
    for line in TREE.strip().splitlines():
        assert any(found.startswith(line) for found in tree), (line, tree)
    assert page.locator("html").get_attribute("lang") == "en"
    for element in page.locator("[aria-describedby]").all():
        assert page.locator(f"#{element.get_attribute('aria-describedby')}").count() == 1


def test_every_control_is_reached_by_tab_and_shows_the_focus(visit):
    page = visit()
    reached = []
    for _ in range(6):
        page.keyboard.press("Tab")
        reached.append(
            page.evaluate(
                "document.activeElement.id || document.activeElement.name ||"
                "document.activeElement.tagName"
            )
        )
        outline = page.evaluate(
            """() => {
              const element = document.activeElement;
              const shown = element.type === "radio" ? element.nextSibling : element;
              const {outlineStyle, outlineWidth} = getComputedStyle(shown);
              return [outlineStyle, outlineWidth];
            }"""
        )
        assert outline == ["solid", "3px"], reached
    assert reached == ["SUMMARY", "pad", "undo", "clear", "centred", "sample"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_all_text_has_contrast(visit, scheme):
    page = visit(fragment="", color_scheme=scheme)
    draw_digit(page, 7)
    expect(page.get_by_role("alert")).to_be_visible()
    found = page.evaluate(CONTRASTS)
    assert len(found) > 40
    assert [pair for pair in found if pair[0] < 4.5] == []


def test_dark_scheme_turns_paper_and_ink_round(visit):
    page = visit()
    page.locator("#sample-list input").first.check()
    ink = """id => {
      const canvas = document.getElementById(id);
      const {data} = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
      return Math.max(...data.filter((_, index) => index % 4 === 0));
    }"""
    assert page.evaluate(ink, "pad") < 64 and page.evaluate(ink, "image") < 64
    light = answered(page)
    page.emulate_media(color_scheme="dark")
    page.evaluate("() => new Promise(requestAnimationFrame)")
    assert page.evaluate(ink, "pad") > 192 and page.evaluate(ink, "image") > 192
    page.locator("#centred").click()
    assert np.array_equal(answered(page), light)  # the model sees no theme


def test_nothing_moves_for_those_who_ask_for_that(visit):
    duration = "getComputedStyle(document.querySelector('.bar')).transitionDuration"
    assert visit().evaluate(duration) == "0.15s"
    assert visit(reduced_motion="reduce").evaluate(duration) == "0s"


@pytest.mark.parametrize("width", [320, 360, 800])
def test_no_width_makes_the_page_scroll_sideways(visit, width):
    page = visit(fragment="", viewport={"width": width, "height": 256})
    pad = page.locator("#pad").bounding_box()
    assert page.evaluate("document.documentElement.scrollWidth") == width
    assert pad["width"] == pytest.approx(pad["height"])
    for control in page.locator("button:visible, summary, #sample-list input").all():
        box = control.bounding_box()
        assert box["height"] >= 24 and box["width"] >= 24


def test_the_page_s_policy_allows_this_origin_only(service):
    with urllib.request.urlopen(service.address) as answer:
        policy = answer.headers["Content-Security-Policy"]
    assert policy.split(";")[0] == "default-src 'self'"
