from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from threading import Event as Flag
from typing import Any

import pytest
from icalendar import Calendar

from services.chassis.internal import OwnerRefused
from services.notifications import letters, texts
from services.notifications.domain.kinds import Recipient
from services.notifications.sender import Sender
from tests.integration.notifications.post import CLIENT_MAIL, CLINIC_MAIL, PEER_MAIL, Region


def part(mail: EmailMessage, kind: str) -> str:
    found = next(one for one in mail.walk() if one.get_content_type() == kind)
    content = found.get_content()
    return content if isinstance(content, str) else content.decode()


def entry(mail: EmailMessage) -> Any:
    return Calendar.from_ical(part(mail, "text/calendar")).walk("VEVENT")[0]


def test_a_session_is_told_in_each_readers_language_and_zone_with_the_calendar_entry(
    region: Region,
) -> None:
    region.scene.now = datetime(2026, 11, 23, 17, tzinfo=UTC)
    region.session_step("booked", hours_ahead=72, revision=0)

    region.send()

    (to_client,), (to_peer,) = region.mail.to(CLIENT_MAIL), region.mail.to(PEER_MAIL)
    assert to_client["Subject"] == "Su cita"
    assert "jueves, 26 de noviembre de 2026, 9:00 a.m." in part(to_client, "text/plain")
    assert "(hora estándar del Pacífico)" in part(to_client, "text/plain")
    assert "Thursday, November 26, 2026, 12:00 PM to 12:50 PM (Eastern Standard Time)" in part(
        to_peer, "text/plain"
    )
    assert "http://127.0.0.1:8080/l/s-secret" in part(to_peer, "text/html")
    calendar = next(one for one in to_peer.walk() if one.get_content_type() == "text/calendar")
    assert calendar.get_param("method") == "REQUEST"
    assert (entry(to_peer)["UID"], entry(to_peer)["SEQUENCE"]) == (str(region.session_id), 0)
    assert entry(to_client)["SUMMARY"] == "Cita"
    assert to_peer["From"] == "Kindred <appointments@kindred.example>"


def test_the_clinic_is_told_the_status_and_nothing_else(region: Region) -> None:
    region.session_step("booked", hours_ahead=72, revision=0)

    region.send()

    (mail,) = region.mail.to(CLINIC_MAIL)
    assert str(region.referral_id) in part(mail, "text/plain")
    assert "text/calendar" not in {one.get_content_type() for one in mail.walk()}
    for fact in ("Ana", "Bo", "2026", "2027", "/l/"):
        assert fact not in part(mail, "text/plain")


def test_the_peer_reads_no_name_of_the_client_and_the_client_none_of_the_peer(
    region: Region,
) -> None:
    region.match_step("confirmed", "confirmed")
    region.session_step("booked", hours_ahead=72, revision=0)

    region.send()

    assert len(region.mail.taken) == 6
    assert not any("Ana" in mail.as_string() for mail in region.mail.to(PEER_MAIL))
    assert not any("Bo," in part(mail, "text/plain") for mail in region.mail.to(CLIENT_MAIL))


def test_what_was_delivered_is_written_down_and_told(region: Region) -> None:
    region.session_step("booked", hours_ahead=72, revision=0)

    region.send()

    row = next(row for row in region.messages("session-booked") if row["recipient_role"] == "peer")
    assert (row["state"], row["channel"], row["attempts"], row["repeats"]) == (
        "delivered",
        "email",
        1,
        0,
    )
    type_, body = next(one for one in region.scene.events() if one[1]["recipient"] == "peer")
    assert type_ == "notification.delivered.v1"
    assert body["message_id"] == str(row["id"])
    assert body["session_id"] == str(region.session_id)
    assert len(region.scene.events()) == 3


