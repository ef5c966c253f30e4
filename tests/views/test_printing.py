import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QPageSize
from PySide6.QtPrintSupport import QPrintDialog, QPrinter
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QFileDialog, QMainWindow

from console.documents.page import Column, Head, draw
from console.documents.receipts import draw_receipt
from console.views.printing import MOST_SHOWN, PrintSheet, letter_printer
from console.views.toasts import Toasts
from tests.documents.paper import COOP, dots_of, pages_of, receipt

CONTROL = Qt.KeyboardModifier.ControlModifier


def long_document(rows):
    columns = (Column("Account", 1), Column("Amount", 1, right=True))
    lines = [(str(index), "$1.00") for index in range(rows)]
    return draw(Head(**COOP, title="Long list"), lambda paper: paper.table(columns, lines))


@pytest.fixture
def window(qtbot):
    window = QMainWindow()
    window.resize(1366, 768)
    window.toasts = Toasts(window)
    qtbot.addWidget(window)
    with qtbot.waitActive(window):
        window.show()
    return window


@pytest.fixture
def opened(qtbot, window, background):
    def open_sheet(pdf, name="Receipt 7K3M9-Q2X4T"):
        sheet = PrintSheet(window, background, name, pdf, "receipt-7K3M9-Q2X4T.pdf")
        with qtbot.waitSignal(sheet.shown):
            sheet.open()
        sheet.activateWindow()
        qtbot.waitUntil(lambda: QApplication.activeWindow() is sheet)
        return sheet

    yield open_sheet
    qtbot.waitUntil(lambda: background.idle)


def to_a_file(file):
    """A printer that prints into a PDF."""
    printer = letter_printer("Receipt")
    printer.setOutputFormat(QPrinter.OutputFormat.PdfFormat)
    printer.setOutputFileName(str(file))
    return printer


def said(window):
    return window.toasts.toast.words.text()


