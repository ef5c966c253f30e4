"""How the console looks: colours, type, icons, and the one style sheet filled with them.

Colours are spoken of by what they mean (`ink`, `muted`, `warn`), sizes by what they are for in
the paper on looks: 12, 13, 15, 20 and 28 pixels at a text size of 100 %. `px()` scales any other
length with the text. A widget says what it is with `role(widget, "heading")`; the style sheet in
`resources/console.qss` says what that looks like. Nothing else sets a style sheet.
"""

from __future__ import annotations

import re
import shutil
import tempfile
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Final, Literal

from PySide6.QtCore import QDir, QObject, QRectF, QSettings, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFont,
    QFontDatabase,
    QGuiApplication,
    QIcon,
    QPainter,
    QPalette,
    QPixmap,
)
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QApplication, QWidget

Tone = Literal["ink", "muted", "accent", "good", "warn", "bad", "on_accent", "paper"]
"""What a colour says. Never the only thing that says it: a word and an icon say it too."""

SMALL, TEXT, STRONG, TITLE, FIGURE = 12, 13, 15, 20, 28
"""The five sizes of type."""

GRID: Final = 8
"""Every distance on screen is a multiple of this, or half of it inside one control."""

SCALES: Final = (80, 90, 100, 110, 125, 150, 175, 200)
"""The text sizes offered, in per cent."""

UI_FAMILY: Final = "Inter"
MONO_FAMILY: Final = "JetBrains Mono"

_KEPT_DARK, _KEPT_SCALE = "look/dark", "look/scale"
_SOURCE = Path(__file__).parents[2] / "resources"
_INSTALLED = Path(__file__).parents[1] / "_resources"


def resource(*parts: str) -> Path:
    """Find a file of `resources`, in the source tree or in the installed package."""
    root = _INSTALLED if _INSTALLED.is_dir() else _SOURCE
    return root.joinpath(*parts)


@dataclass(frozen=True)
class Tokens:
    """The colours of one look, named by what they are for."""

    ground: str
    """What everything lies on."""
    paper: str
    """What is read and typed on."""
    line: str
    """Hairlines between things."""
    ink: str
    muted: str
    """Said quietly; still readable at 4.5 to 1."""
    accent: str
    """The one accent: the main action, what is chosen, where the focus is."""
    good: str
    warn: str
    bad: str
    on_accent: str
    """What stands on a filled accent."""
    edge: str
    """The outline of something that can be typed in or pressed; 3 to 1 against the paper."""

    def soft(self, tone: str) -> str:
        """Mix twelve per cent of a colour into the paper, for a fill behind words of its tone."""
        return mix(getattr(self, tone), self.paper, 0.12)

    def deep(self, tone: str) -> str:
        """Darken a colour a little (in the dark, lighten it) for words on its own soft fill."""
        return mix(self.ink, getattr(self, tone), 0.16)


LIGHT: Final = Tokens(
    ground="#F4F6F8", paper="#FFFFFF", line="#DCE3EA", ink="#1C2733", muted="#5B6B7B",
    accent="#0B6E8A", good="#2E7D4F", warn="#8A5300", bad="#B3261E", on_accent="#FFFFFF",
    edge="#8594A3",
)  # fmt: skip
DARK: Final = Tokens(
    ground="#12181E", paper="#1A222A", line="#2B3742", ink="#E6EDF3", muted="#9AA9B7",
    accent="#4FB3CE", good="#6CC48F", warn="#E0A84A", bad="#F2867E", on_accent="#0B1A20",
    edge="#64747F",
)  # fmt: skip
_TONES: Final = ("ink", "muted", "accent", "good", "warn", "bad")


def mix(colour: str, into: str, share: float) -> str:
    """Mix a share of one colour into another."""
    one, other = QColor(colour), QColor(into)
    return QColor(
        round(one.red() * share + other.red() * (1 - share)),
        round(one.green() * share + other.green() * (1 - share)),
        round(one.blue() * share + other.blue() * (1 - share)),
    ).name()


