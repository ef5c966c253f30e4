"""Whoever watches over is told in the rail that somebody opens an unusual number of members."""

from dataclasses import replace

import pytest

from console.background import Background
from console.services import audit, trail
from console.services.audit import Action
from console.views.window import Window
from tests.office import PAT, SUE, add_member, staff_the_office


@pytest.fixture
def busy(desk):
    staff_the_office(desk.records)
    for number in range(trail.UNUSUAL_IN_AN_HOUR + 1):
        other = add_member(desk.records, numbers=(f"20{number:05}",))
        with desk.records.begin() as db:
            audit.record(db, desk, Action.MEMBER_OPENED, member_id=other)
    return desk


@pytest.mark.parametrize("width", [1366, 720])
def test_it_is_said_at_the_place_until_it_was_looked_at(qtbot, busy, look, width):
    background = Background(replace(busy, colleague=SUE))
    window = Window(background, busy.settings, look)
    qtbot.addWidget(window)
    window.resize(width, 600)
    window.show()
    window.begin()
    button = window.rail_buttons["Audit trail"]
    said = button.text if width > 1000 else button.toolTip
    qtbot.waitUntil(lambda: said() == "Audit trail: 1 unusual")
    assert button.accessibleName() == "Go to Audit trail, 1 unusual"
    window.go_to("Audit trail")
    qtbot.waitUntil(lambda: said() == "Audit trail")
    window.close()
    qtbot.waitUntil(lambda: background.idle, timeout=10_000)
    background.close()


def test_a_representative_is_told_nothing(qtbot, busy, look):
    background = Background(replace(busy, colleague=PAT))
    window = Window(background, busy.settings, look)
    qtbot.addWidget(window)
    window.show()
    window.show_unusual(1)
    assert "Audit trail" not in window.rail_buttons
    window.close()
    qtbot.waitUntil(lambda: background.idle, timeout=10_000)
    background.close()
