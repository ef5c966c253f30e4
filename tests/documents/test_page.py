from concurrent.futures import ThreadPoolExecutor

import pytest

from console.documents.page import LEFT, RIGHT, TALL, Column, Head, draw, plain
from console.documents.receipts import draw_receipt
from tests.documents.paper import (
    COOP,
    HOSTILE,
    PRINTED_AT,
    about,
    dots_of,
    is_blank,
    pages_of,
    receipt,
    right_edges,
    text_of,
)


def drawn(body, **more):
    return draw(Head(**{**COOP, "title": "Receipt", **more}), body)


def test_the_same_values_give_the_same_bytes():
    assert draw_receipt(receipt(), PRINTED_AT) == draw_receipt(receipt(), PRINTED_AT)
    assert draw_receipt(receipt(), PRINTED_AT) != draw_receipt(receipt(taken_by="Sam"), PRINTED_AT)


def test_letters_of_one_document_do_not_reach_into_another_that_is_drawn_meanwhile():
    names = [f"Łukasz Nguyễn {'ÀÉÎÕÜ'[index % 5]}{index}" for index in range(24)]
    alone = [draw_receipt(receipt(member_name=name)) for name in names]
    with ThreadPoolExecutor(4) as threads:
        together = threads.map(lambda name: draw_receipt(receipt(member_name=name)), names)
        assert list(together) == alone


def test_the_paper_is_letter_and_says_what_it_is_and_nothing_of_the_machine():
    pdf = draw_receipt(receipt(), PRINTED_AT)
    picture = dots_of(pdf)
    assert picture.size == (612, 792)
    said = about(pdf)
    assert said["Title"] == "Receipt 7K3M9-Q2X4T"
    assert said["Author"] == "Prairie Fork Electric Cooperative"
    assert {said["Creator"], said["Producer"]} == {"coop-console"}
    assert said["CreationDate"] == "D:20261117150500Z"
    assert b"/Lang (en-US)" in pdf
    assert b"resources" not in pdf


def test_the_type_is_embedded_and_has_the_letters_of_our_members():
    name = "Núñez Łukasz Nguyễn Åse Żółć Dvořák Ștefan Þóra Őry Ķēniņš"
    pdf = draw_receipt(receipt(member_name=name))
    assert name in text_of(pdf)
    assert b"/FontFile2" in pdf
    assert b"Helvetica" not in pdf


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_name_is_only_ever_drawn(kind):
    name = HOSTILE[kind]
    pdf = draw_receipt(
        receipt(
            member_name=name,
            coop_name=name,
            coop_phone=name,
            taken_by=name,
            method_words=name,
            note=name,
            stands=name,
            number=name,
        )
    )
    text = text_of(pdf)
    assert "$184.10" in text
    assert "\x00" not in text
    assert len(pdf) < 200_000
    assert len(pages_of(pdf)) <= 2
    for page in range(len(pages_of(pdf))):
        picture = dots_of(pdf, page)
        assert is_blank(picture, 0, 0, LEFT - 1, TALL), "something runs over the left margin"
        assert is_blank(picture, RIGHT + 2, 0, 612, TALL), "something runs over the right margin"


def test_markup_is_drawn_as_it_was_typed():
    assert "<b>Rose</b> <img src=" in text_of(draw_receipt(receipt(member_name=HOSTILE["markup"])))


def test_a_letter_that_the_type_does_not_have_leaves_a_box_and_a_mark_that_turns_text_nothing():
    draw_receipt(receipt())  # loads the type
    assert plain("Rose 🌻👩‍👧") == "Rose □□□"
    assert plain("\u202eesoR") == "esoR"
    assert plain("ﬁne ＡＢ") == "fine AB"
    assert plain("a\x00b") == "ab"


def test_what_is_too_long_ends_in_dots():
    draw_receipt(receipt())
    assert plain("x" * 400, 10) == "xxxxxxxxx…"
    assert plain("short", 10) == "short"


def test_amounts_stand_under_each_other():
    columns = (Column("", 1), Column("Amount", 1, right=True))
    pdf = drawn(lambda paper: paper.table(columns, [("a", "$1.11"), ("b", "$8,888.88")]))
    (ones,), (eights,) = right_edges(pdf, "$1.11"), right_edges(pdf, "$8,888.88")
    assert ones == pytest.approx(eights, abs=0.6)
    assert ones == pytest.approx(RIGHT, abs=1.5)
    same = drawn(lambda paper: paper.table(columns, [("a", "$11.11 x"), ("b", "$88.88 x")]))
    (ones,), (eights,) = right_edges(same, "$11.11"), right_edges(same, "$88.88")
    assert ones == pytest.approx(eights, abs=0.6), "the figures are not of one width"


def test_a_long_table_repeats_its_head_and_the_mark_on_every_page():
    columns = (Column("Account", 1), Column("Amount", 1, right=True))
    rows = [(f"10234{index:02}", f"${index}.00") for index in range(80)]
    pdf = drawn(
        lambda paper: paper.table(columns, rows, total=("Total", "$3,160.00")),
        mark="Void",
        reference="7K3M9",
        printed_at=PRINTED_AT,
    )
    pages = pages_of(pdf)
    assert len(pages) >= 3
    for number, page in enumerate(pages, start=1):
        assert "Account" in page
        assert "VOID" in page
        assert f"Page {number} of {len(pages)}" in page
        assert "Printed 17 Nov 2026 09:05" in page
    assert "Receipt 7K3M9, continued" in pages[1]
    assert "$3,160.00" in pages[-1]
    for row in rows:
        assert sum(page.count(row[0]) for page in pages) == 1


@pytest.mark.parametrize("many", range(1, 40))
def test_a_total_never_stands_alone_on_a_page(many):
    columns = (Column("Account", 1), Column("Amount", 1, right=True))
    rows = [(f"10234{index:02}", "$1.00") for index in range(many)]
    last = pages_of(
        drawn(lambda paper: paper.table(columns, rows, total=("Total", f"${many}.00")))
    )[-1]
    assert "Total" in last
    assert rows[-1][0] in last
    assert is_above_the_foot(rows, many)


def is_above_the_foot(rows, many):
    columns = (Column("Account", 1), Column("Amount", 1, right=True))
    pdf = drawn(lambda paper: paper.table(columns, rows, total=("Total", f"${many}.00")))
    # Between the last row and the line of the foot there is white paper.
    return is_blank(dots_of(pdf, len(pages_of(pdf)) - 1), 0, TALL - 64, 612, TALL - 52)


def test_the_foot_is_read_last():
    lines = text_of(draw_receipt(receipt(), PRINTED_AT)).strip().split("\n")
    assert lines[0].startswith("Prairie Fork Electric Cooperative")
    assert lines[-1].endswith("Page 1 of 1")


def test_without_a_moment_the_foot_does_not_say_when_it_was_printed():
    assert "Printed" not in text_of(draw_receipt(receipt()))


def test_an_address_shows_in_the_window_of_an_envelope():
    pdf = drawn(lambda paper: None, address=("Rose DeLong", "PO Box 12", "Willow Bend, MN 55555"))
    assert "ROSE DELONG\nPO BOX 12\nWILLOW BEND, MN 55555" in text_of(pdf)
    picture = dots_of(pdf)
    assert not is_blank(picture, 63, 144, 387, 225)
    # Nothing else may show through the window.
    assert is_blank(picture, 0, 70, 612, 140)
    assert is_blank(picture, 0, 190, 612, 220)