def test_the_client_is_asked_to_choose_and_then_the_peer_is_asked(region: Region) -> None:
    answer_by = region.now + timedelta(days=2)
    region.match["answer_by"] = answer_by.isoformat()
    region.match_step("offered", "offered")
    region.send()
    region.match_step("chosen", "chosen")
    region.send()

    (to_client,), (to_peer,) = region.mail.to(CLIENT_MAIL), region.mail.to(PEER_MAIL)
    asked = [body for owner, path, body in region.scene.owners.asked if path == "/internal/links"]
    about = {"match_id": str(region.match_id)}
    assert asked == [
        {**about, "purpose": "choose", "person_id": str(region.client_id), "language": "es"},
        {**about, "purpose": "respond", "person_id": str(region.peer_id), "language": "en"},
    ]
    for mail in (to_client, to_peer):
        assert "http://127.0.0.1:8080/l/m-secret" in part(mail, "text/plain")
    assert "El enlace funciona hasta el" in part(to_client, "text/plain")


def test_a_cancellation_removes_the_entry_with_the_owners_sequence(region: Region) -> None:
    region.session_step("booked", hours_ahead=72, revision=0)
    region.send()

    region.session_step("cancelled", hours_ahead=72, revision=1, state="cancelled")
    region.send()

    mail = region.mail.to(PEER_MAIL)[-1]
    calendar = next(one for one in mail.walk() if one.get_content_type() == "text/calendar")
    assert calendar.get_param("method") == "CANCEL"
    assert (entry(mail)["SEQUENCE"], entry(mail)["STATUS"]) == (1, "CANCELLED")


def test_a_reminder_leaves_when_it_is_due_and_not_before(region: Region) -> None:
    region.session_step("booked", hours_ahead=72, revision=0)
    region.send()
    assert len(region.mail.to(PEER_MAIL)) == 1

    region.scene.pass_time(hours=48)
    region.send()

    assert [mail["Subject"] for mail in region.mail.to(PEER_MAIL)] == [
        "An appointment",
        "A reminder of an appointment",
    ]


def test_a_reminder_never_names_a_time_that_its_owner_has_changed(region: Region) -> None:
    region.session_step("booked", hours_ahead=72, revision=0)
    region.send()
    region.scene.pass_time(hours=49)
    region.session["revision"] = 1  # moved at the owner; the event about it is still on its way

    region.send()

    assert region.states("session-reminder") == {"client": "superseded", "peer": "superseded"}
    assert len(region.mail.to(PEER_MAIL)) == 1


def test_a_crash_after_the_mail_was_taken_repeats_it_under_the_same_message_id(
    region: Region, monkeypatch: pytest.MonkeyPatch
) -> None:
    region.referral("accepted")

    def crash(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Sender, "_note", crash)
        with pytest.raises(KeyboardInterrupt):
            region.send()
    region.send()
    assert len(region.mail.taken) == 1  # the lease still holds

    region.scene.pass_time(seconds=31)
    region.send()

    first, second = region.mail.taken
    assert first["Message-ID"] == second["Message-ID"]
    (row,) = region.messages()
    assert (row["state"], row["attempts"], row["repeats"]) == ("delivered", 2, 1)
    ((_, body),) = region.scene.events()
    assert body["repeats"] == 1


def test_a_lost_answer_is_repeated_and_counted(region: Region) -> None:
    region.referral("accepted")
    region.mail.hangs_up_after_taking = True
    region.send()
    region.mail.hangs_up_after_taking = False

    region.scene.pass_time(seconds=6)
    region.send()

    assert len({mail["Message-ID"] for mail in region.mail.taken}) == 1
    (row,) = region.messages()
    assert (row["state"], row["attempts"], row["repeats"]) == ("delivered", 2, 1)


def test_a_mail_server_that_asks_for_patience_is_tried_again_without_a_repeat(
    region: Region,
) -> None:
    region.referral("accepted")
    region.mail.recipient_answer = "451 later"
    region.send()
    region.scene.pass_time(seconds=4)
    region.send()
    assert region.messages()[0]["attempts"] == 1

    region.mail.recipient_answer = "250 OK"
    region.scene.pass_time(seconds=2)
    region.send()

    (row,) = region.messages()
    assert (row["state"], row["attempts"], row["repeats"]) == ("delivered", 2, 0)


def test_a_server_that_refuses_us_as_sender_says_nothing_about_the_person(region: Region) -> None:
    region.mail.sender_answer = "550 not from you"
    region.referral("accepted")

    region.send()

    assert region.states("referral-accepted") == {"clinic": "planned"}


