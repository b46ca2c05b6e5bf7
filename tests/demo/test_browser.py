"""The page in a real browser: what hands do, and what is then shown."""

import os
import re
import shutil
import threading

import numpy as np
import pytest

from sklin.demo import _model
from sklin.demo._server import Server

DEMANDED = os.environ.get("SKLIN_BROWSER") == "1"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

try:
    from playwright.sync_api import expect, sync_playwright
except ImportError:
    sync_playwright = None

if not DEMANDED:
    if sync_playwright is None:
        pytest.skip("playwright is missing: pip install 'sklin[browser]'", allow_module_level=True)
    if CHROMIUM is None:
        pytest.skip("chromium is missing", allow_module_level=True)


@pytest.fixture(scope="module")
def browser():
    assert sync_playwright is not None, "SKLIN_BROWSER=1, and playwright is missing"
    assert CHROMIUM is not None, "SKLIN_BROWSER=1, and chromium is missing"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def view(browser, server, request):
    """The page, ready; at the end nothing was complained of, nor asked of another host."""
    context = browser.new_context(**getattr(request, "param", {}))
    page, complaints, asked = context.new_page(), [], []
    page.set_default_timeout(15000)
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(server.address)
    page.wait_for_selector("body[data-ready]")
    yield page
    context.close()
    # A sentence of the server comes with status 400, which the console notes.
    assert [text for text in complaints if "400 (Bad Request)" not in text] == []
    assert asked and all(url.startswith(server.address) for url in asked)


def question(page, **more):
    """The state of the page, read from what it shows."""
    weights = [
        [float(page.get_attribute(f"#weight-{k}-{d}", "data-value")) for d in range(3)]
        for k in range(3)
    ]
    points = []
    for node in page.locator(".point").all():
        x, y = map(float, re.findall(r"-?[\d.]+(?:e-?\d+)?", node.get_attribute("transform")))
        label = int(node.get_attribute("class").rpartition("-")[2])
        points.append([(x / 280 - 1) * 1.2, (1 - y / 280) * 1.2, label])
    return {
        "points": points,
        "W": [row[:2] for row in weights],
        "b": [row[2] for row in weights],
        **{field: page.input_value(f"#{field}") for field in ("loss", "regularizer", "optimizer")},
        "alpha": 10 ** float(page.input_value("#alpha")),
        "step_size": 10 ** float(page.input_value("#step-size")),
        "seed": 0,
        "n_steps": 1,
        **more,
    }


def total(page):
    return float(page.get_attribute("#total", "data-value"))


def plain(text):
    return float(text.replace("−", "-").replace("∂", ""))


def settle(page):
    """Wait until what is shown is the library's answer to the state that is shown."""
    for _ in range(100):
        state = question(page)
        shown = page.get_attribute("#total", "data-value")
        answer = _model.evaluate(state)
        if shown and float(shown) == pytest.approx(answer["total"], rel=1e-9):
            return state, answer
        page.wait_for_timeout(50)
    raise AssertionError(f"shown is {shown}, the library says {answer['total']}")


def check_numbers(page):
    """Every number on the page is the library's."""
    state, answer = settle(page)
    for key, where in [("data", "data-loss"), ("penalty", "penalty"), ("total", "total")]:
        assert plain(page.inner_text(f"#{where}")) == pytest.approx(answer[key], abs=6e-5)
    gradient = np.column_stack([answer["gradient"]["W"], answer["gradient"]["b"]])
    shown = [plain(text) for text in page.locator("#weights .slope").all_inner_texts()]
    assert shown == pytest.approx(gradient.ravel(), abs=6e-4)
    rows = page.locator("#points tr").all()
    assert len(rows) == len(state["points"])
    for row, scores, loss in zip(rows, answer["scores"], answer["losses"], strict=True):
        *shown, cost = map(plain, row.locator("td").all_inner_texts()[2:])
        assert shown == pytest.approx(scores, abs=6e-3)
        assert cost == pytest.approx(loss, abs=6e-4)
    labels = [point[2] for point in state["points"]]
    right = np.sum(np.argmax(answer["scores"], axis=1) == labels)
    assert page.inner_text("#accuracy") == f"{right} of {len(rows)}"
    return state, answer


