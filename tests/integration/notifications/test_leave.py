"""What is written while a peer is away: the question, its end, and who takes a session."""

from uuid import uuid4

from services.chassis.internal import OwnerRefused
from tests.integration.notifications.post import CLIENT_MAIL, PEER_MAIL, Region
from tests.integration.notifications.test_sender import part


def test_the_person_is_asked_by_a_link_to_the_question_and_nobody_else_is(region: Region) -> None:
    region.leave_step("asked")

    region.send()

    [mail] = region.mail.to(CLIENT_MAIL)
    assert mail["Subject"] == "Una pregunta para usted"
    assert "http://127.0.0.1:8080/l/s-secret" in part(mail, "text/plain")
    assert region.mail.to(PEER_MAIL) == []
    assert region.states("peer-away") == {"client": "delivered"}


def test_an_answer_given_otherwise_takes_the_unsent_question_back(region: Region) -> None:
    region.leave_step("asked")
    region.leave_step("answered", wish="wait", told_by="coordinator")

    region.send()

    assert region.states("peer-away") == {"client": "superseded"}
    assert region.mail.to(CLIENT_MAIL) == []


def test_whoever_was_asked_is_told_that_the_peer_is_there_and_whoever_was_not_is_not(
    region: Region,
) -> None:
    region.leave_step("asked")
    region.leave_step("question_withdrawn")
    region.send()
    assert region.mail.to(CLIENT_MAIL) == []

    region.leave_id = uuid4()
    region.leave_step("asked")
    region.send()
    region.leave_step("question_withdrawn")
    region.send()

    subjects = [mail["Subject"] for mail in region.mail.to(CLIENT_MAIL)]
    assert subjects == ["Una pregunta para usted", "Buenas noticias sobre su acuerdo"]


def test_a_question_that_is_no_longer_open_when_it_is_sent_is_not_sent(region: Region) -> None:
    region.leave_step("asked")

    def closed(_body: object) -> object:
        raise OwnerRefused("scheduling", 409, "leave-over")

    region.scene.owners.on("scheduling", "/internal/links", closed)
    region.send()

    assert region.states("peer-away") == {"client": "superseded"}
    assert region.mail.to(CLIENT_MAIL) == []


def test_of_a_covered_session_both_who_meet_are_told_and_the_other_calendar_loses_it(
    region: Region,
) -> None:
    region.session_step("booked", hours_ahead=72, revision=0)
    before, region.peer_id = region.peer_id, uuid4()
    region.session_step("covered", hours_ahead=72, revision=1, previous_peer_id=before)

    assert region.states("session-covered") == {"client": "planned", "peer": "planned"}
    [handed_over] = region.messages("session-handed-over")
    assert (handed_over["recipient_id"], handed_over["state"]) == (before, "planned")
    reminders = region.messages("session-reminder")
    waiting = {row["recipient_id"] for row in reminders if row["state"] == "planned"}
    assert waiting == {region.client_id, region.peer_id}
    region.send()
    [mail] = region.mail.to(PEER_MAIL)
    calendar = next(one for one in mail.walk() if one.get_content_type() == "text/calendar")
    assert (mail["Subject"], calendar.get_param("method")) == (
        "An appointment for you",
        "REQUEST",
    )
