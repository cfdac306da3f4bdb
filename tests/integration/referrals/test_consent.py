"""Consent is the one gate: it opens late, closes at any time, and may open again."""

from tests.integration.referrals.people import (
    CLERK,
    CONSENT,
    PEER_ORGANISATION,
    Desk,
    referral,
)


def until(desk: Desk, days: int) -> dict[str, str]:
    return {
        "until": desk.scene.now.date()
        .fromordinal(desk.scene.now.date().toordinal() + days)
        .isoformat()
    }


def test_consent_withdrawn_closes_every_path_in_the_same_commit(desk: Desk) -> None:
    submitted = desk.submit()

    ended = desk.do("withdraw_consent", submitted["id"], CLERK).json

    assert (ended["status"], ended["owner"]["role"]) == ("awaiting-consent", "clinic")
    assert ended["plan_line"]["state"] == "stopped"
    assert ended["consent"] is None
    assert desk.scene.events()[-1][1]["cause"] == "withdrawn"
    assert desk.needs(submitted["id"]) == []
    assert desk.contact(submitted["id"])["reason"] == "consent-ended"


def test_consent_that_ran_out_counts_before_the_timer_notices(desk: Desk) -> None:
    submitted = desk.submit(referral(consent=until(desk, 30)))
    desk.scene.pass_time(days=32)

    assert desk.needs(submitted["id"]) == []
    assert desk.contact(submitted["id"])["allowed"] is False
    assert desk.events() == ["referral.submitted.v1"]


def test_consent_that_ran_out_is_told_once(desk: Desk) -> None:
    submitted = desk.submit(referral(consent=until(desk, 30)))
    desk.scene.pass_time(days=29)
    desk.scene.run_timer("expire_consents")
    assert desk.events() == ["referral.submitted.v1"]

    desk.scene.pass_time(days=3)
    desk.scene.run_timer("expire_consents")
    desk.scene.run_timer("expire_consents")

    assert desk.events() == ["referral.submitted.v1", "referral.consent_ended.v1"]
    assert desk.read(submitted["id"]).json["status"] == "awaiting-consent"


def test_a_consent_renewed_keeps_acceptance_and_waiting_date(desk: Desk) -> None:
    submitted = desk.submit()
    desk.do("accept_referral", submitted["id"])
    desk.do("withdraw_consent", submitted["id"], CLERK)
    desk.scene.pass_time(days=2)

    renewed = desk.do("give_consent", submitted["id"], CLERK, CONSENT).json

    assert renewed["status"] == "accepted"
    (name, event) = desk.scene.events()[-1]
    assert name == "referral.consent_renewed.v1"
    assert event["accepted"] is True
    assert event["received_at"][:19] == submitted["received_at"][:19]


def test_a_longer_consent_takes_the_place_of_the_shorter_without_an_event(desk: Desk) -> None:
    submitted = desk.submit(referral(consent=until(desk, 30)))

    reply = desk.do("give_consent", submitted["id"], CLERK, until(desk, 300))
    desk.scene.pass_time(days=40)
    desk.scene.run_timer("expire_consents")

    assert reply.json["status"] == "submitted"
    assert desk.events() == ["referral.submitted.v1"]


def test_a_later_consent_without_matching_takes_the_wider_one_back(desk: Desk) -> None:
    submitted = desk.submit()

    reply = desk.do("give_consent", submitted["id"], CLERK, {**CONSENT, "scope": ["notification"]})

    assert reply.json["status"] == "awaiting-consent"
    assert desk.events()[-1] == "referral.consent_ended.v1"


def test_each_path_asks_for_its_own_scope(desk: Desk) -> None:
    only_matching = {**CONSENT, "scope": ["matching"]}
    submitted = desk.submit(referral(consent=only_matching))

    people = desk.ask("/people", "scheduling", "scheduling", {"ids": [submitted["client_id"]]})

    assert [need["referral_id"] for need in desk.needs(submitted["id"])] == [submitted["id"]]
    assert desk.contact(submitted["id"])["reason"] == "not-consented"
    assert people == {"people": []}


def test_organisations_named_in_the_consent_are_named_to_matching(desk: Desk) -> None:
    with_all = desk.submit()
    with_one = desk.submit(
        referral(
            {"record_number": "9", "given_name": "Bo"},
            consent={**CONSENT, "with": [str(PEER_ORGANISATION)]},
        )
    )

    found = {
        need["referral_id"]: need["peer_organisation_ids"]
        for need in desk.needs(with_all["id"], with_one["id"])
    }

    assert found == {with_all["id"]: None, with_one["id"]: [str(PEER_ORGANISATION)]}


def test_withdrawing_consent_needs_a_consent(desk: Desk) -> None:
    waiting = desk.submit(referral(consent=None))

    assert desk.do("withdraw_consent", waiting["id"], CLERK).status == 409


def test_a_consent_for_fewer_organisations_has_the_person_ranked_anew(desk: Desk) -> None:
    submitted = desk.submit()
    narrower = {**CONSENT, "with": [str(PEER_ORGANISATION)]}

    desk.do("give_consent", submitted["id"], CLERK, narrower)

    kind, facts = desk.scene.events()[-1]
    assert (kind, facts["needs_changed"]) == ("referral.corrected.v1", True)
    (need,) = desk.needs(submitted["id"])
    assert need["peer_organisation_ids"] == [str(PEER_ORGANISATION)]
