"""The verify-account e-mail, told as it happens on the telephone."""


def mails(office):
    return sum(office.tell("/sandbox/counters")["mails"].values())


def test_a_slip_in_the_address_is_mended_and_one_mail_goes(office):
    clerk = office.clerk
    office.sits_down()
    office.looks_up("otto baumgartner", "Otto Baumgartner")
    office.verifies_the_caller()
    clerk.sees("does not exist")
    clerk.sees("Did they mean otto.baumgartner@gmail.com?")
    before = mails(office)
    clerk.keys("Ctrl+D")
    clerk.keys("Return")
    clerk.sees("Send again in")
    assert mails(office) == before + 1


def test_an_answer_that_is_lost_sends_no_second_mail(office):
    clerk = office.clerk
    office.sits_down()
    office.looks_up("marcus okafor", "Marcus Okafor")
    office.verifies_the_caller()
    before = mails(office)
    clerk.sees("Send the e-mail again")
    office.tell("/sandbox/misbehave", kind="cut", path="/v1/registrations", times=1)
    clerk.keys("Ctrl+M")
    clerk.sees("Send again in", patience=40)
    assert mails(office) == before + 1


def test_the_password_checker_keeps_nothing(office):
    clerk = office.clerk
    office.sits_down()
    office.looks_up("siobhan", "Siobhán Adeyemi")
    clerk.sees("Waiting for verification")
    clerk.keys("Ctrl+B")
    clerk.sees("The password has 8 to 15 characters")
    clerk.fills("Password to check", "Kettle7!")
    clerk.sees("At least one numeral: met")
    clerk.presses("Close")
    clerk.keys("Ctrl+B")
    clerk.sees("At least one numeral: not met yet")
