"""The furniture of every page: Letter paper, type, head and foot, rows, tables and safe words.

A document says what stands on it, from top to bottom; `Paper` keeps the place, turns the page and
repeats what must be repeated. Whatever people have typed is drawn letter by letter and never read
as markup.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from threading import Lock
from typing import Final

from reportlab.lib.colors import HexColor
from reportlab.lib.pagesizes import letter
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

from console.domain.texts import clean_text
from console.domain.times import calendar_day, clock, day_of, local

WIDE, TALL = letter
LEFT: Final = 54.0
RIGHT: Final = WIDE - LEFT
BOTTOM: Final = 66.0
"""Nothing but the foot stands below."""
_HEAD: Final = TALL - 50
_FIRST_LINE: Final = TALL - 96
_WINDOW_TOP: Final = TALL - 144
"""Where an address begins, so that it shows in the window of a number 10 envelope."""
_BELOW_WINDOW: Final = TALL - 242

REGULAR, BOLD, MONO = "Paper", "Paper bold", "Paper mono"
_FILES: Final = {
    REGULAR: "paper/InterPaper-Regular.ttf",
    BOLD: "paper/InterPaper-SemiBold.ttf",
    MONO: "JetBrainsMono-Regular.ttf",
}
_SOURCE: Final = Path(__file__).parents[2] / "resources"
_INSTALLED: Final = Path(__file__).parents[1] / "_resources"

INK, MUTED, LINE = HexColor("#1C2733"), HexColor("#5B6B7B"), HexColor("#DCE3EA")
ACCENT, BAD = HexColor("#0B6E8A"), HexColor("#B3261E")
_TONES: Final = {"ink": INK, "muted": MUTED, "accent": ACCENT, "bad": BAD}

MOST_LETTERS: Final = 300
"""Letters of a single value; what is longer is shortened, so that no name fills a page."""
MOST_SCRIPT: Final = 6000
_STAND_IN: Final = "□"
"""Stands for a letter that the type does not have, so that it is seen that there was one."""

# A typeface of reportlab collects the letters of one document at a time.
_drawing = Lock()


@dataclass(frozen=True)
class Head:
    """What stands at the head and the foot of a document's pages."""

    coop_name: str
    coop_phone: str
    title: str
    reference: str = ""
    """What this sheet is found again by, such as a receipt's number."""
    mark: str = ""
    """A word that must not be overlooked on any page: VOID."""
    figure: tuple[str, str] | None = None
    """The one sum that matters, with its label."""
    address: tuple[str, ...] = ()
    """Whom it is mailed to; placed for a window envelope."""
    zone: str = "UTC"
    printed_at: datetime | None = None


@dataclass(frozen=True)
class Column:
    """A column of a table: its title, its share of the width, and on which side it stands."""

    title: str
    share: float
    right: bool = False
    """For money and counts, whose figures stand under each other."""
    most_lines: int = 2


def draw(head: Head, body: Callable[[Paper], None]) -> bytes:
    """Draw a document; the same values always give the same bytes."""
    with _drawing:
        _load_type()
        # The foot says how many pages there are, which is known only when all have been drawn.
        pages = _drawn(head, body, 0)[1]
        return _drawn(head, body, pages)[0]


def moment_words(moment: datetime, zone: str) -> str:
    """Say a moment as paper does, which is read in another year: “16 Nov 2026 10:42”."""
    return f"{calendar_day(day_of(moment, zone))} {clock(moment, zone)}"


def plain(text: str, most: int = MOST_LETTERS, *, lines: bool = False) -> str:
    """Make words of any origin fit to be drawn: nothing hidden, no longer than this."""
    clean = clean_text(text, most + 1, lines=lines)
    if len(clean) > most:
        clean = f"{clean[: most - 1].rstrip()}…"
    return "".join(map(_drawable, clean))