def recall(store: QSettings) -> Theme:
    """Answer the look this person chose last, or the desktop's own the first time."""
    chosen = _whole(store.value(_KEPT_DARK))
    hints = QGuiApplication.styleHints() if QGuiApplication.instance() else None
    desktop = hints is not None and hints.colorScheme() == Qt.ColorScheme.Dark
    dark = desktop if chosen is None else bool(chosen)
    return Theme(dark=dark, scale=_whole(store.value(_KEPT_SCALE)) or 100)


def keep(look: Theme, store: QSettings) -> None:
    """Remember the look for the next time."""
    store.setValue(_KEPT_DARK, int(look.dark))
    store.setValue(_KEPT_SCALE, look.scale)


def _whole(kept: object) -> int | None:
    # Settings come back as text after a restart, and people edit such files.
    text = str(kept)
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else None


class Theme(QObject):
    """The look in force: light or dark, and how large the text is."""

    changed = Signal()
    """Emitted after the look has changed; whoever paints by hand paints again."""

    def __init__(self, *, dark: bool = False, scale: int = 100) -> None:
        super().__init__()
        self._dark = dark
        self._scale = _allowed(scale)
        self._pixmaps: dict[tuple[str, str, int, float], QPixmap] = {}
        self._drawn: dict[str, bytes] = {}
        self._fonts: dict[tuple[int, int, bool], QFont] = {}
        self._families_loaded = False
        self._files: str | None = None

    @property
    def dark(self) -> bool:
        """Whether light stands on dark."""
        return self._dark

    @property
    def scale(self) -> int:
        """The text size in per cent."""
        return self._scale

    @property
    def tokens(self) -> Tokens:
        """The colours in force."""
        return DARK if self._dark else LIGHT

    def colour(self, tone: str) -> QColor:
        """Answer a colour by its name in `Tokens`, or “soft_” or “deep_” before the name."""
        if tone.startswith("soft_"):
            return QColor(self.tokens.soft(tone[5:]))
        if tone.startswith("deep_"):
            return QColor(self.tokens.deep(tone[5:]))
        return QColor(getattr(self.tokens, tone))

    def px(self, length: float) -> int:
        """Scale a length with the text size."""
        return round(length * self._scale / 100)

    def font(self, size: int = TEXT, *, weight: int = 400, mono: bool = False) -> QFont:
        """Answer a font for painting by hand, with figures of equal width."""
        wanted = (self.px(size), weight, mono)
        if wanted not in self._fonts:
            font = QFont(MONO_FAMILY if mono else UI_FAMILY)
            font.setPixelSize(wanted[0])
            font.setWeight(QFont.Weight(weight))
            if mono:
                # A ligature would hide the very character that two spellings differ in.
                for feature in ("liga", "calt"):
                    font.setFeature(QFont.Tag(feature), 0)
                font.setStyleHint(QFont.StyleHint.Monospace)
            else:
                font.setFeature(QFont.Tag("tnum"), 1)
            self._fonts[wanted] = font
        return self._fonts[wanted]

    def pixmap(self, name: str, tone: str = "ink", size: int = 20, ratio: float = 0) -> QPixmap:
        """Draw an icon in a colour; the size grows with the text."""
        colour = self.colour(tone).name() if not tone.startswith("#") else tone
        ratio = ratio or _device_ratio()
        wanted = (name, colour, self.px(size), ratio)
        if wanted not in self._pixmaps:
            self._pixmaps[wanted] = self._draw(*wanted)
        return self._pixmaps[wanted]

    def icon(self, name: str, tone: str = "ink", size: int = 20, gap: int = 0) -> QIcon:
        """Answer an icon in a colour, and muted where its control is switched off.

        A gap keeps that much room free at its right, before the words of a button.
        """
        icon = QIcon(self._beside(self.pixmap(name, tone, size), gap))
        icon.addPixmap(self._beside(self.pixmap(name, "edge", size), gap), QIcon.Mode.Disabled)
        return icon

    def _beside(self, pixmap: QPixmap, gap: int) -> QPixmap:
        if not gap:
            return pixmap
        ratio = pixmap.devicePixelRatio()
        wider = QPixmap(pixmap.width() + round(self.px(gap) * ratio), pixmap.height())
        wider.setDevicePixelRatio(ratio)
        wider.fill(Qt.GlobalColor.transparent)
        with painting(wider) as painter:
            painter.drawPixmap(0, 0, pixmap)
        return wider

    def apply(self, app: QApplication) -> None:
        """Make this the look of the program."""
        global _current  # noqa: PLW0603  # there is one look, as there is one QApplication
        _current = self
        self._load_families()
        app.setStyle("Fusion")
        self._dress(app)

    def set_dark(self, dark: bool) -> None:
        """Turn to dark, or back to light."""
        if dark != self._dark:
            self._dark = dark
            self._redress()

    def set_scale(self, scale: int) -> None:
        """Set the text size in per cent, from 80 to 200."""
        scale = _allowed(scale)
        if scale != self._scale:
            self._scale = scale
            self._redress()

    def larger(self) -> None:
        """Take the next larger text size."""
        self.set_scale(min((size for size in SCALES if size > self._scale), default=SCALES[-1]))

    def smaller(self) -> None:
        """Take the next smaller text size."""
        self.set_scale(max((size for size in SCALES if size < self._scale), default=SCALES[0]))

    def style_sheet(self) -> str:
        """Fill the style sheet with the colours and sizes in force."""
        values = {field.name: str(getattr(self.tokens, field.name)) for field in fields(Tokens)}
        for tone in _TONES:
            values[f"soft_{tone}"] = self.tokens.soft(tone)
            values[f"deep_{tone}"] = self.tokens.deep(tone)
        values["accent_pressed"] = mix(self.tokens.ink, self.tokens.accent, 0.18)
        values["accent_hover"] = mix(self.tokens.ink, self.tokens.accent, 0.1)
        values["hover"] = mix(self.tokens.ink, self.tokens.paper, 0.05)
        values["rail_hover"] = mix(self.tokens.ink, self.tokens.ground, 0.06)
        values["files"] = f"look:{'dark' if self._dark else 'light'}-{self._scale}"
        text = resource("console.qss").read_text(encoding="utf-8")
        text = re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)
        text = re.sub(r"\{(\d+)\}", lambda found: f"{self.px(int(found[1]))}px", text)
        return re.sub(r"\{([a-z_]+)\}", lambda found: values[found[1]], text)

    def palette(self) -> QPalette:
        """Answer a complete palette, so that nothing is left to the desktop's own colours."""
        role, group = QPalette.ColorRole, QPalette.ColorGroup
        palette = QPalette()
        for which, tone in (
            (role.Window, "ground"), (role.WindowText, "ink"), (role.Base, "paper"),
            (role.AlternateBase, "ground"), (role.Text, "ink"), (role.Button, "paper"),
            (role.ButtonText, "ink"), (role.BrightText, "bad"), (role.ToolTipBase, "ink"),
            (role.ToolTipText, "paper"), (role.PlaceholderText, "muted"), (role.Link, "accent"),
            (role.LinkVisited, "accent"), (role.Highlight, "accent"),
            (role.HighlightedText, "on_accent"), (role.Light, "paper"), (role.Midlight, "line"),
            (role.Mid, "edge"), (role.Dark, "edge"), (role.Shadow, "ink"), (role.Accent, "accent"),
        ):  # fmt: skip
            palette.setColor(which, self.colour(tone))
        for which in (role.WindowText, role.Text, role.ButtonText):
            palette.setColor(group.Disabled, which, self.colour("edge"))
        return palette

    def _load_families(self) -> None:
        if not self._families_loaded:
            self._families_loaded = True
            for file in sorted(resource("fonts").glob("*.[ot]tf")):
                QFontDatabase.addApplicationFont(str(file))

    def _redress(self) -> None:
        self._fonts.clear()
        self._pixmaps.clear()
        app = QApplication.instance()
        if _current is self and isinstance(app, QApplication):
            self._dress(app)
        self.changed.emit()

    def _dress(self, app: QApplication) -> None:
        self._write_marks()
        # Qt works out every rule for every widget twice when one sheet replaces another: with
        # five members open that is 750 ms against 110 by way of none.
        app.setStyleSheet("")
        app.setPalette(self.palette())
        app.setFont(self.font())
        app.setStyleSheet(self.style_sheet())

    def _write_marks(self) -> None:
        # A style sheet can only point at files, so the few marks inside controls become some.
        if self._files is None:
            self._files = tempfile.mkdtemp(prefix="console-look-")
            QDir.setSearchPaths("look", [self._files])
            weakref.finalize(self, shutil.rmtree, self._files, True)
        start = f"{'dark' if self._dark else 'light'}-{self._scale}"
        for mark, name, tone, size in (
            ("tick", "check", "on_accent", 16),
            ("dash", "dash", "on_accent", 16),
            ("down", "chevron-down", "muted", 16),
            ("up", "chevron-up", "muted", 16),
            ("right", "chevron-right", "muted", 16),
            ("left", "chevron-left", "muted", 16),
            ("close", "cross", "muted", 16),
            ("close-hover", "cross", "ink", 16),
            ("dot", "dot", "on_accent", 16),
        ):
            for ratio, suffix in ((1.0, ""), (2.0, "@2x")):
                file = Path(self._files, f"{start}-{mark}{suffix}.png")
                if not file.exists():
                    self.pixmap(name, tone, size, ratio).save(str(file))

    def _draw(self, name: str, colour: str, size: int, ratio: float) -> QPixmap:
        if name not in self._drawn:
            self._drawn[name] = resource("icons", f"{name}.svg").read_bytes()
        drawing = QSvgRenderer(self._drawn[name].replace(b"#000", colour.encode()))
        pixmap = QPixmap(QSize(size, size) * ratio)
        pixmap.setDevicePixelRatio(ratio)
        pixmap.fill(Qt.GlobalColor.transparent)
        with painting(pixmap) as painter:
            drawing.render(painter, QRectF(0, 0, size, size))
        return pixmap


