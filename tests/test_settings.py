from dataclasses import fields

import pytest

from console.settings import BadSettings, Settings, load


def write(tmp_path, text):
    path = tmp_path / "console.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_without_a_file_every_setting_has_its_default(tmp_path):
    assert load(tmp_path / "none.toml", {}) == Settings()


def test_the_file_is_read_and_the_environment_overrules_it(tmp_path):
    path = write(tmp_path, 'coop_name = "Prairie Power"\nresend_wait_seconds = 90\n')
    settings = load(path, {"COOP_CONSOLE_COOP_NAME": "Lakeland", "COOP_CONSOLE_TRAINING": "true"})
    assert (settings.coop_name, settings.resend_wait_seconds, settings.training) == (
        "Lakeland",
        90,
        True,
    )


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("nonsense", "cannot be read"),
        ('colour = "red"', "colour"),
        ('resend_wait_seconds = "soon"', "number"),
        ("resend_wait_seconds = -1", "below zero"),
        ("coop_name = 7", "quotation marks"),
        ('training = "perhaps"', "true or false"),
    ],
)
def test_a_bad_file_is_named_in_a_sentence(tmp_path, text, word):
    with pytest.raises(BadSettings, match=word):
        load(write(tmp_path, text), {})


def test_every_setting_can_explain_itself():
    for one in fields(Settings):
        assert one.metadata["label"]
        assert one.metadata["help"].endswith(".")
