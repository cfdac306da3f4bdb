from datetime import timedelta

from tests.integration.notifications.post import Region


def test_a_booked_session_is_announced_to_all_and_reminded_of_24_hours_before(
    region: Region,
) -> None:
    region.session_step("booked", hours_ahead=72, revision=0)

    assert region.states("session-booked") == dict.fromkeys(("client", "peer", "clinic"), "planned")
    reminders = region.messages("session-reminder")
    assert [row["recipient_role"] for row in reminders] == ["client", "peer"]
    assert {row["not_before"] for row in reminders} == {region.now + timedelta(hours=48)}
    assert {row["org_id"] for row in region.messages()} == {region.peer_organisation_id}


def test_of_a_session_that_both_know_from_before_they_are_reminded_and_not_told(
    region: Region,
) -> None:
    region.session_step("booked", hours_ahead=72, revision=0, existing=True)

    assert {row["kind"] for row in region.messages()} == {"session-reminder"}
    region.session_step("rescheduled", hours_ahead=100, revision=1)
    assert set(region.states("session-rescheduled")) == {"client", "peer", "clinic"}


def test_an_event_handed_over_five_times_plans_one_message_per_reader(region: Region) -> None:
    event_id = region.session_step("booked", hours_ahead=72, revision=0)

    for _ in range(4):
        region.session_step("booked", hours_ahead=72, revision=0, event_id=event_id, sequence=1)

    assert len(region.messages()) == 5


def test_a_session_within_24_hours_has_no_reminder(region: Region) -> None:
    region.session_step("booked", hours_ahead=23, revision=0)

    assert region.messages("session-reminder") == []


def test_a_reminder_follows_the_session_to_its_new_time(region: Region) -> None:
    region.session_step("booked", hours_ahead=72, revision=0)

    region.session_step("rescheduled", hours_ahead=100, revision=1)

    reminders = region.messages("session-reminder")
    assert len(reminders) == 2
    assert {row["not_before"] for row in reminders} == {region.now + timedelta(hours=76)}
    assert {row["session_revision"] for row in reminders} == {1}
    assert region.states("session-booked") == {
        "client": "superseded",
        "peer": "superseded",
        "clinic": "planned",  # judged when it is sent
    }


def test_a_session_moved_close_loses_its_reminder_and_one_moved_away_again_gets_one(
    region: Region,
) -> None:
    region.session_step("booked", hours_ahead=72, revision=0)

    region.session_step("rescheduled", hours_ahead=5, revision=1)
    assert region.states("session-reminder") == {"client": "superseded", "peer": "superseded"}

    region.session_step("rescheduled", hours_ahead=90, revision=2)
    planned = [row for row in region.messages("session-reminder") if row["state"] == "planned"]
    assert {row["not_before"] for row in planned} == {region.now + timedelta(hours=66)}
    assert len(planned) == 2


def test_a_cancelled_session_takes_its_reminder_with_it(region: Region) -> None:
    region.session_step("booked", hours_ahead=72, revision=0)

    region.session_step("cancelled", hours_ahead=72, revision=1, state="cancelled")

    assert region.states("session-reminder") == {"client": "superseded", "peer": "superseded"}
    assert region.states("session-cancelled") == dict.fromkeys(
        ("client", "peer", "clinic"), "planned"
    )


def test_a_known_outcome_takes_the_reminder_back(region: Region) -> None:
    region.session_step("booked", hours_ahead=72, revision=0)

    region.session_step("outcome_recorded", hours_ahead=72, revision=0, state="held")

    assert region.states("session-reminder") == {"client": "superseded", "peer": "superseded"}


def test_consent_that_ended_cancels_what_was_not_sent(region: Region) -> None:
    region.match_step("offered", "offered")
    region.session_step("booked", hours_ahead=72, revision=0)

    region.referral("consent_ended", cause="withdrawn")

    assert region.states("match-offered") == {"client": "cancelled"}
    assert region.states("session-reminder") == {"client": "cancelled", "peer": "cancelled"}
    assert {row["reason"] for row in region.messages("session-reminder")} == {"consent-ended"}


def test_a_withdrawn_referral_is_told_to_the_clinic_and_stops_the_rest(region: Region) -> None:
    region.match_step("offered", "offered")

    region.referral("withdrawn", by="client")

    assert region.states("match-offered") == {"client": "cancelled"}
    assert region.states("referral-withdrawn") == {"clinic": "planned"}


def test_the_clinic_is_told_of_each_answer_to_its_referral(region: Region) -> None:
    region.referral("accepted")
    region.referral("information_requested")
    region.referral("declined", reason="no-capacity")

    assert {(row["kind"], row["recipient_role"]) for row in region.messages()} == {
        ("referral-accepted", "clinic"),
        ("referral-information-requested", "clinic"),
        ("referral-declined", "clinic"),
    }


def test_each_step_of_a_match_takes_the_earlier_ask_back(region: Region) -> None:
    region.match_step("offered", "offered")
    region.match_step("chosen", "chosen")
    region.match_step("declined", "shortlisted", by="peer", candidates=1)
    region.match_step("offered", "offered")

    offered = region.messages("match-offered")
    assert sorted(row["state"] for row in offered) == ["planned", "superseded"]
    assert region.states("match-chosen") == {"peer": "superseded"}


def test_nobody_found_is_told_once_however_often_it_is_found_out(region: Region) -> None:
    for _ in range(3):
        region.match_step("no_peer_found", "waiting", with_peer=False, ruled_out=4)

    assert region.states("no-peer-found") == {"client": "planned", "clinic": "planned"}
    assert len(region.messages()) == 2


def test_the_end_of_a_match_is_told_to_those_who_were_told_of_the_match(region: Region) -> None:
    region.match_step("confirmed", "confirmed")
    region.send()

    region.match_step("ended", "ended", reason="client-choice")

    assert region.states("match-ended") == {"client": "planned", "peer": "planned"}


def test_the_end_of_a_search_is_no_news_to_people_who_never_heard_of_it(region: Region) -> None:
    region.match_step("offered", "offered")

    region.match_step("ended", "ended", reason="referral-withdrawn")

    assert region.messages("match-ended") == []
    assert region.states("match-offered") == {"client": "superseded"}


def test_two_who_met_before_are_not_told_what_they_know(region: Region) -> None:
    region.match_step("confirmed", "confirmed", existing=True)

    assert region.messages() == []
