"""Pictures of a PDF's pages: the same on screen, on the printer and in tests."""

from __future__ import annotations

from dataclasses import dataclass
from threading import Lock

import pypdfium2

# Its library must not be entered by two threads at once.
_reading = Lock()


@dataclass(frozen=True)
class PagePicture:
    """One page as dots of four bytes each: blue, green, red and one that means nothing."""

    wide: int
    tall: int
    stride: int
    """Bytes of one row of dots."""
    dots: bytes
    words: str
    """What is written on the page, for a screen reader."""


def count_pages(pdf: bytes) -> int:
    """Count the pages of a PDF."""
    with _reading, pypdfium2.PdfDocument(pdf) as document:
        return len(document)


def picture_page(pdf: bytes, page: int, wide: int) -> PagePicture:
    """Take a picture of one page, counted from 0, so many dots wide."""
    with _reading, pypdfium2.PdfDocument(pdf) as document:
        sheet = document[page]
        bitmap = sheet.render(
            scale=wide / sheet.get_width(),
            force_bitmap_format=pypdfium2.raw.FPDFBitmap_BGRx,
        )
        text = sheet.get_textpage()
        try:
            return PagePicture(
                wide=bitmap.width,
                tall=bitmap.height,
                stride=bitmap.stride,
                dots=bytes(bitmap.buffer),
                words=text.get_text_bounded().replace("\r\n", "\n"),
            )
        finally:
            text.close()
            bitmap.close()
            sheet.close()