def test_the_loss_falls_when_it_runs(view):
    view.click("#zero")
    before = check_numbers(view)[1]["total"]
    view.click("#run")
    expect(view.locator("#run")).to_have_text("Pause")
    expect(view.locator("#run")).to_have_attribute("aria-pressed", "true")
    expect(view.locator("#status")).to_contain_text(re.compile(r"Step \d\d"))
    view.click("#run")
    expect(view.locator("#run")).to_have_text("Run")
    assert check_numbers(view)[1]["total"] < before
    assert view.locator("#curve .line").get_attribute("d").count("L") >= 10
    expect(view.locator("#live")).to_contain_text("Total loss")


def test_a_step_is_the_optimizer_s(view):
    for optimizer in ("gradient_descent", "newton", "lbfgs"):
        view.select_option("#optimizer", optimizer)
        state, _ = settle(view)
        wanted = _model.run(state | {"n_steps": 3})["steps"]
        for number in (1, 2, 3):
            view.click("#step")
            expect(view.locator("#status")).to_contain_text(f"Step {number}")
            settle(view)
            now = question(view)
            # Places are read to a hundredth of a pixel or better, not to the last digit.
            assert np.allclose(now["W"], wanted[number]["W"], atol=1e-6)
            assert np.allclose(now["b"], wanted[number]["b"], atol=1e-6)


def test_a_run_goes_on_beyond_the_first_iterates(view):
    view.select_option("#optimizer", "adam")
    view.select_option("#loss", "cross_entropy")
    state, _ = settle(view)
    view.click("#run")
    expect(view.locator("#status")).to_contain_text(re.compile(r"Step (7|8|9)\d"), timeout=30000)
    view.click("#run")
    settle(view)
    assert question(view)["W"] != state["W"]


def test_the_end_of_a_run_is_said(view):
    view.select_option("#optimizer", "newton")
    view.select_option("#loss", "cross_entropy")
    view.click("#run")
    expect(view.locator("#status")).to_contain_text("Converged")
    expect(view.locator("#run")).to_have_text("Run")
    expect(view.locator("#live")).to_contain_text("Converged")


def test_every_loss_and_regularizer_shows_the_library_s_numbers(view):
    for loss in _model.CHOICES["loss"]:
        view.select_option("#loss", loss)
        check_numbers(view)
    for regularizer in ("l1", "elasticnet", "group_l2", "dropout"):
        view.select_option("#regularizer", regularizer)
        check_numbers(view)
    view.select_option("#regularizer", "max_norm")
    view.click("#zero")
    check_numbers(view)


def test_sliders_change_the_numbers(view):
    view.locator("#alpha").focus()
    for _ in range(5):
        view.keyboard.press("ArrowRight")
    state, _ = check_numbers(view)
    assert state["alpha"] == pytest.approx(10**-1.5)
    view.locator("#alpha").fill(view.get_attribute("#alpha", "min"))
    expect(view.locator("#alpha-shown")).to_have_text("0")
    expect(view.locator("#penalty")).to_have_text("0.0000")


def test_a_point_is_dragged_added_and_removed_by_the_mouse(view):
    before, _ = settle(view)
    box = view.locator(".point").first.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    plot = view.locator("#plot").bounding_box()
    goal = plot["x"] + 0.1 * plot["width"], plot["y"] + 0.9 * plot["height"]
    view.mouse.move(x, y)
    view.mouse.down()
    view.mouse.move(*goal, steps=5)
    view.mouse.up()
    after, _ = check_numbers(view)
    assert after["points"][0][:2] == pytest.approx([-0.96, -0.96], abs=0.02)
    assert after["points"][1:] == before["points"][1:]
    view.mouse.move(plot["x"] + 9, plot["y"] + 9)  # it was let go of
    assert question(view)["points"] == after["points"]
    view.check("input[name=class] >> nth=2")
    view.mouse.click(plot["x"] + 0.95 * plot["width"], plot["y"] + 0.05 * plot["height"])
    added, _ = check_numbers(view)
    assert len(added["points"]) == 13
    assert added["points"][-1] == pytest.approx([1.08, 1.08, 2], abs=0.02)
    view.click("#remove")  # the one that was added has the focus
    assert check_numbers(view)[0]["points"] == after["points"]


