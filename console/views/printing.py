"""The sheet that shows a document as it will lie in the printer, and prints or saves it."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from PySide6.QtCore import QRect, QSize, Qt, Signal
from PySide6.QtGui import QImage, QKeyEvent, QPageLayout, QPageSize, QPainter, QPixmap, QShowEvent
from PySide6.QtPrintSupport import QAbstractPrintDialog, QPrintDialog, QPrinter
from PySide6.QtWidgets import QDialog, QFileDialog, QLabel, QWidget

from console.background import Background
from console.documents.pictures import PagePicture, count_pages, picture_page
from console.domain.errors import ConsoleError
from console.services.desk import Desk
from console.views import theme
from console.views.sheet import Sheet
from console.views.theme import GRID
from console.views.toasts import say
from console.views.widgets import Button, act, muted

DOTS_PER_INCH = 300
MOST_SHOWN = 20
"""Pages that are shown; all are printed and saved."""
_TALL_AS_WIDE = 11 / 8.5


class NotSaved(ConsoleError):
    """The file could not be written."""


class NotPrinted(ConsoleError):
    """The printer took nothing."""


def letter_printer(name: str) -> QPrinter:
    """Answer the usual printer, set to US Letter; `name` is what its queue shows."""
    printer = QPrinter()
    # Left alone it would be A4 at 1200 dots, which are 134 million of them a page.
    printer.setPageSize(QPageSize(QPageSize.PageSizeId.Letter))
    printer.setPageOrientation(QPageLayout.Orientation.Portrait)
    printer.setResolution(DOTS_PER_INCH)
    printer.setFullPage(True)
    printer.setDocName(name)
    return printer


class PrintSheet(Sheet):
    """Shows the pages of a document, with Print, Save as PDF and Close."""

    shown = Signal()
    """Every page that is shown is there to be seen."""
    printed = Signal()
    """The last page has gone to the printer."""
    saved = Signal(Path)

    def __init__(
        self, over: QWidget, background: Background, name: str, pdf: bytes, file_name: str
    ) -> None:
        super().__init__(over, name, wide=760)
        self.background = background
        self.pages: list[PageView] = []
        self._name, self._pdf, self._file_name = name, pdf, file_name
        self._count = 1
        self._asked = False
        self._chosen: QPrinter | None = None
        self._printer: QPrinter | None = None
        self._painter: QPainter | None = None
        self.many = muted("", wrap=True)
        self.body.addWidget(self.many)
        self.many.hide()
        self.print = act(self, "Print", self._on_print, key="Ctrl+P", icon="print")
        self.save = act(self, "Save as PDF", self._on_save, key="Ctrl+S")
        self.add_cancel("Close")
        self.save_button = self.add_button(Button(self.save))
        self.print_button = self.add_button(Button(self.print, "primary"))
        self.print_button.setDefault(True)
        self.print_button.setFocus()

    # What it shows

    def show_pages(self, count: int) -> None:
        """Make room for the pages, then show one after the other."""
        shown = min(count, MOST_SHOWN)
        if count > shown:
            self.many.say(f"The first {shown} of {count:,} pages. Printing takes them all.")
            self.many.show()
        self._count = count
        self.pages = [PageView(page, count, self._page_width()) for page in range(shown)]
        for view in self.pages:
            self.body.addWidget(view, 0, Qt.AlignmentFlag.AlignLeft)
        # Pages have one height, whatever their width; a sheet of words is measured otherwise.
        self._inside.setMinimumHeight(0)
        self._show_next(0)

    def print_to(self, printer: QPrinter) -> None:
        """Print on a printer that is set up; the pages follow each other in the background."""
        self.clear_problem()
        painter = QPainter()
        if not painter.begin(printer):
            self.show_problem(
                NotPrinted(
                    "The printer takes nothing. See whether it is on, or choose another one."
                )
            )
            return
        self._printer, self._painter = printer, painter
        # 0 stands for the first and the last page there is.
        first = max(1, printer.fromPage()) - 1
        last = min(self._count, printer.toPage() or self._count)
        self.begin_waiting("Printing…")
        self._set_busy(True)
        self._print_next(first, last)

    def save_to(self, file: Path) -> None:
        """Write the document into a file."""
        self.clear_problem()
        self.background.ask(_write, self._pdf, file).then(
            self, self._on_saved, busy=[self.save_button], local=True
        )

    # Qt's own

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if not self._asked:
            self._asked = True
            self.background.ask(_count, self._pdf).then(self, self.show_pages, local=True)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        bar = self._area.verticalScrollBar()
        leaps = {
            Qt.Key.Key_PageDown: bar.pageStep(),
            Qt.Key.Key_PageUp: -bar.pageStep(),
            Qt.Key.Key_Down: bar.singleStep() * 3,
            Qt.Key.Key_Up: -bar.singleStep() * 3,
            Qt.Key.Key_Home: -bar.maximum(),
            Qt.Key.Key_End: bar.maximum(),
        }
        leap = leaps.get(Qt.Key(event.key()))
        if leap is None:
            super().keyPressEvent(event)
        else:
            bar.setValue(bar.value() + leap)

    def done(self, result: int) -> None:
        self._stop_printing()
        super().done(result)

    # What happens

    def _page_width(self) -> int:
        bar = self._area.verticalScrollBar().sizeHint().width()
        return self.minimumWidth() - 6 * GRID - bar - GRID

    def _show_next(self, page: int) -> None:
        if page == len(self.pages):
            self.shown.emit()
            return
        dots = round(self._page_width() * self.devicePixelRatioF())
        self.background.ask(_picture, self._pdf, page, dots).then(
            self, partial(self._show_page, page), local=True
        )

    def _show_page(self, page: int, picture: PagePicture) -> None:
        self.pages[page].show_picture(picture)
        self._show_next(page + 1)

    def _on_print(self) -> None:
        self._chosen = letter_printer(self._name)  # the dialog holds it by its address only
        dialog = QPrintDialog(self._chosen, self)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setOption(QAbstractPrintDialog.PrintDialogOption.PrintPageRange)
        dialog.setMinMax(1, max(1, self._count))
        dialog.accepted.connect(self.print_to)
        QDialog.open(dialog)  # the dialog’s own `open` wants a slot of old

    def _print_next(self, page: int, last: int) -> None:
        if self._printer is None or self._painter is None:
            return  # the sheet was closed meanwhile
        if page >= last:
            self._painter.end()
            self._printer = self._painter = None
            self._end_printing()
            say(self, f"{self._name} went to the printer.", icon="print")
            self.printed.emit()
            return
        dots = self._printer.pageLayout().fullRectPixels(self._printer.resolution()).width()
        self.background.ask(_picture, self._pdf, page, dots).then(
            self, partial(self._put_on_paper, page, last), failed=self._on_not_printed, local=True
        )

    def _put_on_paper(self, page: int, last: int, picture: PagePicture) -> None:
        if self._printer is None or self._painter is None:
            return
        if page + 1 < last:
            self.waiting.setText(f"Printing page {page + 2} of {self._count}…")
        paper = self._printer.pageLayout().fullRectPixels(self._printer.resolution())
        image = _image(picture)
        size = image.size().scaled(paper.size(), Qt.AspectRatioMode.KeepAspectRatio)
        self._painter.drawImage(QRect(paper.topLeft(), size), image)
        if page + 1 < last and not self._printer.newPage():
            self._on_not_printed(NotPrinted("The printer stopped. See whether it has paper."))
            return
        self._print_next(page + 1, last)

    def _on_not_printed(self, problem: ConsoleError) -> None:
        self._stop_printing()
        self._end_printing()
        self.show_problem(problem)

    def _stop_printing(self) -> None:
        if self._printer is not None and self._painter is not None:
            self._printer.abort()
            self._painter.end()
        self._printer = self._painter = None

    def _end_printing(self) -> None:
        self._set_busy(False)
        self.end_waiting()

    def _set_busy(self, busy: bool) -> None:
        self.print.setEnabled(not busy)
        self.save.setEnabled(not busy)

    def _on_save(self) -> None:
        chosen, _ = QFileDialog.getSaveFileName(
            self, "Save as PDF", self._file_name, "PDF files (*.pdf)"
        )
        if chosen:
            self.save_to(Path(chosen))

    def _on_saved(self, file: Path) -> None:
        say(self, f"Saved as {file.name} in {file.parent}.")
        self.saved.emit(file)


class PageView(QLabel):
    """One page on screen: paper with a fine edge, and its words for a screen reader."""

    def __init__(self, page: int, count: int, wide: int) -> None:
        super().__init__()
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setFixedSize(QSize(wide, round(wide * _TALL_AS_WIDE)))
        self.setAccessibleName(f"Page {page + 1} of {count}")
        blank = QPixmap(self.size())
        blank.fill(Qt.GlobalColor.white)
        self._show(blank)

    def show_picture(self, picture: PagePicture) -> None:
        """Show the page."""
        pixmap = QPixmap.fromImage(_image(picture))
        pixmap.setDevicePixelRatio(picture.wide / self.width())
        self.setAccessibleDescription(picture.words)
        self._show(pixmap)

    def _show(self, pixmap: QPixmap) -> None:
        with theme.painting(pixmap) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
            painter.setPen(theme.current().colour("line"))
            painter.drawRect(0, 0, self.width() - 1, self.height() - 1)
        self.setPixmap(pixmap)


def _image(picture: PagePicture) -> QImage:
    # Without a copy Qt would read on in bytes that Python has let go of.
    return QImage(
        picture.dots, picture.wide, picture.tall, picture.stride, QImage.Format.Format_RGB32
    ).copy()


# What the background does


def _count(_: Desk, pdf: bytes) -> int:
    return count_pages(pdf)


def _picture(_: Desk, pdf: bytes, page: int, wide: int) -> PagePicture:
    return picture_page(pdf, page, wide)


def _write(_: Desk, pdf: bytes, file: Path) -> Path:
    try:
        file.write_bytes(pdf)
    except OSError as error:
        raise NotSaved(
            f"The document could not be written to {file}: {error.strerror}. Choose another folder."
        ) from error
    return file