def test_a_mail_server_that_is_away_loses_nothing(region: Region) -> None:
    region.mail.stop()
    region.referral("accepted")
    region.send()
    assert region.messages()[0]["state"] == "planned"

    region.mail.start()
    region.scene.pass_time(seconds=6)
    region.send()

    assert region.messages()[0]["state"] == "delivered"


@pytest.mark.parametrize("step", ["recipient", "data"])
def test_a_mailbox_that_refuses_for_good_is_told_as_undeliverable(
    region: Region, step: str
) -> None:
    setattr(region.mail, f"{step}_answer", "550 no such mailbox")
    region.match_step("offered", "offered")

    region.send()

    assert region.states("match-offered") == {"client": "undeliverable"}
    assert region.fates() == [("notification.undeliverable.v1", "match-offered", "client")]


@pytest.mark.parametrize(
    "address", ["ana@example.org\r\nBcc: eve@example.org", "ana@example.org.", '""@example.org']
)
def test_an_address_that_no_header_can_hold_is_undeliverable(region: Region, address: str) -> None:
    region.client["email"] = address
    region.match_step("offered", "offered")

    region.send()

    assert region.states("match-offered") == {"client": "undeliverable"}
    assert region.mail.taken == []


def test_an_owner_that_is_away_holds_up_only_its_own_messages(region: Region) -> None:
    region.session_step("booked", hours_ahead=72, revision=0)
    region.referral("accepted")
    del region.scene.owners.answers["scheduling", "/internal/sessions"]

    region.send()
    assert region.states("referral-accepted") == {"clinic": "delivered"}
    assert set(region.states("session-booked").values()) == {"planned"}

    region.answer_everything()
    region.scene.pass_time(seconds=2)
    region.send()

    assert set(region.states("session-booked").values()) == {"delivered"}
    assert {row["attempts"] for row in region.messages("session-booked")} == {1}


def test_facts_that_cannot_be_read_hold_up_only_the_person_they_are_about(
    region: Region,
) -> None:
    region.match_step("confirmed", "confirmed")
    region.client["time_zone"] = "Mars/Olympus"

    region.send()

    assert region.states("match-confirmed") == {
        "client": "planned",
        "clinic": "delivered",
        "peer": "delivered",
    }


def test_a_client_without_consent_is_not_written_to(region: Region) -> None:
    silent = dict.fromkeys(("name", "email", "phone", "preferred_channel"))
    region.client |= silent | {"allowed": False, "reason": "consent-ended"}
    region.session_step("booked", hours_ahead=72, revision=0)

    region.send()

    assert region.states("session-booked") == {
        "client": "withheld",
        "peer": "delivered",
        "clinic": "delivered",
    }
    assert ("notification.withheld.v1", "session-booked", "client") in region.fates()


def test_the_clinic_hears_of_sessions_only_if_the_client_agreed(region: Region) -> None:
    region.client["progress_to_clinic"] = False
    region.match_step("confirmed", "confirmed")
    region.session_step("booked", hours_ahead=72, revision=0)

    region.send()

    assert region.states("match-confirmed")["clinic"] == "delivered"
    assert region.states("session-booked") == {
        "client": "delivered",
        "peer": "delivered",
        "clinic": "withheld",
    }
    (row,) = [one for one in region.messages() if one["state"] == "withheld"]
    assert row["reason"] == "not-consented"
    assert len(region.mail.to(CLINIC_MAIL)) == 1


def test_a_client_unknown_to_the_owner_agreed_to_nothing(region: Region) -> None:
    region.client.clear()
    region.session_step("booked", hours_ahead=72, revision=0)

    region.send()

    assert region.states("session-booked")["clinic"] == "withheld"


def test_a_peer_whose_address_is_in_dispute_is_told_by_staff(region: Region) -> None:
    region.peer |= {"email": None, "reason": "contact-disputed"}
    region.match_step("chosen", "chosen")

    region.send()

    (row,) = region.messages()
    assert (row["state"], row["reason"]) == ("needs-staff", "contact-disputed")
    assert region.mail.taken == []