def test_a_point_is_moved_relabelled_and_removed_by_the_keyboard(view):
    before, _ = settle(view)
    point = view.locator(".point").nth(1)
    point.focus()
    view.keyboard.press("ArrowUp")
    view.keyboard.press("Shift+ArrowLeft")
    view.keyboard.press("3")
    after, _ = check_numbers(view)
    x, y, _ = before["points"][1]
    assert after["points"][1] == pytest.approx(
        [max(x - 0.2, -1.2), min(y + 0.02, 1.2), 2], abs=1e-6
    )
    assert "Point 2, class C" in point.get_attribute("aria-label")
    expect(point).to_be_focused()
    view.keyboard.press("Delete")
    removed, _ = check_numbers(view)
    assert removed["points"] == [p for i, p in enumerate(after["points"]) if i != 1]
    expect(view.locator(".point").nth(1)).to_be_focused()
    for _ in range(20):
        view.keyboard.press("Backspace")
    expect(view.locator("#error")).to_have_text("One point must stay.")
    assert view.locator(".point").count() == 1


def test_the_points_are_one_stop_of_the_tab_key(view):
    points = view.locator(".point")
    settle(view)
    points.nth(0).focus()
    for key, i in [("PageDown", 1), ("PageDown", 2), ("PageUp", 1), ("End", 11), ("PageDown", 11)]:
        view.keyboard.press(key)
        expect(points.nth(i)).to_be_focused()
    assert view.locator(".point[tabindex='0']").count() == 1
    view.keyboard.press("Tab")
    assert view.locator(".point:focus").count() == 0
    view.keyboard.press("Shift+Tab")
    expect(points.nth(11)).to_be_focused()
    view.keyboard.press("Delete")
    expect(points.nth(10)).to_be_focused()
    view.keyboard.press("Home")
    expect(points.nth(0)).to_be_focused()
    view.click("#new-points")
    assert view.locator(".point[tabindex='0']").count() == 1


def test_weights_are_edited(view):
    view.fill("#weight-0-0", "1.25")
    view.fill("#weight-2-2", "-0.5")
    view.fill("#weight-1-1", "")  # on the way to another number
    state, _ = check_numbers(view)
    assert state["W"][0][0] == 1.25 and state["b"][2] == -0.5
    view.fill("#weight-0-0", "1e9")
    expect(view.locator("#error")).to_contain_text("W[0][0] must be a number in [-1000000.0")
    view.fill("#weight-0-0", "1")
    expect(view.locator("#error")).to_be_hidden()
    check_numbers(view)


def test_zero_and_random_weights_and_new_points(view):
    before, _ = settle(view)
    view.click("#zero")
    state, answer = check_numbers(view)
    assert not np.any(state["W"]) and not np.any(state["b"])
    assert answer["total"] == 2  # the lecture's check: the number of classes less one
    assert state["points"] == before["points"]
    view.click("#randomise")
    assert np.all(check_numbers(view)[0]["W"])
    view.click("#new-points")
    assert check_numbers(view)[0]["points"] != before["points"]


def test_a_refusal_is_shown_in_the_library_s_sentence(view):
    view.select_option("#optimizer", "proximal_newton")
    sentence = settle(view)[1]["refusal"]
    assert sentence
    expect(view.locator("#error")).to_have_text(sentence)
    expect(view.locator("#error")).to_have_attribute("role", "alert")
    view.click("#run")
    expect(view.locator("#run")).to_have_text("Run")
    expect(view.locator("#error")).to_have_text(sentence)
    view.select_option("#optimizer", "auto")
    expect(view.locator("#error")).to_be_hidden()


def test_regions_are_where_the_class_has_the_highest_score(view):
    state, _ = settle(view)
    rng = np.random.default_rng(0)
    for place in rng.uniform(-1.15, 1.15, size=(30, 2)):
        scores = np.array(state["W"]) @ place + state["b"]
        if np.diff(np.sort(scores))[-1] < 0.01:  # on the edge, which is drawn to a part of a pixel
            continue
        best = np.argmax(scores)
        inside = view.evaluate(
            """([x, y]) => [...document.querySelectorAll(".region")].filter((region) =>
                region.isPointInFill(new DOMPoint((x / 1.2 + 1) * 280, (1 - y / 1.2) * 280)))
                .map((region) => region.getAttribute("class"))""",
            place.tolist(),
        )
        assert inside == [f"region class-{best}"]


