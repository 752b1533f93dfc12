"""Which language a question is in, and whether that is the material's."""

import pytest

from famulus.knowledge.languages import differs, language_of

PASSAGE = (
    "The scanner of the robot turns ten times in a second, and a reading is sent for each turn that it makes."
)


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("How fast does the scanner turn?", "en"),
        ("Wie schnell dreht sich der Scanner?", "de"),
        ("Wofür wird die Odometrie gebraucht?", "de"),
        ("Comment est-ce que le robot évite les obstacles dans une pièce ?", "fr"),
        ("¿Qué hace el controlador cuando se pierde la señal?", "es"),
        ("Come si chiama il nodo che pubblica la mappa?", "it"),
        ("Hoe snel draait de scanner van het voertuig?", "nl"),
        ("Как и почему робот останавливается на краю?", "ru"),
        ("机器人如何导航？", "zh"),
        ("ロボットはどのように動きますか", "ja"),
        ("cmd_vel LaserScan", None),
        ("Odometrie", None),
        ("", None),
    ],
)
def test_a_language_is_told_by_its_commonest_words(text: str, language: str | None) -> None:
    assert language_of(text) == language


def test_only_what_is_sure_is_said() -> None:
    assert differs("Wie schnell dreht sich der Scanner?", [PASSAGE])
    assert not differs("How fast does the scanner turn?", [PASSAGE])
    assert not differs("Scanner?", [PASSAGE])
    assert not differs("Wie schnell dreht sich der Scanner?", [])
    assert not differs("Wie schnell dreht sich der Scanner?", ["def turn(): return 1"])