def wrapped(text: str, font: str, size: float, wide: float, most: int) -> list[str]:
    """Break words into lines of a width; a word that is too wide is cut, and so is the rest."""
    lines: list[str] = []
    for paragraph in text.split("\n"):
        line = ""
        for word in paragraph.split():
            longer = f"{line} {word}" if line else word
            if _width(longer, font, size) <= wide:
                line = longer
                continue
            if line:
                lines.append(line)
            line = word
            while len(line) > 1 and _width(line, font, size) > wide:
                fits = _fitting(line, font, size, wide)
                lines.append(line[:fits])
                line = line[fits:]
        lines.append(line)
    if len(lines) > most:
        lines = lines[:most]
        lines[-1] = shortened(f"{lines[-1]}…", font, size, wide)
    return lines


def shortened(text: str, font: str, size: float, wide: float) -> str:
    """Keep words to one line of a width; dots stand for what is left out."""
    if _width(text, font, size) <= wide:
        return text
    room = wide - _width("…", font, size)
    return f"{text[: _fitting(text, font, size, room)].rstrip()}…"


class Paper:
    """The pages of one document, filled from top to bottom."""

    def __init__(self, canvas: Canvas, head: Head, pages: int) -> None:
        self._canvas, self._head, self._pages = canvas, head, pages
        self.page = 1
        self._y = _FIRST_LINE
        self._write_head()
        self._open()

    def section(self, words: str, *, with_next: float = 44) -> None:
        """Head a part, and keep it on one page with what begins below it."""
        self._need(28 + with_next)
        self._y -= 12
        self._line(LEFT, plain(words), BOLD, 11.5, INK)
        self._y -= 8

    def space(self, high: float = 8) -> None:
        """Leave a little room."""
        self._y -= high

    def words(
        self,
        text: str,
        *,
        size: float = 10,
        tone: str = "ink",
        font: str = REGULAR,
        most_lines: int = 400,
    ) -> None:
        """Write a paragraph, or several with line breaks between them."""
        clean = plain(text, MOST_SCRIPT, lines=True)
        for line in wrapped(clean, font, size, RIGHT - LEFT, most_lines):
            self._need(size * 1.5)
            self._line(LEFT, line, font, size, _TONES[tone])
            self._y -= size * 0.5
        self._y -= 8

    def notice(self, text: str, tone: str = "accent", *, size: float = 10) -> None:
        """Write a sentence that wants to be read, with a bar of colour beside it."""
        lines = wrapped(plain(text, 1200), REGULAR, size, RIGHT - LEFT - 14, 20)
        high = len(lines) * size * 1.5
        self._need(high + 10)
        self._y -= 4
        self._canvas.setFillColor(_TONES[tone])
        self._canvas.rect(LEFT, self._y - high + 1, 2.5, high, stroke=0, fill=1)
        for line in lines:
            self._line(LEFT + 14, line, REGULAR, size, INK)
            self._y -= size * 0.5
        self._y -= 14

    def quote(self, text: str) -> None:
        """Write what was read out or is agreed to, word for word, set apart by a line beside it."""
        size = 10.0
        clean = plain(text, MOST_SCRIPT, lines=True)
        for line in wrapped(clean, REGULAR, size, RIGHT - LEFT - 28, 400):
            self._need(size * 1.6)
            self._canvas.setFillColor(LINE)
            self._canvas.rect(LEFT, self._y - size * 1.6 + 2, 2.5, size * 1.6, stroke=0, fill=1)
            self._line(LEFT + 14, line, REGULAR, size, INK)
            self._y -= size * 0.6
        self._y -= 8

    def rows(self, rows: Sequence[tuple[str, str]], *, labels: float = 132) -> None:
        """Write labels with their values; a row without a value is left out."""
        size = 10.0
        for label, value in rows:
            if not value:
                continue
            lines = wrapped(plain(value), REGULAR, size, RIGHT - LEFT - labels, 3)
            self._need(len(lines) * size * 1.4 + 4)
            top = self._y
            self._line(LEFT, shortened(plain(label), REGULAR, size, labels - 8), REGULAR, size,
                       MUTED)  # fmt: skip
            self._y = top
            for line in lines:
                self._line(LEFT + labels, line, REGULAR, size, INK)
                self._y -= size * 0.4
            self._y -= 3
        self._y -= 4

    def table(
        self,
        columns: Sequence[Column],
        rows: Sequence[Sequence[str]],
        *,
        total: Sequence[str] | None = None,
        size: float = 9.5,
    ) -> None:
        """Write a table; its head comes again on every page, its last row never stands alone."""
        edges = _edges(columns)
        last = len(rows) - 1
        self._need(size * 6)
        self._table_head(columns, edges, size)
        for index, row in enumerate(rows):
            cells = _cells(columns, edges, row, REGULAR, size)
            high = max(map(len, cells)) * size * 1.3 + 8
            # A total goes over to the next page together with the row above it.
            if self._turns(high + (size * 2.4 if total and index == last else 0)):
                self._table_head(columns, edges, size)
            self._table_row(columns, edges, cells, REGULAR, size)
            if index < last or total is None:
                self._rule(LINE, 0.5)
        if total is not None:
            self._rule(INK, 0.8)
            self._table_row(columns, edges, _cells(columns, edges, total, BOLD, size), BOLD, size)
        self._y -= 8

    def signatures(self, *labels: str) -> None:
        """Leave lines to sign on, side by side."""
        wide = (RIGHT - LEFT - 24 * (len(labels) - 1)) / len(labels)
        self._need(70)
        self._y -= 44
        for index, label in enumerate(labels):
            start = LEFT + index * (wide + 24)
            self._canvas.setStrokeColor(INK)
            self._canvas.setLineWidth(0.6)
            self._canvas.line(start, self._y, start + wide, self._y)
            self._draw(start, self._y - 11, shortened(plain(label), REGULAR, 8.5, wide), REGULAR,
                       8.5, MUTED)  # fmt: skip
        self._y -= 22

    def small_print(self, title: str, lines: Sequence[tuple[str, str, str]]) -> None:
        """Write lines that only a check ever reads: a name, a count, and a long code."""
        size = 6.5
        self._need(40)
        self._y -= 10
        self._line(LEFT, plain(title), BOLD, 7.5, MUTED)
        self._y -= 4
        for name, count, code in lines:
            self._need(size * 1.7)
            top = self._y
            self._line(LEFT, shortened(plain(name), REGULAR, size, 130), REGULAR, size, MUTED)
            self._draw_right(LEFT + 180, self._y, plain(count, 20), REGULAR, size, MUTED)
            self._y = top
            fits = shortened(plain(code, 130), MONO, size, RIGHT - LEFT - 196)
            self._line(LEFT + 196, fits, MONO, size, MUTED)
            self._y -= size * 0.6

    # How the pages are kept

    def close(self) -> None:
        """Finish the last page."""
        self._write_foot()
        self._canvas.showPage()

    def _write_head(self) -> None:
        canvas, head = self._canvas, self._head
        phone = plain(head.coop_phone, 40)
        asks = shortened(f"Questions? Call {phone}" if phone else "", REGULAR, 9, 180)
        name = shortened(plain(head.coop_name), BOLD, 13, RIGHT - LEFT - 196)
        self._draw(LEFT, _HEAD, name, BOLD, 13, INK)
        self._draw_right(RIGHT, _HEAD, asks, REGULAR, 9, MUTED)
        canvas.setFillColor(ACCENT)
        canvas.rect(LEFT, _HEAD - 13, RIGHT - LEFT, 1.5, stroke=0, fill=1)

    def _write_foot(self) -> None:
        # Written last, so that whoever reads the text of a page hears it last.
        self._canvas.setFillColor(LINE)
        self._canvas.rect(LEFT, BOTTOM - 16, RIGHT - LEFT, 0.6, stroke=0, fill=1)
        self._draw(LEFT, BOTTOM - 29, self._foot(), REGULAR, 8, MUTED)
        pages = f"Page {self.page} of {self._pages}"
        self._draw_right(RIGHT, BOTTOM - 29, pages, REGULAR, 8, MUTED)

    def _foot(self) -> str:
        head = self._head
        parts = [head.title + (f" {plain(head.reference, 60)}" if head.reference else "")]
        if head.mark:
            parts.append(plain(head.mark, 40))
        if head.printed_at is not None:
            parts.append(f"Printed {moment_words(head.printed_at, head.zone)}")
        return shortened(plain("  ·  ".join(parts)), REGULAR, 8, RIGHT - LEFT - 90)

    def _open(self) -> None:
        """Begin the first page: whom it goes to, what it is, and the sum that matters."""
        head = self._head
        if head.address:
            self._y = _WINDOW_TOP
            for line in head.address[:6]:
                said = plain(line).upper()
                self._line(LEFT + 9, shortened(said, REGULAR, 10, 280), REGULAR, 10, INK)
                self._y -= 3
            self._y = _BELOW_WINDOW
        top = self._y
        room = RIGHT - LEFT
        if head.figure is not None:
            label, value = head.figure
            self._draw_right(RIGHT, top - 8, plain(label, 40), REGULAR, 9, MUTED)
            self._draw_right(RIGHT, top - 34, plain(value, 30), BOLD, 24, INK)
            room -= 200
        title = shortened(plain(head.title), BOLD, 20, room)
        self._line(LEFT, title, BOLD, 20, INK)
        if head.mark:
            self._stamp(LEFT + _width(title, BOLD, 20) + 14, self._y)
        if head.reference:
            self._y -= 9
            said = shortened(plain(head.reference, 80), REGULAR, 11, room)
            self._line(LEFT, said, REGULAR, 11, MUTED)
        self._y = min(self._y, top - 41 if head.figure else self._y) - 18

    def _stamp(self, x: float, y: float) -> None:
        mark = shortened(plain(self._head.mark, 40).upper(), BOLD, 11, 190)
        wide = _width(mark, BOLD, 11) + 16
        self._canvas.setStrokeColor(BAD)
        self._canvas.setLineWidth(1.2)
        self._canvas.roundRect(x, y - 2, wide, 19, 3, stroke=1, fill=0)
        self._draw(x + 8, y + 3.6, mark, BOLD, 11, BAD)

    def _turns(self, high: float) -> bool:
        """Begin another page when there is no room for as much; tell whether it did."""
        if self._y - high >= BOTTOM:
            return False
        self.close()
        self.page += 1
        self._write_head()
        head = self._head
        self._y = _FIRST_LINE + 8
        again = f"{head.title} {plain(head.reference, 60)}".strip() + ", continued"
        again = shortened(plain(again), BOLD, 11, RIGHT - LEFT - 230)
        self._line(LEFT, again, BOLD, 11, INK)
        if head.mark:
            self._stamp(LEFT + _width(again, BOLD, 11) + 12, self._y - 3)
        self._y -= 16
        return True

    def _need(self, high: float) -> None:
        self._turns(high)

    # How a table is drawn

    def _table_head(
        self, columns: Sequence[Column], edges: Sequence[tuple[float, float]], size: float
    ) -> None:
        self._y -= 2
        baseline = self._y - size
        for column, (start, end) in zip(columns, edges, strict=True):
            said = shortened(plain(column.title), REGULAR, size - 1, end - start)
            if column.right:
                self._draw_right(end, baseline, said, REGULAR, size - 1, MUTED)
            else:
                self._draw(start, baseline, said, REGULAR, size - 1, MUTED)
        self._y -= size + 5
        self._rule(INK, 0.8)

    def _table_row(
        self,
        columns: Sequence[Column],
        edges: Sequence[tuple[float, float]],
        cells: Sequence[Sequence[str]],
        font: str,
        size: float,
    ) -> None:
        for column, (start, end), lines in zip(columns, edges, cells, strict=True):
            baseline = self._y - size - 3.5
            for line in lines:
                if column.right:
                    self._draw_right(end, baseline, line, font, size, INK)
                else:
                    self._draw(start, baseline, line, font, size, INK)
                baseline -= size * 1.3
        self._y -= max(map(len, cells)) * size * 1.3 + 8

    def _rule(self, colour: HexColor, wide: float) -> None:
        self._canvas.setFillColor(colour)
        self._canvas.rect(LEFT, self._y, RIGHT - LEFT, wide, stroke=0, fill=1)

    # How words are drawn

    def _line(self, x: float, text: str, font: str, size: float, colour: HexColor) -> None:
        self._y -= size
        self._draw(x, self._y, text, font, size, colour)

    def _draw(
        self, x: float, y: float, text: str, font: str, size: float, colour: HexColor
    ) -> None:
        if text:
            self._canvas.setFont(font, size)
            self._canvas.setFillColor(colour)
            self._canvas.drawString(x, y, text)

    def _draw_right(
        self, x: float, y: float, text: str, font: str, size: float, colour: HexColor
    ) -> None:
        self._draw(x - _width(text, font, size), y, text, font, size, colour)


