"""Stored methods on screen: a card from the press to the list, by real keys and a real page."""

from dataclasses import replace
from uuid import uuid4

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QDesktopServices
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMainWindow, QVBoxLayout, QWidget
from sqlalchemy import select

from console.background import Background
from console.clients.stripe_gateway import StripeGateway
from console.domain.calls import Fact
from console.domain.methods import MethodKind
from console.models.autopay import AutoPay
from console.models.methods import MethodRequest, StoredMethod
from console.sandbox import gateway
from console.sandbox.gateway import Kind
from console.services import calls, methods
from console.views import toasts
from console.views.methods import MethodsPanel
from console.views.widgets import Button
from tests.gateways import pay_on
from tests.office import ANA, add_member

ROSE = 1


@pytest.fixture
def till(tmp_path, clock):
    with gateway.running(tmp_path / "gateway.sqlite", clock=clock) as running:
        yield running


@pytest.fixture
def office(desk, till, clock):
    """Pat's desk of the training co-op with one member, which is its own courier."""
    add_member(desk.records)
    client = StripeGateway(till.url, till.key, deadline=5, clock=clock)
    yield replace(desk, gateway=client, settings=replace(desk.settings, training=True))
    client.close()


@pytest.fixture
def opened(monkeypatch):
    """The addresses that were opened in the browser."""
    urls = []

    def opens(url):
        urls.append(url.toString())
        return True

    monkeypatch.setattr(QDesktopServices, "openUrl", opens)
    return urls


@pytest.fixture
def shown(qtbot):
    """Show the panel of a desk in a window; it hears of what is committed."""
    backgrounds = []

    def show(desk, call=None):
        background = Background(desk)
        desk.records.on_change(background.changed.emit)
        backgrounds.append(background)
        panel = MethodsPanel(background)
        window, inside = QMainWindow(), QWidget()
        layout = QVBoxLayout(inside)
        layout.addWidget(panel)
        layout.addStretch(1)
        window.setCentralWidget(inside)
        window.resize(520, 600)
        qtbot.addWidget(window)
        with qtbot.waitActive(window):
            window.show()
        toasts.Toasts(window)
        panel.load(ROSE, call)
        qtbot.waitUntil(lambda: panel._sheet is not None)
        return panel

    yield show
    for background in backgrounds:
        qtbot.waitUntil(lambda: background.idle)  # noqa: B023  # waited for at once
        background.close()


def verified(desk):
    call = calls.begin(desk, str(uuid4()), ROSE)
    return calls.tick(desk, call.id, list(Fact))


def put(desk, **more):
    """Put a method on file as the courier does."""
    with desk.records.begin() as db:
        method = StoredMethod(
            **{
                "id": str(uuid4()),
                "member_id": ROSE,
                "kind": MethodKind.CARD,
                "brand": "visa",
                "last_four": "4242",
                "expires_year": 2031,
                "expires_month": 4,
                "added_by": "pat",
                "added_at": desk.now(),
                **more,
            }
        )
        db.add(method)
        desk.now.advance(seconds=1)
        return method.id


def goes_round(desk):
    desk.now.advance(seconds=2)
    assert methods.make_round(desk).trouble == ""


def presses(button):
    button.setFocus()
    QTest.keyClick(button, Qt.Key.Key_Space)


def seen(panel):
    return [
        (line.name.text(), [badge.text() for badge in line.badges])
        for line in panel.lines
        if line.isVisible()
    ]


def on_its_way(panel):
    return [line.words.text() for line in panel.request_lines if line.isVisible()]