def test_a_safe_time_moves_the_message_there(region: Region) -> None:
    region.scene.now = datetime(2026, 11, 23, 17, tzinfo=UTC)  # Monday, 9:00 in Los Angeles
    region.client["safe_times"] = [{"day": "mon", "from": "18:00", "to": "20:00"}]
    region.match_step("offered", "offered")

    region.send()
    (row,) = region.messages()
    assert (row["state"], row["not_before"]) == ("planned", datetime(2026, 11, 24, 2, tzinfo=UTC))
    assert region.mail.taken == []

    region.scene.pass_time(hours=9, minutes=1)
    region.send()
    assert len(region.mail.taken) == 1


def test_whoever_has_no_mail_is_told_by_staff(region: Region) -> None:
    region.client |= {"preferred_channel": "reception", "email": None}
    region.match_step("offered", "offered")

    region.send()

    assert region.states("match-offered") == {"client": "needs-staff"}
    ((type_, body),) = region.scene.events()
    assert (type_, body["channel"]) == ("notification.needs_staff.v1", "reception")


def test_staff_are_told_not_to_tell_a_time_that_was_changed_meanwhile(region: Region) -> None:
    region.client |= {"preferred_channel": "phone", "phone": "+12025550100"}
    region.session_step("booked", hours_ahead=72, revision=0)
    region.send()

    region.session_step("rescheduled", hours_ahead=80, revision=1)

    assert region.states("session-booked")["client"] == "superseded"
    type_, body = region.scene.events()[-1]
    assert (type_, body["reason"]) == ("notification.withheld.v1", "session-moved")


def test_a_question_that_is_no_longer_open_is_not_asked(region: Region) -> None:
    def closed(_: dict[str, Any]) -> dict[str, Any]:
        raise OwnerRefused("matching", 409, "no-longer-open")

    region.scene.owners.on("matching", "/internal/links", closed)
    region.match_step("offered", "offered")

    region.send()

    assert region.states("match-offered") == {"client": "superseded"}
    assert region.scene.events() == []


def test_a_message_that_meets_a_bug_does_not_hold_up_the_others(
    region: Region, monkeypatch: pytest.MonkeyPatch
) -> None:
    region.match_step("offered", "offered")
    region.scene.pass_time(seconds=1)
    region.referral("accepted")
    template = texts.render

    def fail_for_clients(recipient: Recipient, *about: Any, **facts: Any) -> texts.Text:
        if recipient is Recipient.CLIENT:
            raise ZeroDivisionError
        return template(recipient, *about, **facts)

    monkeypatch.setattr(letters, "render", fail_for_clients)
    with pytest.raises(ZeroDivisionError):
        region.send()
    region.send()

    assert region.states("referral-accepted") == {"clinic": "delivered"}
    assert region.states("match-offered") == {"client": "planned"}


def test_two_senders_at_once_send_each_message_once(region: Region) -> None:
    for _ in range(30):
        region.referral("accepted")

    with ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(region.send) for _ in range(2)]:
            done.result()

    assert len(region.mail.taken) == 30
    assert len({mail["Message-ID"] for mail in region.mail.taken}) == 30
    assert {(row["state"], row["repeats"]) for row in region.messages()} == {("delivered", 0)}


def test_a_sender_that_is_stopped_gives_its_messages_back(region: Region) -> None:
    region.referral("accepted")
    stop = Flag()

    def stop_meanwhile(_: dict[str, Any]) -> dict[str, Any]:
        stop.set()
        return {"clients": [], "clinics": []}

    region.scene.owners.on("referrals", "/internal/contacts", stop_meanwhile)

    region.send(stop=stop)

    (row,) = region.messages()
    assert (row["state"], row["held_until"], row["attempts"]) == ("planned", None, 0)


def test_no_address_is_kept_anywhere(region: Region) -> None:
    region.session_step("booked", hours_ahead=72, revision=0)
    region.send()

    tables = region.scene.rows(
        "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'"
    )
    for table in tables:
        query = f"SELECT t::text AS row FROM {table['table_name']} AS t"  # noqa: S608
        rows = region.scene.rows(query)
        assert not any("@" in row["row"] or "Ana" in row["row"] for row in rows)