def _drawn(head: Head, body: Callable[[Paper], None], pages: int) -> tuple[bytes, int]:
    file = BytesIO()
    canvas = Canvas(
        file,
        pagesize=letter,
        invariant=1,
        lang="en-US",
        pageCompression=1,
        initialFontName=REGULAR,  # or every file would name a typeface that it does not use
    )
    title = f"{head.title} {plain(head.reference, 60)}".strip()
    canvas.setTitle(title)
    canvas.setAuthor(plain(head.coop_name))
    canvas.setSubject(head.title)
    canvas.setCreator("coop-console")
    canvas.setProducer("coop-console")
    canvas.setViewerPreference("DisplayDocTitle", "true")
    made = local(head.printed_at or datetime(2000, 1, 1, tzinfo=UTC), "UTC")
    canvas.setDateFormatter(lambda *_: f"D:{made:%Y%m%d%H%M%S}Z")
    paper = Paper(canvas, head, pages)
    body(paper)
    paper.close()
    canvas.save()
    return file.getvalue(), paper.page


def _load_type() -> None:
    folder = (_INSTALLED if _INSTALLED.is_dir() else _SOURCE) / "fonts"
    for name, file in _FILES.items():
        if name not in pdfmetrics.getRegisteredFontNames():
            pdfmetrics.registerFont(TTFont(name, str(folder / file)))


