"""The page in a browser that draws it: headless Chromium, from a file, with no network."""

from __future__ import annotations

import base64
import shutil
import time

import pytest
import threaded
from odd_names import nasty

from simcore import Model, control, explore, simulate
from simcore.models import callback_starvation
from simcore.models.pool_starvation import buggy, fixed
from simcore.properties import completes
from simcore.report.page import film_of, framed, page_of

pytestmark = pytest.mark.slow

WIDTHS = (360, 800, 1600)


def long_run(n=1_000):
    """A run of 2,001 steps that hangs at its end."""
    model = Model("a long run")
    queue, lock = model.queue("queue", 3), model.lock("lock")

    def put():
        for item in range(n):
            yield queue.put(item)
        yield lock.acquire()
        yield lock.acquire()

    def get():
        for _ in range(n):
            yield queue.get()
        yield queue.get()

    model.process("put", put)
    model.process("get", get)
    return simulate(model)


ANSWERS = {
    "starvation": lambda: explore(buggy()),
    "lasso": lambda: explore(fixed(downloads=1, workers=1, callback_workers=1, chunks=None), completes("download")),
    "code": lambda: control(threaded.nested_submit),
    "callbacks": lambda: explore(callback_starvation.buggy()),
    "long": long_run,
    "proof": lambda: explore(fixed(downloads=1, workers=1)),
    "nasty": lambda: explore(nasty(), max_states=2_000),
}


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """Return the address of the page of each answer."""
    folder = tmp_path_factory.mktemp("pages")
    for name, answer in ANSWERS.items():
        (folder / f"{name}.html").write_text(page_of(film_of(answer())), encoding="utf-8")
    frame = framed("a frame", page_of(film_of(ANSWERS["starvation"]())))
    (folder / "frame.html").write_text(f"<!DOCTYPE html><title>notebook</title>{frame}", encoding="utf-8")
    return {path.stem: path.as_uri() for path in folder.iterdir()}


@pytest.fixture(scope="module")
def chromium():
    webdriver = pytest.importorskip("selenium.webdriver")
    browser, driver = shutil.which("chromium"), shutil.which("chromedriver")
    assert browser, "chromium is not installed: apt-get install chromium chromium-driver"
    assert driver, "chromedriver is not installed: apt-get install chromium chromium-driver"
    options = webdriver.ChromeOptions()
    options.binary_location = browser
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    started = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))
    yield started
    started.quit()


class Shown:
    """A page that is open."""

    def __init__(self, driver, address, width=1600, dark=False, height=900):
        self.driver = driver
        scheme = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "", "features": scheme})
        driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        driver.get("about:blank")
        driver.get_log("browser")
        driver.get(address)
        self.settle()

    def js(self, source, *arguments):
        return self.driver.execute_script(f"return {source}", *arguments)

    def settle(self):
        """Wait until what was asked for is drawn."""
        self.driver.execute_async_script(
            "const done = arguments[0]; requestAnimationFrame(() => requestAnimationFrame(() => done()))"
        )

    def press(self, key):
        self.js("document.dispatchEvent(new KeyboardEvent('keydown', {key: arguments[0], bubbles: true}))", key)
        self.settle()

    def text(self, selector):
        return self.js("document.querySelector(arguments[0]).textContent", selector)

    def count(self, selector):
        return self.js("document.querySelectorAll(arguments[0]).length", selector)

    @property
    def position(self):
        return int(self.js("document.querySelector('.controls input').value"))

    def click(self, label):
        self.js(
            "[...document.querySelectorAll('button')].find(b => b.textContent.includes(arguments[0])).click()", label
        )
        self.settle()

    def until(self, condition):
        """Wait for what happens by itself."""
        end = time.monotonic() + 30
        while not self.js(condition):
            assert time.monotonic() < end, condition
            time.sleep(0.02)


@pytest.fixture
def shown(chromium, pages):
    def show(name, at="", **how):
        return Shown(chromium, pages[name] + at, **how)

    return show


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", ANSWERS)
def test_it_opens_without_an_error_and_without_scrolling_sideways(shown, name, width):
    page = shown(name, width=width)
    assert page.driver.get_log("browser") == []
    assert page.js("document.documentElement.scrollWidth") <= width
    assert page.js("document.body.scrollWidth") <= width
    assert page.count("h1") == 1


