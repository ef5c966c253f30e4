"""Reads a drawn document back: its words, its dots, and made-up values to draw."""

from datetime import UTC, datetime

import pypdfium2

from console.domain.money import Money
from console.domain.receipts import Receipt, ReceiptLine

COOP = {
    "coop_name": "Prairie Fork Electric Cooperative",
    "coop_phone": "555-0142",
    "zone": "America/Chicago",
}
PAID_AT = datetime(2026, 11, 16, 16, 42, tzinfo=UTC)
PRINTED_AT = datetime(2026, 11, 17, 15, 5, tzinfo=UTC)

HOSTILE = {
    "markup": "<b>Rose</b> <img src='file:///etc/hostname'/> &amp; <para>",
    "right to left": "\u202eesoR\u202c محمد ירון",
    "emoji": "Rose 🌻👩‍👧 DeLong",
    "NUL and controls": "Ro\x00se\x07 De\x1bLong\r\n\tII",
    "half a letter": "Rose \ud83c DeLong",
    "many marks": "R" + "\u0301" * 5000 + "ose",
    "one long word": "W" * 1_000_000,
    "many long words": "Wolfeschlegelsteinhausenberger " * 30_000,
    "parentheses": "Rose (DeLong) \\ ) Tj ET",
    "nothing": "",
}


def receipt(*lines: ReceiptLine, **more) -> Receipt:
    lines = lines or (
        ReceiptLine("1023401", "418 County Road 12, Willow Bend", Money(18410), Money(0)),
    )
    values = {
        **COOP,
        "number": "7K3M9-Q2X4T",
        "paid_at": PAID_AT,
        "member_name": "Rose DeLong",
        "way_words": "Card",
        "method_words": "Visa ending in 4242",
        "amount": Money(sum(line.amount.cents for line in lines)),
        "lines": lines,
        "taken_by": "Riley Osterholm",
        **more,
    }
    return Receipt(**values)


def pages_of(pdf: bytes) -> list[str]:
    """The words of each page, line by line as they are read."""
    with pypdfium2.PdfDocument(pdf) as document:
        return [page.get_textpage().get_text_bounded().replace("\r\n", "\n") for page in document]


def text_of(pdf: bytes) -> str:
    return "\n".join(pages_of(pdf))


def about(pdf: bytes) -> dict[str, str]:
    with pypdfium2.PdfDocument(pdf) as document:
        return document.get_metadata_dict()


def dots_of(pdf: bytes, page: int = 0, scale: float = 1):
    """The page as grey dots."""
    with pypdfium2.PdfDocument(pdf) as document:
        return document[page].render(scale=scale, grayscale=True).to_pil().convert("L")


def is_blank(picture, left: float, top: float, right: float, bottom: float) -> bool:
    """Whether a part of a page, in points from its top left corner, is white paper."""
    return picture.crop((round(left), round(top), round(right), round(bottom))).getextrema() == (
        255,
        255,
    )


def right_edges(pdf: bytes, words: str, page: int = 0) -> list[float]:
    """Where each of these words ends, in points from the left edge of the paper."""
    with pypdfium2.PdfDocument(pdf) as document:
        text = document[page].get_textpage()
        search = text.search(words)
        edges = []
        while (found := search.get_next()) is not None:
            index, count = found
            edges.append(text.get_charbox(index + count - 1, loose=True)[2])
        return edges