@contextmanager
def painting(on: QPixmap | QWidget) -> Iterator[QPainter]:
    """Paint smoothly, and let go of the surface whatever happens."""
    painter = QPainter(on)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    try:
        yield painter
    finally:
        painter.end()


_current: Theme | None = None


def current() -> Theme:
    """Answer the look in force."""
    global _current  # noqa: PLW0603  # there is one look, as there is one QApplication
    if _current is None:
        _current = Theme()
    return _current


def icon(name: str, tone: str = "ink", size: int = 20) -> QIcon:
    """Answer an icon of `resources/icons` in a colour of the look in force."""
    return current().icon(name, tone, size)


def role(widget: QWidget, name: str) -> None:
    """Say what a widget is; the style sheet says what that looks like."""
    if widget.property("role") != name:
        widget.setProperty("role", name)
        _polish(widget)


def tone(widget: QWidget, name: str) -> None:
    """Say what a widget's colour means."""
    if widget.property("tone") != name:
        widget.setProperty("tone", name)
        _polish(widget)


def _polish(widget: QWidget) -> None:
    style = widget.style()
    style.unpolish(widget)
    style.polish(widget)
    widget.update()


def _allowed(scale: int) -> int:
    return min(SCALES[-1], max(SCALES[0], scale))


def _device_ratio() -> float:
    screen = QGuiApplication.primaryScreen()
    return screen.devicePixelRatio() if screen else 1.0