@pytest.mark.parametrize("name", ["starvation", "long", "nasty"])
def test_no_two_texts_of_the_drawing_overlap(shown, name):
    for width in WIDTHS:
        page = shown(name, width=width)
        boxes, texts = (
            page.js(
                f"[...document.querySelectorAll('.drawing {kind}')].map(n => n.getBBox())"
                ".map(b => [b.x, b.y, b.x + b.width, b.y + b.height])"
            )
            for kind in ("rect.box", "text")
        )
        for number, (left, top, right, bottom) in enumerate(boxes):
            for left2, top2, right2, bottom2 in boxes[number + 1 :]:
                assert right <= left2 or right2 <= left or bottom <= top2 or bottom2 <= top
        for left, top, right, bottom in texts:
            assert any(x <= left and right <= x2 and y <= top and bottom <= y2 for x, y, x2, y2 in boxes)


CROSSED = """(() => {
  const boxes = [...document.querySelectorAll('.drawing rect.box')].map(n => n.getBBox());
  let crossed = 0;
  for (const path of document.querySelectorAll('.drawing path.wait:not(.tip)')) {
    for (let far = 0; far < path.getTotalLength(); far += 2) {
      const {x, y} = path.getPointAtLength(far);
      if (boxes.some(b => x > b.x + 2 && x < b.x + b.width - 2 && y > b.y + 2 && y < b.y + b.height - 2)) crossed += 1;
    }
  }
  return crossed;
})()"""


@pytest.mark.parametrize("name", ["starvation", "code", "callbacks"])
def test_no_arrow_of_the_drawing_runs_behind_a_box(shown, name):
    for width in WIDTHS:
        page = shown(name, width=width)
        assert page.count(".drawing path.wait") > 4
        assert page.js(CROSSED) == 0
        inside = page.js("(d => d.scrollWidth <= d.clientWidth)(document.querySelector('.drawing'))")
        assert page.js("document.querySelector('.wider').hidden") == inside


def test_it_opens_at_the_end_or_where_the_address_says(shown):
    assert shown("starvation").position == 20
    page = shown("starvation", "#step=7")
    assert page.position == 7
    assert page.text(".step .which") == "Step 7 of 20"
    page.js("location.hash = '#step=9'")
    page.until("document.querySelector('.step .which').textContent === 'Step 9 of 20'")
    assert shown("starvation", "#step=999").position == 20
    assert shown("starvation", "#step=x").position == 20


def test_keys_buttons_and_the_slider_go_through_it(shown):
    page = shown("starvation")
    for key, position in (
        ("Home", 0), ("ArrowRight", 1), ("ArrowRight", 2), ("ArrowLeft", 1), ("PageDown", 11), ("End", 20),
        ("ArrowRight", 20), ("PageUp", 10), ("Home", 0), ("ArrowLeft", 0),
    ):  # fmt: skip
        page.press(key)
        assert page.position == position
    assert page.text(".step .which") == "Before the first step"
    page.click("Point of no return")
    assert page.position == 12
    assert "owner reader submits blob_callback(download[3] chunk 0) to stream" in page.text(".step .words")
    assert "no good end can be reached after it" in page.text(".step .turn")
    page.js("(s => { s.value = 5; s.dispatchEvent(new Event('input')); })(document.querySelector('.controls input'))")
    assert page.text(".step .which") == "Step 5 of 20"
    page.until("location.hash === '#step=5'")


def test_it_plays_to_the_end(shown):
    page = shown("starvation", "#step=18")
    page.click("Play")
    page.until("document.querySelector('.controls input').value === '20'")
    page.until("[...document.querySelectorAll('button')].some(b => b.textContent.includes('Play'))")


def test_a_lasso_is_played_round(shown):
    page = shown("lasso")
    last = page.position
    page.click("Play")
    page.until(f"document.querySelector('.controls input').value < {last}")
    page.click("Pause")
    assert page.count(".lanes rect.lasso") == 1
    assert "repeated for ever" in page.text(".step .turn") or page.position < last


def test_what_has_changed_is_marked_and_slots_are_counted(shown):
    page = shown("starvation", "#step=13")
    assert page.js("[...document.querySelectorAll('.objects li.changed b')].map(b => b.textContent)") == ["stream"]
    assert "1 of 4 in use" in page.text(".objects li.changed")
    assert page.count(".objects li.changed .boxes i") == 4
    assert page.count(".objects li.changed .boxes i.used") == 1
    assert "Enabled before it: stream[0], stream[1]" in page.text(".step .could")
    assert "step 6, owner reader submits" in page.text(".step .from")
    page.press("End")
    row = "[...document.querySelectorAll('.processes tbody tr')].find(r => r.textContent.startsWith('stream[0]'))"
    assert "waits for ever" in page.js(f"{row}.textContent")
    assert page.count(".drawing rect.box.knotted") == 3