def test_a_card_is_added_from_the_press_to_the_list(qtbot, office, shown, opened):
    panel = shown(office, verified(office))
    assert panel.nothing.isVisible()
    presses(panel.add_button)
    qtbot.waitUntil(lambda: len(opened) == 1)
    qtbot.waitUntil(
        lambda: (
            on_its_way(panel)
            == ["Type the card on the gateway’s page while the caller reads it out."]
        )
    )
    assert not panel.add_button.isEnabled()
    assert opened[0].startswith("http://127.0.0.1:")
    (going,) = panel.request_lines
    presses(going.open)
    assert len(opened) == 2
    pay_on(opened[0])
    goes_round(office)
    qtbot.waitUntil(lambda: seen(panel) == [("Visa ending in 4242, good until 04/31", ["Usual"])])
    assert toasts.toasts_of(panel).toast.words.text() == "Visa ending in 4242 is stored."
    assert on_its_way(panel) == []
    assert not panel.nothing.isVisible()
    qtbot.waitUntil(panel.add_button.isEnabled)
    goes_round(office)
    assert len(opened) == 2, "the browser is not opened again by itself"


def test_pressed_twice_it_is_one_page(qtbot, office, shown, opened):
    panel = shown(office, verified(office))
    QTest.mouseDClick(panel.add_button, Qt.MouseButton.LeftButton)
    QTest.mouseClick(panel.add_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: len(opened) == 1)
    qtbot.waitUntil(lambda: panel.background.idle)
    with office.records.read() as db:
        assert len(db.scalars(select(MethodRequest)).all()) == 1
    assert len(opened) == 1


def test_without_a_verified_caller_it_says_what_is_wanted_first(qtbot, office, shown):
    panel = shown(office)
    assert not panel.add_button.isEnabled()
    assert panel.why_not.text() == (
        "Begin the call first: a card is only stored for a verified caller."
    )
    call = calls.begin(office, str(uuid4()), ROSE)
    panel.load(ROSE, call)
    qtbot.waitUntil(lambda: panel.why_not.text().startswith("Verify the caller first"))
    panel.load(ROSE, calls.tick(office, call.id, list(Fact)))
    qtbot.waitUntil(panel.add_button.isEnabled)
    assert not panel.why_not.isVisible()


def test_outside_training_a_file_keeps_no_cards_and_says_why(office, shown):
    for_real = replace(office, settings=replace(office.settings, training=False))
    panel = shown(for_real, verified(for_real))
    assert not panel.add_button.isEnabled()
    assert "shares a PostgreSQL server" in panel.why_not.text()


def test_the_page_is_called_off(qtbot, office, shown, opened):
    panel = shown(office, verified(office))
    presses(panel.add_button)
    qtbot.waitUntil(lambda: len(opened) == 1)
    qtbot.waitUntil(lambda: bool(panel.request_lines) and panel.request_lines[0].off.isVisible())
    presses(panel.request_lines[0].off)
    qtbot.waitUntil(lambda: on_its_way(panel) == ["It was called off. The page is being shut."])
    goes_round(office)
    qtbot.waitUntil(lambda: on_its_way(panel) == ["It was called off. Nothing was stored."])
    qtbot.waitUntil(panel.add_button.isEnabled)
    assert "This page has closed." in pay_on(opened[0]).text


def test_a_gateway_that_is_silent_is_said(qtbot, office, till, shown, opened):
    till.misbehave(Kind.DOWN)
    panel = shown(office, verified(office))
    presses(panel.add_button)
    qtbot.waitUntil(lambda: len(on_its_way(panel)) == 1 and len(on_its_way(panel)[0]) > 40)
    assert on_its_way(panel)[0].startswith("Asking the gateway for its page… ")
    assert opened == []
    till.behave()
    office.now.advance(minutes=1)
    goes_round(office)
    qtbot.waitUntil(lambda: len(opened) == 1)


def test_a_browser_that_does_not_open_is_said(qtbot, office, shown, monkeypatch):
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda _url: False)
    panel = shown(office, verified(office))
    presses(panel.add_button)
    qtbot.waitUntil(panel.problem.isVisible)
    assert "The browser did not open." in panel.problem.text()


