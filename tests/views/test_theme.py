import re

import pytest
from PySide6.QtCore import QSettings
from PySide6.QtGui import QColor, QFontMetrics, QImage, QPalette
from PySide6.QtWidgets import QComboBox, QLabel, QLineEdit, QPlainTextEdit

from console.views import theme
from console.views.theme import DARK, LIGHT, Theme, resource


def contrast(one, other):
    def light(colour):
        parts = [QColor(colour).redF(), QColor(colour).greenF(), QColor(colour).blueF()]
        r, g, b = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
        return 0.2126 * r + 0.7152 * g + 0.0722 * b

    brighter, darker = sorted((light(one), light(other)), reverse=True)
    return (brighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("tokens", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize("tone", ["ink", "muted", "accent", "good", "warn", "bad"])
def test_words_can_be_read_on_everything_they_stand_on(tokens, tone):
    colour = getattr(tokens, tone)
    assert contrast(colour, tokens.paper) >= 4.5
    assert contrast(colour, tokens.ground) >= 4.5
    assert contrast(tokens.deep(tone), tokens.soft(tone)) >= 4.5
    assert contrast(tokens.muted, tokens.soft("accent")) >= 4.5


@pytest.mark.parametrize("tokens", [LIGHT, DARK], ids=["light", "dark"])
def test_what_stands_on_a_filled_accent_or_ribbon_can_be_read(tokens):
    assert contrast(tokens.on_accent, tokens.accent) >= 4.5
    assert contrast(tokens.paper, tokens.warn) >= 4.5
    assert contrast(tokens.paper, tokens.ink) >= 4.5


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("role", ["", "search"])
@pytest.mark.parametrize("kind", [QLineEdit, QPlainTextEdit])
def test_what_a_field_asks_for_can_be_read_before_anything_is_typed(look, qtbot, kind, role, dark):
    look.set_dark(dark)
    field = kind()
    qtbot.addWidget(field)
    theme.role(field, role)
    field.setPlaceholderText("Name, account or phone")
    field.show()
    asks = field.palette().color(QPalette.ColorRole.PlaceholderText)
    assert asks.alpha() == 255
    ground = look.tokens.ground if role == "search" and kind is QLineEdit else look.tokens.paper
    assert contrast(asks, ground) >= 4.5


def test_one_line_is_drawn_around_the_choices_of_a_box(look, qtbot):
    box = QComboBox()
    box.addItems(["A bill", "A deed"])
    qtbot.addWidget(box)
    box.show()
    box.showPopup()
    frame = box.view().window()
    drawn = frame.grab().toImage().convertToFormat(QImage.Format.Format_RGB32)
    across = [drawn.pixelColor(drawn.width() // 2, y).name() for y in range(8)]
    assert across[0] == QColor(look.tokens.edge).name()
    assert set(across[1:4]) == {QColor(look.tokens.paper).name()}
    box.hidePopup()


@pytest.mark.parametrize("tokens", [LIGHT, DARK], ids=["light", "dark"])
def test_the_outline_of_a_control_and_the_focus_can_be_seen(tokens):
    assert contrast(tokens.edge, tokens.paper) >= 3
    assert contrast(tokens.accent, tokens.paper) >= 3
    assert contrast(tokens.accent, tokens.ground) >= 3


def test_the_style_sheet_is_filled_completely(look):
    for dark in (False, True):
        look.set_dark(dark)
        assert not re.search(r"\{[a-z_0-9]+\}", look.style_sheet())


def test_the_style_sheet_names_no_colour_of_its_own():
    assert not re.search(r"#[0-9A-Fa-f]{3,8}\b", resource("console.qss").read_text())


def test_text_grows_with_the_scale_and_stays_within_its_bounds(look, qtbot):
    label = QLabel("Rose")
    qtbot.addWidget(label)
    label.show()
    before = label.fontMetrics().height()
    look.set_scale(200)
    assert label.fontMetrics().height() > 1.8 * before
    look.set_scale(1000)
    assert look.scale == 200
    look.set_scale(1)
    assert look.scale == 80


def test_larger_and_smaller_walk_the_offered_sizes(look):
    look.larger()
    assert look.scale == 110
    look.smaller()
    look.smaller()
    assert look.scale == 90


def test_figures_are_of_equal_width_so_that_sums_line_up(look):
    measure = QFontMetrics(look.font())
    assert measure.horizontalAdvance("1111.11") == measure.horizontalAdvance("8888.88")


def test_every_icon_is_drawn_in_the_colour_asked_for(look):
    for file in resource("icons").glob("*.svg"):
        image = look.pixmap(file.stem, "accent", 24, 1.0).toImage()
        inked = [
            image.pixelColor(x, y)
            for x in range(image.width())
            for y in range(image.height())
            if image.pixelColor(x, y).alpha() > 200
        ]
        assert inked, f"{file.name} is empty"
        wanted = QColor(LIGHT.accent)
        assert all(abs(colour.red() - wanted.red()) < 12 for colour in inked), file.name


def test_everybody_who_paints_hears_of_a_new_look(look, qtbot):
    with qtbot.waitSignal(look.changed):
        look.set_dark(True)
    assert look.colour("paper").name().upper() == DARK.paper


def test_the_chosen_look_comes_back_after_a_restart(tmp_path, qapp):
    file = str(tmp_path / "look.ini")
    kept = QSettings(file, QSettings.Format.IniFormat)
    theme.keep(Theme(dark=True, scale=150), kept)
    kept.sync()
    again = theme.recall(QSettings(file, QSettings.Format.IniFormat))
    assert (again.dark, again.scale) == (True, 150)


@pytest.mark.parametrize("nonsense", ["x", "-5", "9999999", ""])
def test_a_damaged_settings_file_gives_a_usual_look(tmp_path, qapp, nonsense):
    kept = QSettings(str(tmp_path / "look.ini"), QSettings.Format.IniFormat)
    kept.setValue("look/scale", nonsense)
    assert 80 <= theme.recall(kept).scale <= 200
