"""The main job, told as it happens on the telephone."""

import pytest
from playwright.sync_api import Page, expect


def registers(page: Page, office, name, account="1023401", email="rosalind.delong@example.com"):
    page.goto(f"{office.where.portal}/register")
    page.get_by_label("Account number").fill(account)
    page.get_by_label("Last name or business name").fill(name)
    page.get_by_label("E-mail address").fill(email)
    page.get_by_role("button", name="Register").click()


@pytest.mark.browser
def test_a_refused_member_is_signed_in_before_the_call_ends(office, page):
    clerk = office.clerk
    # The member tries, and the portal is as unhelpful as in life.
    registers(page, office, "D Long")
    expect(page.get_by_text("match", exact=False).first).to_be_visible()
    # The phone rings.
    office.sits_down()
    office.looks_up("rosalind de long", "Rosalind DeLong")
    clerk.sees("“D Long” was typed")
    office.verifies_the_caller()
    clerk.keys("Ctrl+J")
    clerk.sees("would still refuse")
    # She can show that her name is two words.
    clerk.keys("Ctrl+E")
    clerk.fills("New last or business name", "De Long")
    clerk.keys("Ctrl+Return")
    clerk.sees("would accept “De Long” for account 1023401 now")
    clerk.presses("Done")
    # She tries again while the call lasts.
    registers(page, office, "De Long")
    expect(page.get_by_text("e-mail", exact=False).first).to_be_visible()
    clerk.sees("Waiting for verification")
    page.goto(office.where.mailbox)
    page.get_by_label("Mailboxes").get_by_title("rosalind.delong@example.com").click()
    page.get_by_label("E-mails").get_by_role("link").first.click()
    frame = page.frame_locator("iframe")
    link = frame.get_by_role("link", name="Verify Account").get_attribute("href")
    assert link is not None
    page.goto(link)
    page.get_by_role("button", name="Verify Account").click()
    page.get_by_label("New password").fill("Kettle7!")
    page.get_by_label("The same again").fill("Kettle7!")
    page.get_by_role("button", name="Save and sign in").click()
    expect(page.get_by_text("418 Pine Ln").first).to_be_visible()
    clerk.sees("Verified")


def test_reading_the_spelling_out_is_on_the_timeline_and_the_trail(office):
    clerk = office.clerk
    office.sits_down()
    office.looks_up("declan o'brien", "Declan O'Brien")
    office.verifies_the_caller()
    clerk.sees("no curly apostrophe")
    clerk.keys("Ctrl+R")
    clerk.sees("Noted: the spelling on file was read out.")


def test_another_person_needs_a_supervisor(office):
    clerk = office.clerk
    office.sits_down()
    office.looks_up("elmer rasmussen", "Elmer Rasmussen")
    office.verifies_the_caller()
    clerk.keys("Ctrl+E")
    clerk.fills("New last or business name", "Brightwater")
    clerk.sees("A supervisor must approve it")
    clerk.keys("Ctrl+Return")
    clerk.sees("supervisor")
    assert clerk.does_not_see("On file: Brightwater")


def test_a_supervisor_lets_another_person_through_and_takes_it_back(office):
    clerk = office.clerk
    office.sits_down("Sam Thorfeld, Supervisor")
    office.looks_up("elmer rasmussen", "Elmer Rasmussen")
    office.verifies_the_caller()
    clerk.keys("Ctrl+E")
    clerk.fills("New last or business name", "Brightwater")
    clerk.sees("You approve it as supervisor")
    clerk.keys("Ctrl+Return")
    clerk.sees("On file: Brightwater")
    clerk.sees("would accept “Brightwater”")
    clerk.presses("Undo this correction")
    clerk.sees("On file again: Rasmussen")
    clerk.sees("would accept “Rasmussen”")


def test_an_auditor_looks_and_changes_nothing(office):
    clerk = office.clerk
    office.sits_down("Avery Kalwick, Auditor")
    office.looks_up("rosalind", "Rosalind DeLong")
    clerk.keys("Ctrl+E")
    clerk.rests(0.2)
    assert clerk.does_not_see("Correct the name on file")


def test_while_the_portal_is_down_the_correction_waits_and_then_arrives(office):
    clerk = office.clerk
    office.sits_down()
    office.looks_up("rosalind", "Rosalind DeLong")
    office.verifies_the_caller()
    office.tell("/sandbox/misbehave", kind="down", path="/v1/")
    clerk.keys("Ctrl+E")
    clerk.fills("New last or business name", "De Long")
    clerk.keys("Ctrl+Return")
    clerk.sees("On file: De Long")
    office.tell("/sandbox/behave")
    clerk.sees("would accept “De Long”", patience=60)


def test_the_worklist_shows_who_is_stuck_and_opens_them(office):
    clerk = office.clerk
    office.sits_down()
    clerk.presses("Registrations")
    clerk.sees("Refused  ")
    clerk.fills("Narrow the list of registrations", "whitcomb")
    clerk.opens_row("Harold & June Whitcomb")
    clerk.sees("Why it was refused")
    clerk.sees("“Whitcomb” was typed")