def test_a_method_is_taken_away_after_a_question(qtbot, office, shown):
    put(office, is_default=True)
    put(office, brand="mastercard", last_four="4444")
    panel = shown(office)
    usual = panel.lines[0]
    presses(usual.remove)
    sheet = QApplication.activeModalWidget()
    assert sheet.title.text() == "Take Visa ending in 4242 away?"
    QTest.keyClick(sheet, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: QApplication.activeModalWidget() is None)
    assert len(panel.lines) == 2
    presses(panel.lines[0].remove)
    sheet = QApplication.activeModalWidget()
    (yes,) = (one for one in sheet.findChildren(Button) if one.text() == "Take it away")
    presses(yes)
    qtbot.waitUntil(
        lambda: seen(panel) == [("Mastercard ending in 4444, good until 04/31", ["Usual"])]
    )
    qtbot.waitUntil(
        lambda: on_its_way(panel) == ["Visa ending in 4242 is being taken away at the gateway."]
    )
    goes_round(office)
    qtbot.waitUntil(lambda: on_its_way(panel) == [])


def test_what_auto_pay_uses_stays_and_the_account_is_named(qtbot, office, shown):
    method = put(office, is_default=True)
    with office.records.begin() as db:
        db.add(AutoPay(id="one", member_id=ROSE, account_number="1023401", method_id=method,
                       enrolled_by="pat", enrolled_at=office.now()))  # fmt: skip
    panel = shown(office)
    presses(panel.lines[0].remove)
    assert QApplication.activeModalWidget() is None
    assert panel.problem.text().startswith("Auto Pay of account 1023401 uses Visa ending in 4242.")


def test_another_method_becomes_the_usual_one_and_the_keys_stay_where_they_were(
    qtbot, office, shown
):
    put(office, is_default=True)
    put(office, brand="mastercard", last_four="4444")
    panel = shown(office)
    presses(panel.lines[1].default)
    qtbot.waitUntil(
        lambda: (
            [badges for _, badges in seen(panel)] == [["Usual"], []]
            and seen(panel)[0][0].startswith("Mastercard")
        )
    )
    qtbot.waitUntil(panel.lines[0].remove.hasFocus)


def test_a_card_that_ran_out_says_so_in_a_word_with_its_icon(office, shown):
    put(office, expires_year=2026, expires_month=10)
    put(office, expires_year=2026, expires_month=11, last_four="1111")
    put(office, kind=MethodKind.BANK, brand="Prairie Bank", last_four="6789",
        expires_year=None, expires_month=None)  # fmt: skip
    panel = shown(office)
    assert seen(panel) == [
        ("Visa ending in 4242, until 10/26", ["Expired"]),
        ("Visa ending in 1111, good until 11/26", []),
        ("Prairie Bank ending in 6789", []),
    ]
    assert panel.lines[0].badges[0].icon == "alert"
    assert panel.lines[0].accessibleName().endswith("Expired.")


def test_what_a_colleague_changes_is_shown_at_once(qtbot, office, shown):
    panel = shown(office)
    put(office)
    qtbot.waitUntil(lambda: len(panel.lines) == 1)


def test_an_auditor_looks_and_has_nothing_to_press(office, shown):
    put(office, is_default=True)
    panel = shown(replace(office, colleague=ANA))
    assert seen(panel) == [("Visa ending in 4242, good until 04/31", ["Usual"])]
    assert [one.text() for one in panel.findChildren(Button) if one.isVisible()] == []
    assert not panel.why_not.isVisible()


def test_the_answer_about_another_member_is_not_shown(qtbot, office, shown):
    add_member(office.records, "Ruiz", ("2048001",))
    put(office)
    panel = shown(office)
    panel.load(2, None)
    qtbot.waitUntil(lambda: panel.lines == [] and panel.nothing.isVisible())
    panel.show_sheet(methods.of_member(office, ROSE))
    assert panel.lines == []