def ink(picture, step=51):
    """Where there is ink, coarsely: two pages that look alike answer the same nearly everywhere."""
    small = picture.resize((step, step * 11 // 9))
    return [dot < 245 for dot in small.tobytes()]


def likeness(one, other):
    return sum(a == b for a, b in zip(one, other, strict=True)) / len(one)


def test_the_pages_are_shown_as_wide_as_the_sheet_with_words_for_a_screen_reader(opened):
    pdf = draw_receipt(receipt())
    sheet = opened(pdf)
    (page,) = sheet.pages
    assert page.accessibleName() == "Page 1 of 1"
    assert "Total paid $184.10" in page.accessibleDescription()
    assert 600 < page.width() <= sheet.width()
    assert page.height() == pytest.approx(page.width() * 11 / 8.5, abs=1)
    shown = page.pixmap().toImage()
    dark = [
        (x, y)
        for x in range(0, shown.width(), 2)
        for y in range(0, shown.height(), 2)
        if shown.pixelColor(x, y).lightness() < 100
    ]
    assert len(dark) > 200, "the page is blank"
    assert not sheet.many.isVisible()


def test_a_long_document_shows_its_first_pages_and_says_so(opened):
    pdf = long_document(900)
    count = len(pages_of(pdf))
    assert count > MOST_SHOWN
    sheet = opened(pdf)
    assert len(sheet.pages) == MOST_SHOWN
    assert sheet.many.isVisible()
    assert sheet.many.text() == f"The first 20 of {count} pages. Printing takes them all."


def test_the_keys_turn_the_pages(qtbot, opened):
    sheet = opened(long_document(90))
    bar = sheet._area.verticalScrollBar()
    qtbot.waitUntil(lambda: bar.maximum() > 0)
    QTest.keyClick(sheet, Qt.Key.Key_PageDown)
    assert bar.value() == bar.pageStep()
    QTest.keyClick(sheet, Qt.Key.Key_Down)
    assert bar.value() > bar.pageStep()
    QTest.keyClick(sheet, Qt.Key.Key_End)
    assert bar.value() == bar.maximum()
    QTest.keyClick(sheet, Qt.Key.Key_Home)
    assert bar.value() == 0


def test_the_printer_is_set_to_letter_at_300_dots():
    printer = letter_printer("Receipt")
    assert printer.pageLayout().pageSize().id() == QPageSize.PageSizeId.Letter
    assert printer.resolution() == 300
    assert printer.fullPage()


def test_what_is_printed_looks_like_the_document_on_every_page(qtbot, opened, window, tmp_path):
    pdf = long_document(90)
    count = len(pages_of(pdf))
    assert count == 4
    sheet = opened(pdf, "Long list")
    file = tmp_path / "printed.pdf"
    with qtbot.waitSignal(sheet.printed):
        sheet.print_to(to_a_file(file))
    printed = file.read_bytes()
    assert len(pages_of(printed)) == count
    for page in range(count):
        drawn, on_paper = dots_of(pdf, page), dots_of(printed, page)
        assert on_paper.size == drawn.size == (612, 792)
        assert likeness(ink(drawn), ink(on_paper)) > 0.97
        assert sum(ink(on_paper)) > 100
    assert said(window) == "Long list went to the printer."
    assert sheet.print.isEnabled()


def test_only_the_pages_that_were_chosen_are_printed(qtbot, opened, tmp_path):
    pdf = long_document(90)
    sheet = opened(pdf)
    printer = to_a_file(tmp_path / "printed.pdf")
    printer.setFromTo(2, 2)
    with qtbot.waitSignal(sheet.printed):
        sheet.print_to(printer)
    printed = (tmp_path / "printed.pdf").read_bytes()
    assert len(pages_of(printed)) == 1
    assert likeness(ink(dots_of(pdf, 1)), ink(dots_of(printed))) > 0.97


def test_the_print_key_asks_which_printer_and_then_prints(qtbot, opened, tmp_path):
    sheet = opened(draw_receipt(receipt()))
    QTest.keyClick(sheet, Qt.Key.Key_P, CONTROL)
    (dialog,) = sheet.findChildren(QPrintDialog)
    assert dialog.isVisible()
    file = tmp_path / "printed.pdf"
    dialog.printer().setOutputFormat(QPrinter.OutputFormat.PdfFormat)
    dialog.printer().setOutputFileName(str(file))
    with qtbot.waitSignal(sheet.printed):
        dialog.accepted.emit(dialog.printer())
        dialog.close()
    assert likeness(ink(dots_of(draw_receipt(receipt()))), ink(dots_of(file.read_bytes()))) > 0.97


@pytest.mark.qt_log_ignore("QPainter::begin")
def test_a_printer_that_takes_nothing_is_a_sentence(opened, tmp_path):
    sheet = opened(draw_receipt(receipt()))
    sheet.print_to(to_a_file(tmp_path / "no such folder" / "printed.pdf"))
    assert sheet.problem.text().startswith("The printer takes nothing.")
    assert sheet.print.isEnabled()


def test_closing_the_sheet_stops_the_printing(qtbot, opened, background, tmp_path):
    sheet = opened(long_document(900))
    sheet.print_to(to_a_file(tmp_path / "printed.pdf"))
    assert not sheet.print.isEnabled()
    QTest.keyClick(sheet, Qt.Key.Key_Escape)
    assert not sheet.isVisible()
    qtbot.waitUntil(lambda: background.idle)
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)


def test_it_is_saved_to_the_byte_under_the_name_that_is_offered(
    qtbot, opened, window, tmp_path, monkeypatch
):
    offered = []

    def choose(_over, _title, name, _kinds):
        offered.append(name)
        return str(tmp_path / name), ""

    monkeypatch.setattr(QFileDialog, "getSaveFileName", choose)
    pdf = draw_receipt(receipt())
    sheet = opened(pdf)
    with qtbot.waitSignal(sheet.saved):
        QTest.keyClick(sheet, Qt.Key.Key_S, CONTROL)
    assert offered == ["receipt-7K3M9-Q2X4T.pdf"]
    assert (tmp_path / "receipt-7K3M9-Q2X4T.pdf").read_bytes() == pdf
    assert said(window) == f"Saved as receipt-7K3M9-Q2X4T.pdf in {tmp_path}."


def test_a_file_that_cannot_be_written_is_a_sentence(qtbot, opened, tmp_path):
    sheet = opened(draw_receipt(receipt()))
    sheet.save_to(tmp_path / "no such folder" / "receipt.pdf")
    qtbot.waitUntil(lambda: "could not be written" in sheet.problem.text())
    assert "Choose another folder." in sheet.problem.text()
    assert sheet.save_button.isEnabled()


def test_a_small_window_keeps_the_buttons_in_sight(opened, window):
    window.resize(1024, 700)
    sheet = opened(draw_receipt(receipt()))
    assert sheet.height() <= 700
    assert sheet.rect().contains(sheet.print_button.geometry())
    assert sheet.pages[0].width() <= sheet._area.viewport().width()