def _drawable(character: str) -> str:
    if character == "\n" or _has(character):
        return character
    alike = unicodedata.normalize("NFKC", character)
    if alike != character and all(map(_has, alike)):
        return alike
    # What only joins or dresses the letter before it leaves nothing to be seen.
    return "" if unicodedata.category(character) in ("Cf", "Mn") else _STAND_IN


def _has(character: str) -> bool:
    return ord(character) in pdfmetrics.getFont(REGULAR).face.charToGlyph


def _width(text: str, font: str, size: float) -> float:
    return float(pdfmetrics.stringWidth(text, font, size))


def _fitting(text: str, font: str, size: float, wide: float) -> int:
    """Count how many letters of a text fit into a width; one at least."""
    used = 0.0
    for count, character in enumerate(text):
        used += _width(character, font, size)
        if used > wide:
            return max(1, count)
    return len(text)


def _edges(columns: Sequence[Column]) -> list[tuple[float, float]]:
    gap = 12.0
    room = RIGHT - LEFT - gap * (len(columns) - 1)
    whole = sum(column.share for column in columns)
    edges = []
    start = LEFT
    for column in columns:
        end = start + room * column.share / whole
        edges.append((start, end))
        start = end + gap
    return edges


def _cells(
    columns: Sequence[Column],
    edges: Sequence[tuple[float, float]],
    row: Sequence[str],
    font: str,
    size: float,
) -> list[list[str]]:
    return [
        wrapped(plain(cell), font, size, end - start, column.most_lines)
        for column, (start, end), cell in zip(columns, edges, row, strict=True)
    ]
