from dataclasses import replace

from console.domain.registration import Proof
from console.services import courier, members, names


def test_after_a_corrected_name_nobody_reads_of_an_old_address(town, mailbox):
    server = f"smtp://{mailbox.smtp[0]}:{mailbox.smtp[1]}"
    settings = replace(town.desk.settings, mail_server=server, mail_sender="office@coop.example")
    office = replace(town.desk, settings=settings)
    version = names.name_on_file(office, town.rose).version
    names.correct_name(
        office, names.Correction("c1", town.rose, version, "De Long", "Rose", Proof.DEED)
    )
    courier.make_round(office)
    titles = [entry.title for entry in members.refresh(office, town.rose).timeline]
    assert "The member was told of the change by e-mail" in titles
    assert not any("old address" in title for title in titles)
