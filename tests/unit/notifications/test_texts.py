import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from services.notifications import texts
from services.notifications.domain.kinds import READERS, Kind, Recipient
from services.notifications.texts import language_of, moment_in_words, render, span_in_words

TEMPLATES = sorted((Path(texts.__file__).parent / "templates").rglob("*.*"))
# Stems, in both languages: what would tell a reader over the shoulder that it is about health.
HEALTH = """
    health mental illness therap diagnos treatment psych psiq psic medic médic recover recuper
    addict adicc depress depresi anxi ansied trauma patient paciente symptom síntoma crisis disorder
    trastorno counsel consejer clinic clínic salud enfermed tratamiento sobri peer par\\b
    apoyo support hospital doctor nurse enfermer suicid self-harm wellness bienestar
"""
# Stems that lay something at a person's door.
BLAME = """
    fail no-show noshow missed non-complian noncomplian reject refus unfortunately incumpl falt[aóo]
    rechaz negativa culpa fault blame did.not.come no.se.present falló
"""
ABOUT = re.compile("|".join(rf"\b{stem}" for stem in (HEALTH + BLAME).split()), re.IGNORECASE)
FACTS: dict[str, object] = {
    "name": "Ana",
    "link": "https://kindred.example/l/m-secret",
    "answer_by": "Friday",
    "when": "Monday",
    "how": "By video",
    "place": None,
    "reference": "00000000-0000-0000-0000-000000000003",
}
EVERY_TEXT = [
    (language, recipient, kind)
    for language in ("en", "es")
    for kind, recipients in READERS.items()
    for recipient in recipients
]


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: f"{path.parent.name}-{path.name}")
def test_no_template_speaks_of_health_or_blames_anybody(template: Path) -> None:
    words = re.sub(r"\{[{%].*?[%}]\}|<[^>]*>", " ", template.read_text())

    assert ABOUT.findall(words) == []


def test_the_lint_would_notice_such_words() -> None:
    for words in ("your mental health", "una cita en la clínica", "you missed it", "peer support"):
        assert ABOUT.search(words)


@pytest.mark.parametrize(("language", "recipient", "kind"), EVERY_TEXT)
def test_every_kind_has_a_text_for_each_of_its_readers_in_each_language(
    language: str, recipient: Recipient, kind: Kind
) -> None:
    text = render(recipient, kind, language=language, facts=FACTS)

    assert text.subject
    assert "\n" not in text.subject
    assert len(text.plain.strip()) > len(text.subject)
    for line in text.plain.splitlines():
        assert line in text.html
    assert "{" not in text.plain + text.subject
    assert f'lang="{language}"' in text.html


def test_the_two_languages_differ_in_every_text() -> None:
    for language, recipient, kind in EVERY_TEXT:
        if language == "en":
            english, spanish = (
                render(recipient, kind, language=one, facts=FACTS) for one in ("en", "es")
            )
            assert english.subject != spanish.subject
            assert english.plain != spanish.plain


def test_no_subject_carries_a_fact() -> None:
    for language, recipient, kind in EVERY_TEXT:
        subject = render(recipient, kind, language=language, facts=FACTS).subject
        assert not any(str(fact) in subject for fact in FACTS.values() if fact)


def test_a_name_cannot_write_a_paragraph_a_tag_or_a_link() -> None:
    facts = FACTS | {"name": "<b>x</b>\n\nhttps://evil.example {{ 7*7 }}"}

    text = render(Recipient.CLIENT, Kind.SESSION_BOOKED, language="en", facts=facts)

    assert "<b>" not in text.html
    assert 'href="https://evil.example' not in text.html
    assert "Hello <b>x</b> https://evil.example {{ 7*7 }}," in text.plain


def test_a_place_is_only_named_where_it_is_given() -> None:
    facts = FACTS | {"how": "In person", "place": "Room 2"}

    with_place = render(Recipient.PEER, Kind.SESSION_BOOKED, language="en", facts=facts)
    without = render(Recipient.PEER, Kind.SESSION_BOOKED, language="en", facts=FACTS)

    assert "In person: Room 2." in with_place.plain
    assert "By video." in without.plain


MOMENTS = [
    ("en", "America/New_York", "Monday, November 23, 2026, 12:00 PM (Eastern Standard Time)"),
    ("en", "America/Phoenix", "Monday, November 23, 2026, 10:00 AM (Mountain Standard Time)"),
    ("es", "America/New_York", "lunes, 23 de noviembre de 2026, 12:00 p.m. (hora estándar"),
    ("en", "UTC", "Monday, November 23, 2026, 5:00 PM (Coordinated Universal Time)"),
]


@pytest.mark.parametrize(("language", "zone", "words"), MOMENTS)
def test_a_time_is_told_in_the_readers_zone_and_names_it(
    language: str, zone: str, words: str
) -> None:
    moment = datetime(2026, 11, 23, 17, tzinfo=UTC)

    assert moment_in_words(moment, zone=zone, language=language).startswith(words)


def test_a_span_names_the_zone_that_holds_on_its_day() -> None:
    starts_at = datetime(2026, 7, 1, 14, tzinfo=UTC)

    span = span_in_words(
        starts_at, starts_at.replace(minute=50), zone="America/New_York", language="en"
    )

    assert span == "Wednesday, July 1, 2026, 10:00 AM to 10:50 AM (Eastern Daylight Time)"


def test_the_language_is_the_first_wish_that_we_speak() -> None:
    assert language_of(None, "es-MX") == "es"
    assert language_of("en", "es") == "en"
    assert language_of(None, "vi") == "en"