def test_two_thousand_steps_are_drawn_as_far_as_they_are_in_view(shown):
    page = shown("long", "#step=1000")
    nodes = page.js("document.querySelectorAll('*').length")
    assert page.count(".lanes .mark") < 60
    assert nodes < 1_500
    for position in range(0, 2_001, 97):
        page.js("(s => { s.value = arguments[0]; s.dispatchEvent(new Event('input')); })"
                "(document.querySelector('.controls input'))".replace("arguments[0]", str(position)))  # fmt: skip
        page.settle()
        assert page.count(".lanes .mark") < 60
    assert page.js("document.querySelectorAll('*').length") < nodes + 50
    page.js("document.querySelector('.lanes').scrollLeft = 30_000")
    page.settle()
    assert page.count(".lanes .mark") in range(20, 60)


def test_the_table_is_made_when_it_is_asked_for(shown):
    page = shown("long")
    assert page.count(".all tr") == 0
    page.js("document.querySelector('.all summary').click()")
    page.until("document.querySelectorAll('.all tbody tr').length === 2001")
    page.js("document.querySelectorAll('.all tbody a')[41].click()")
    page.settle()
    assert page.position == 42


def test_names_that_are_markup_are_shown_and_not_done(shown):
    page = shown("nasty")
    assert page.js("document.title").startswith("</script><script>alert(1)</script>")
    assert page.count("img, script:not([type])") == 0
    assert "<img src=x onerror=alert(1)>" in page.js("document.querySelector('#film').innerText")
    for _ in range(5):
        page.press("ArrowLeft")
    assert page.driver.get_log("browser") == []


def test_dark_is_dark_and_both_can_be_read(shown):
    def luminance(colour):
        parts = [int(part) / 255 for part in colour[colour.index("(") + 1 : -1].split(",")[:3]]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))

    for dark in (False, True):
        page = shown("starvation", "#step=12", dark=dark)
        paper = luminance(page.js("getComputedStyle(document.body).backgroundColor"))
        assert (paper < 0.1) == dark
        for selector in (
            "h1",
            ".asked",
            ".fact",
            ".turn",
            ".verdict",
            ".step .about",
            ".flag",
            ".processes td",
            ".legend",
        ):
            node = f"document.querySelector({selector!r})"
            ink = luminance(page.js(f"getComputedStyle({node}).color"))
            light, low = max(ink, paper), min(ink, paper)
            assert (light + 0.05) / (low + 0.05) >= 4.5, (selector, dark)  # WCAG 2, level AA


def test_it_can_be_heard_and_reached(shown):
    page = shown("starvation", "#step=12")
    assert page.js("document.documentElement.lang") == "en"
    unnamed = (
        "[...document.querySelectorAll('button, input')].filter(b => !(b.getAttribute('aria-label') || b.textContent))"
    )
    assert page.js(f"{unnamed}.length") == 0
    slider = page.js("document.querySelector('.controls input').getAttribute('aria-valuetext')")
    assert slider == "12: owner reader submits blob_callback(download[3] chunk 0) to stream"
    assert page.text("[aria-live=polite] .words").startswith("owner reader submits")
    tree = page.driver.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"]
    roles = [node["role"]["value"] for node in tree if not node.get("ignored")]
    assert {"slider", "table", "rowheader", "heading", "button"} <= set(roles)
    narrow = shown("starvation", width=360)
    tree = narrow.driver.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"]
    assert "rowheader" in [node["role"]["value"] for node in tree if not node.get("ignored")]


def test_all_steps_and_the_knot_are_printed(shown):
    page = shown("starvation")
    printed = base64.b64decode(page.driver.execute_cdp_cmd("Page.printToPDF", {"printBackground": True})["data"])
    assert printed.startswith(b"%PDF")
    assert page.count(".all tbody tr") == 20  # made for it
    assert not page.js("document.querySelector('.all').open")
    page.js("dispatchEvent(new Event('beforeprint'))")
    page.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    visible = "(s => document.querySelector(s).checkVisibility())"
    assert [page.js(f"{visible}('{s}')") for s in (".controls", ".lanes", ".panel")] == [False] * 3
    assert [page.js(f"{visible}('{s}')") for s in (".all tbody td", ".drawing svg", ".why", ".token code")] == [
        True
    ] * 4


def test_in_a_frame_of_a_notebook_it_is_the_same(shown):
    page = shown("frame")
    page.driver.switch_to.frame(0)
    page.until("document.querySelector('.step .which') !== null")
    page.press("Home")
    page.press("ArrowRight")
    assert page.text(".step .which") == "Step 1 of 20"
    page.until("true")
    page.driver.switch_to.default_content()
    assert [entry for entry in page.driver.get_log("browser") if entry["level"] == "SEVERE"] == []


def test_a_proof_says_that_there_is_no_schedule(shown):
    page = shown("proof")
    assert page.count(".controls, .lanes") == 0
    assert "There is no schedule to show" in page.text("header")
    assert "states" in page.text(".fact")
