"""The server goes silent under an open window, and its standby takes over."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from PySide6.QtCore import QObject, Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel
from sqlalchemy import func, select

from console.background import Background
from console.clients.portal import Portal
from console.domain.registration import Proof
from console.models import schema
from console.models.base import connect
from console.models.members import Member, NameCorrection
from console.services import drafts
from console.services.desk import Desk
from console.settings import Settings
from console.views.window import Window
from tests.clusters import Pair, running_pair
from tests.office import PAT, Clock, add_member, staff_the_office
from tests.packets import dropping, find_iptables
from tests.proxies import Proxy
from tests.servers import find_debians

CONTROL = Qt.KeyboardModifier.ControlModifier
PATIENCE = 45_000
FROZEN_SECONDS = 2.0
"""The shortest wait for a silent server is four seconds, so waiting on this thread would show."""


@pytest.fixture
def pair() -> Iterator[Pair]:
    find_debians()
    with running_pair() as pair:
        records = schema.open_records(pair.url(pair.ports[0]))
        staff_the_office(records)
        add_member(records)
        add_member(records, "Ruiz", ("1023402",), given_names="Ann")
        records.close()
        yield pair


@pytest.fixture
def proxy(pair: Pair) -> Iterator[Proxy]:
    """What stands between the window and the first server."""
    proxy = Proxy(pair.ports[0])
    yield proxy
    proxy.close()


@pytest.fixture(params=["swallowed", "dropped"])
def go_silent(request: pytest.FixtureRequest, proxy: Proxy) -> Iterator[Callable[[], None]]:
    """Let no byte pass between the window and the first server, or let no packet come through."""
    if request.param == "swallowed":
        yield proxy.swallow
        return
    find_iptables()
    with ExitStack() as until_then:
        yield lambda: until_then.enter_context(dropping(proxy.port))


@pytest.fixture
def window(qtbot, pair, proxy, go_silent, look) -> Iterator[Window]:
    # It goes before the silence ends: the first server, back again, would take its writes.
    desk = Desk(
        connect(pair.url(proxy.port, pair.ports[1])),
        Portal("http://127.0.0.1:9", "", "desk 3"),
        PAT,
        Settings(),
        "desk 3",
        Clock(),
    )
    background = Background(desk)
    desk.records.on_change(background.changed.emit)
    window = Window(background, desk.settings, look)
    qtbot.addWidget(window)
    window.show()
    window.activateWindow()
    yield window
    qtbot.waitUntil(lambda: background.idle, timeout=PATIENCE)
    background.close()
    desk.records.close()
    desk.portal.close()


class Pulse(QObject):
    """Beats as long as the window takes events, and remembers its longest pause."""

    def __init__(self) -> None:
        super().__init__()
        self.longest_pause, self._last = 0.0, time.monotonic()
        self._timer = QTimer(self, interval=20)
        self._timer.timeout.connect(self._beat)
        self._timer.start()

    def _beat(self) -> None:
        now = time.monotonic()
        self.longest_pause = max(self.longest_pause, now - self._last)
        self._last = now


def said(window):
    return " | ".join(label.text() for label in window.findChildren(QLabel) if label.isVisible())


def opened_correction(qtbot, window, member):
    page = window.open_member(member)
    qtbot.waitUntil(lambda: page.page_shown is not None, timeout=PATIENCE)
    sheet = page.open_correction()
    sheet.activateWindow()
    qtbot.waitUntil(lambda: QApplication.activeWindow() is sheet, timeout=PATIENCE)
    return sheet


def test_a_silent_server_freezes_nothing_and_what_was_typed_is_saved_at_the_standby(
    qtbot, window, pair, go_silent
):
    sheet = opened_correction(qtbot, window, 1)
    sheet.name.selectAll()
    QTest.keyClicks(sheet.name, "De Lo")
    pulse = Pulse()
    go_silent()

    # She goes on typing, saves, looks somebody else up, and is told.
    QTest.keyClicks(sheet.name, "ng")
    sheet.proof.setCurrentIndex(sheet.proof.findData(Proof.BILL))
    QTest.keyClick(sheet, Qt.Key.Key_Return, CONTROL)
    window.ask_health()
    window.search.field.setText("ruiz")
    qtbot.waitUntil(window.banner.isVisible, timeout=PATIENCE)
    assert "does not answer" in window.banner.words.text()
    assert "what you type stays" in window.banner.words.text()
    qtbot.waitUntil(sheet.save_button.isEnabled, timeout=PATIENCE)
    assert "so nothing was done" in said(sheet)
    assert sheet.name.text() == "De Long"
    kept = drafts.recall(window.background.desk, "correction 1")
    assert kept is not None
    assert kept.fields["name"] == "De Long"

    pair.promote()
    qtbot.waitUntil(lambda: not window.banner.isVisible(), timeout=PATIENCE)
    qtbot.waitUntil(lambda: "The database answers again." in said(window), timeout=PATIENCE)
    QTest.keyClick(sheet, Qt.Key.Key_Return, CONTROL)
    qtbot.waitUntil(lambda: "On file: De Long" in said(sheet), timeout=PATIENCE)
    assert pulse.longest_pause < FROZEN_SECONDS

    standby = connect(pair.url(pair.ports[1]))
    with standby.read() as db:
        assert db.get_one(Member, 1).name == "De Long"
        assert db.scalar(select(func.count()).select_from(NameCorrection)) == 1
    standby.close()
    assert drafts.recall(window.background.desk, "correction 1") is None