def test_the_zero_lines_are_where_scores_are_zero(view):
    state, _ = settle(view)
    for line in view.locator(".zero").all():
        k = int(line.get_attribute("class").rpartition("-")[2])
        ends = np.array(re.findall(r"[\d.]+", line.get_attribute("d")), float).reshape(2, 2)
        for x, y in ends:
            place = [(x / 280 - 1) * 1.2, (1 - y / 280) * 1.2]
            assert abs(np.dot(state["W"][k], place) + state["b"][k]) < 1e-3


def test_everything_that_takes_input_has_a_name_and_is_reached(view):
    nameless = view.evaluate(
        """() => [...document.querySelectorAll("button, input, select, [tabindex]")]
            .filter((node) => !(node.labels?.length || node.getAttribute("aria-label")
              || node.getAttribute("aria-labelledby") || node.textContent.trim())).length"""
    )
    assert nameless == 0
    reached = set()
    view.keyboard.press("Tab")
    for _ in range(60):
        reached.add(view.evaluate("document.activeElement.id || document.activeElement.localName"))
        view.keyboard.press("Tab")
    assert {
        "step",
        "run",
        "loss",
        "optimizer",
        "alpha",
        "weight-2-2",
        "add",
        "g",
    } <= reached
    assert "plot" not in reached  # its points are, not the drawing
    view.locator("#run").focus()
    assert view.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"


@pytest.mark.parametrize(
    "view", [{"color_scheme": "dark"}, {"color_scheme": "light"}], indirect=True
)
def test_the_colours_follow_the_scheme(view):
    def brightness(rule):
        colour = view.evaluate(f"getComputedStyle(document.body).{rule}")
        return sum(map(int, re.findall(r"\d+", colour)[:3]))

    dark = view.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")
    assert (brightness("backgroundColor") < 128) == dark
    assert (brightness("color") > 600) == dark


@pytest.mark.parametrize("view", [{"viewport": {"width": 360, "height": 700}}], indirect=True)
def test_a_narrow_window_needs_no_sideways_scrolling(view):
    assert view.evaluate("document.documentElement.scrollWidth") <= 360
    view.click("#step")
    check_numbers(view)


def swipe(page, start, way):
    """A finger put down, moved and lifted."""
    finger = page.context.new_cdp_session(page)
    touch = {"x": start[0], "y": start[1]}
    finger.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [touch]})
    for share in np.linspace(0, 1, 8):
        touch = {"x": start[0] + share * way[0], "y": start[1] + share * way[1]}
        finger.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": [touch]})
    finger.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


@pytest.mark.parametrize(
    "view", [{"has_touch": True, "viewport": {"width": 390, "height": 600}}], indirect=True
)
def test_a_finger_drags_points_and_scrolls_elsewhere(view):
    before, _ = settle(view)
    plot = view.locator("#plot").bounding_box()
    corner = plot["x"] + 0.03 * plot["width"], plot["y"] + 0.97 * plot["height"]
    swipe(view, corner, (0, -200))
    view.wait_for_function("window.scrollY > 50")
    assert question(view)["points"] == before["points"]  # none moved, none added
    view.wait_for_timeout(1000)  # the page glides on for a while
    view.evaluate("window.scrollTo(0, 0)")
    box = view.locator(".point").last.bounding_box()
    middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    swipe(view, middle, (-40, -60))
    after, _ = check_numbers(view)
    moved = np.subtract(after["points"][-1], before["points"][-1])
    scale = 2.4 / plot["width"]
    assert moved == pytest.approx([-40 * scale, 60 * scale, 0], abs=6 * scale)
    assert after["points"][:-1] == before["points"][:-1]
    assert view.evaluate("window.scrollY") == 0
    view.touchscreen.tap(*corner)
    assert len(check_numbers(view)[0]["points"]) == len(before["points"]) + 1


def test_the_end_of_the_server_is_said(browser):
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        page = browser.new_page()
        page.goto(server.address)
        page.wait_for_selector("body[data-ready]")
        server.shutdown()
        thread.join()
    page.click("#step")
    expect(page.locator("#error")).to_contain_text("server does not answer")
    page.close()
