"""What reached nobody, on a coordinator's page: told by staff, or sent again."""

import re
from uuid import uuid4

import pytest

from deploy.region.forms import forms_of
from services.notifications.domain.kinds import READERS, Channel, Kind, Recipient, State
from services.notifications.pages import wording
from tests.integration.browser import Browser, words_of
from tests.integration.notifications.post import Region
from tests.support import coordinator

PAGE, COUNT = "/notifications/", "/notifications/fragments/with-staff"


@pytest.fixture
def staff(region: Region) -> Browser:
    return Browser(region.scene, coordinator(region.clinic_id, region.peer_organisation_id))


def call_instead(region: Region) -> None:
    """Have the person asked by phone, which is for staff to do."""
    region.client |= {"preferred_channel": "phone", "phone": "+12025550100"}
    region.match_step("offered", "offered")
    region.send()


def test_a_message_that_staff_must_pass_on_is_listed_without_a_name_and_closed_when_told(
    region: Region, staff: Browser
) -> None:
    call_instead(region)

    page = staff.get(PAGE)

    assert "Please call" in words_of(page)
    assert f'href="/referrals/{region.referral_id}"' in page.text
    assert "+1202" not in page.text
    assert staff.get(COUNT).text == "1"
    assert staff.send(PAGE, {"act": "told", "outcome": "told"}).status == 303
    assert "Everything arrived" in words_of(staff.get(PAGE))
    assert staff.get(COUNT).text == "0"


def test_a_message_that_did_not_arrive_is_sent_again_once(region: Region, staff: Browser) -> None:
    region.mail.recipient_answer = "550 no such mailbox"
    region.match_step("offered", "offered")
    region.send()
    assert "The mailbox did not take it" in words_of(staff.get(PAGE))

    region.mail.recipient_answer = "250 OK"
    form = staff.form(PAGE, "resend")
    assert staff.post(PAGE, form).status == 303
    assert staff.post(PAGE, form).status == 303
    region.send()

    assert "Everything arrived" in words_of(staff.get(PAGE))
    assert len(region.mail.taken) == 1


def test_another_organisations_message_is_neither_listed_nor_acted_on(
    region: Region, staff: Browser
) -> None:
    call_instead(region)
    stranger = Browser(region.scene, coordinator(uuid4()))
    message = re.search(r'name="message_id" value="([\w-]+)"', staff.get(PAGE).text)
    assert message

    assert "Everything arrived" in words_of(stranger.get(PAGE))
    assert stranger.get(COUNT).text == "0"
    form = {"form_token": staff_token(stranger, region), "act": "resend"}
    answers = [
        stranger.post(PAGE, {**form, "message_id": one}) for one in (message[1], str(uuid4()))
    ]
    assert [answer.status for answer in answers] == [404, 404]
    assert answers[0].text == answers[1].text


def staff_token(browser: Browser, region: Region) -> str:
    session = region.scene.visits.sessions.of_cookie(browser.cookie, region.scene.now)
    assert session
    return region.scene.visits.sessions.form_token(session)


def test_every_kind_and_reader_and_channel_has_words() -> None:
    assert set(wording.KIND) == set(Kind)
    assert set(wording.RECIPIENT) == set(Recipient)
    assert set(wording.CHANNEL) == set(Channel)
    assert set(wording.STATE) == set(State)
    said = {kind for kind, readers in READERS.items() if Recipient.CLIENT in readers}
    assert set(wording.SAY) == said


def test_a_referrals_messages_and_their_fate_are_put_into_its_page_for_its_staff_alone(
    region: Region, staff: Browser
) -> None:
    path = f"/notifications/fragments/referrals/{region.referral_id}"
    assert "Nothing has been sent." in words_of(staff.get(path))

    call_instead(region)
    page = staff.get(path)

    assert "to be passed on by staff" in words_of(page)
    assert 'href="/notifications/"' in page.text
    assert "+1202" not in page.text
    stranger = Browser(region.scene, coordinator(uuid4(), uuid4()))
    assert "Nothing has been sent." in words_of(stranger.get(path))


def slip_of(staff: Browser) -> str:
    found = re.search(r'href="(/notifications/slips/[\w-]+)"', staff.get(PAGE).text)
    assert found
    return found[1]


def test_the_slip_says_what_to_say_and_leaves_names_and_cards_to_those_who_have_them(
    region: Region, staff: Browser
) -> None:
    call_instead(region)

    slip = staff.get(slip_of(staff))

    assert "There are people you could talk to." in words_of(slip)
    for part in ("/referrals/fragments/people/", "/matching/fragments/cards/"):
        assert f'include virtual="{part}{region.referral_id}"' in slip.text
    assert "+1202" not in slip.text


@pytest.mark.parametrize(
    ("outcome", "listed"), [("told", "Everything arrived"), ("not-reached", "Send it again")]
)
def test_the_slip_is_answered_once(
    region: Region, staff: Browser, outcome: str, listed: str
) -> None:
    call_instead(region)
    path = slip_of(staff)
    forms = [one.fields for one in forms_of(staff.get(path).text)]
    (form,) = [one for one in forms if one.get("outcome") == outcome]

    assert staff.post(path, {**form, "act": "told"}).status == 303

    assert listed in words_of(staff.get(PAGE))
    again = staff.get(path)
    assert "This is settled" in words_of(again)
    assert 'name="outcome"' not in again.text


def test_another_organisations_slip_is_as_missing_as_one_that_is_for_a_peer(
    region: Region, staff: Browser
) -> None:
    call_instead(region)
    path = slip_of(staff)
    stranger = Browser(region.scene, coordinator(uuid4()))
    missing = stranger.get(f"/notifications/slips/{uuid4()}")
    region.scene.rows("UPDATE messages SET recipient_role = 'peer' RETURNING 1")

    for found in (stranger.get(path), staff.get(path)):
        assert found.status == 404
        assert "We do not know this page" in words_of(found)
    assert stranger.get(path).text == missing.text
