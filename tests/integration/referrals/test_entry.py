"""What a coordinator keys in for a clinic, and the scan of a consent that was given on paper."""

import json
from base64 import b64encode
from typing import Any

import pytest
from urllib3.filepost import encode_multipart_formdata

from services.chassis.http.application import MAX_DRAINED_BYTES
from services.chassis.http.raw import RawRequest
from tests.integration.browser import Browser, words_of
from tests.integration.referrals.people import (
    CLERK,
    CLINIC,
    COORDINATOR,
    OTHER_CLERK,
    PEER_ORGANISATION,
    STRANGER,
    Desk,
    referral,
)
from tests.support import Reply, client, coordinator

PDF = b"%PDF-1.7\n1 0 obj <<>> endobj\n%%EOF\n"
JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF"
PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"
SERVES_MORE = coordinator(CLINIC, PEER_ORGANISATION)


def enter(desk: Desk, source: str = "fax", by: Any = SERVES_MORE, **more: Any) -> Reply:
    body = {**referral(), "source": source, "clinic_id": CLINIC, **more}
    return desk.scene.call("enter_referral", by, body)


def scan(desk: Desk, referral_id: str, content: bytes, by: Any = COORDINATOR) -> Reply:
    body = {"content": b64encode(content).decode()}
    return desk.do("put_consent_scan", referral_id, by, body)


def download(desk: Desk, referral_id: str, by: Any) -> Reply:
    return desk.scene.call("read_consent_scan", by, path={"referral_id": referral_id})


@pytest.mark.parametrize(
    ("source", "evidence"),
    [("email", "paper"), ("fax", "paper"), ("post", "paper"), ("phone", "spoken")],
)
def test_a_keyed_in_referral_goes_on_like_any_and_says_how_it_came(
    desk: Desk, source: str, evidence: str
) -> None:
    entered = enter(desk, source)

    assert entered.status == 201, entered.text
    assert entered.headers["Location"] == f"/api/referrals/referrals/{entered.json['id']}"
    assert (entered.json["source"], entered.json["status"]) == (source, "submitted")
    assert entered.json["consent"]["evidence"] == evidence
    assert entered.json["timeline"][0]["details"] == {"source": source}
    assert desk.events() == ["referral.submitted.v1"]
    assert desk.read(entered.json["id"], CLERK).json["source"] == source


def test_what_staff_say_of_the_consent_counts_before_the_way_the_referral_came(desk: Desk) -> None:
    consent = {"until": "2099-12-31", "evidence": "spoken"}

    assert enter(desk, "fax", consent=consent).json["consent"]["evidence"] == "spoken"


def test_a_clinics_own_referral_rests_on_the_clinics_record(desk: Desk) -> None:
    submitted = desk.submit()

    assert (submitted["source"], submitted["consent"]["evidence"]) == ("clinic", "clinic-record")


@pytest.mark.parametrize("source", ["clinic", "self", "relative", "rumour", None])
def test_only_ways_that_staff_key_in_are_taken(desk: Desk, source: Any) -> None:
    reply = enter(desk, source)

    assert (reply.status, list(reply.json["errors"])) == (422, ["source"])


def test_a_coordinator_enters_for_the_clinics_served_and_no_other(desk: Desk) -> None:
    reply = enter(desk, by=STRANGER)

    assert (reply.status, list(reply.json["errors"])) == (422, ["clinic_id"])


def test_a_keyed_in_person_who_was_referred_before_is_recognised(desk: Desk) -> None:
    before = desk.submit()

    assert enter(desk).json["client_id"] == before["client_id"]


@pytest.mark.parametrize(
    ("content", "kind", "name"),
    [
        (PDF, "application/pdf", "consent.pdf"),
        (JPEG, "image/jpeg", "consent.jpg"),
        (PNG, "image/png", "consent.png"),
    ],
)
def test_a_scan_is_handed_out_as_the_file_that_its_content_says(
    desk: Desk, content: bytes, kind: str, name: str
) -> None:
    entered = enter(desk).json
    kept = scan(desk, entered["id"], content)

    reply = download(desk, entered["id"], COORDINATOR)

    assert kept.json["consent_scan"]["media_type"] == kind
    assert kept.json["consent_scan"]["bytes"] == len(content)
    assert kept.json["version"] == entered["version"] + 1
    assert (reply.status, reply.headers["Content-Type"]) == (200, kind)
    assert reply.headers["Content-Disposition"] == f'attachment; filename="{name}"'
    assert reply.headers["X-Content-Type-Options"] == "nosniff"
    assert desk.steps(entered["id"])[-1] == "consent-scan-added"


@pytest.mark.parametrize(
    "content",
    [b"", b"<script>alert(1)</script>", b"GIF89a", b"%PDF-1.7 cut off", b"MZ%PDF-1.7\n%%EOF"],
)
def test_what_is_no_scan_by_its_content_is_refused(desk: Desk, content: bytes) -> None:
    entered = enter(desk).json

    reply = scan(desk, entered["id"], content)

    assert (reply.status, list(reply.json["errors"])) == (422, ["content"])
    assert download(desk, entered["id"], COORDINATOR).status == 404


def test_a_scan_of_five_mebibytes_is_kept_and_one_byte_more_is_not(desk: Desk) -> None:
    entered = enter(desk).json
    largest = JPEG.ljust(5 * 1024 * 1024, b"x")

    too_large = scan(desk, entered["id"], largest + b"x")
    kept = scan(desk, entered["id"], largest)

    assert (too_large.status, kept.status) == (422, 200)


def test_a_scan_of_the_wrong_paper_is_gone_once_replaced(desk: Desk) -> None:
    entered = enter(desk).json
    scan(desk, entered["id"], PNG + b"another person's")
    scan(desk, entered["id"], PDF)

    kept = desk.scene.rows("SELECT media_type, content FROM consent_scans")

    assert [(row["media_type"], bytes(row["content"])) for row in kept] == [
        ("application/pdf", PDF)
    ]


def test_the_scan_is_open_to_those_concerned_and_each_of_them_is_written_down(desk: Desk) -> None:
    entered = enter(desk).json
    scan(desk, entered["id"], PDF)
    own = client(person=entered["client_id"])

    open_to = [download(desk, entered["id"], by).status for by in (CLERK, COORDINATOR, own)]
    closed_to = [
        download(desk, entered["id"], by)
        for by in (OTHER_CLERK, STRANGER, client(CLINIC, person=CLINIC))
    ]
    missing = download(desk, str(CLINIC), OTHER_CLERK)

    assert open_to == [200, 200, 200]
    assert [(reply.status, reply.json) for reply in closed_to] == [(404, missing.json)] * 3
    query = "SELECT recipient, subject_id FROM disclosures WHERE purpose = 'consent-scan'"
    assert [str(row["subject_id"]) for row in desk.scene.rows(query)] == [entered["client_id"]] * 3


def test_the_scan_is_in_no_event_and_no_answer_but_its_own(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    secret = b"%PDF-1.7 signed by Amy herself %%EOF"
    entered = enter(desk).json
    kept = scan(desk, entered["id"], secret)
    download(desk, entered["id"], COORDINATOR)
    scan(desk, entered["id"], b"signed by Amy herself")

    told = json.dumps(desk.scene.events()) + kept.text + "".join(capsys.readouterr())
    for shape in ("signed by Amy", b64encode(secret).decode()[:20]):
        assert shape not in told


def test_what_has_ended_takes_no_scan(desk: Desk) -> None:
    entered = enter(desk).json
    desk.do("withdraw_referral", entered["id"])

    assert scan(desk, entered["id"], PDF).status == 409


def upload(browser: Browser, referral_id: str, content: bytes, **more: str) -> Reply:
    """Send the page's form for the scan as a browser does, in parts."""
    page = f"/referrals/{referral_id}"
    fields = {**browser.form(page, "scan"), **more}
    file = ("paper.pdf", content, "application/octet-stream")
    body, kind = encode_multipart_formdata({**fields, "content": file})
    headers = {**browser.headers, "content-type": kind, "content-length": str(len(body))}
    return browser.scene.request("POST", f"{page}/consent-scan", body=body, headers=headers)


def test_a_scan_is_added_on_the_page_and_saved_from_it(desk: Desk) -> None:
    browser = Browser(desk.scene, SERVES_MORE)
    referral_id = enter(desk).json["id"]

    sent = upload(browser, referral_id, PNG)

    page = f"/referrals/{referral_id}"
    assert (sent.status, sent.headers["Location"]) == (303, page)
    assert f'href="{page}/consent-scan" download' in browser.get(page).text
    saved = browser.get(f"{page}/consent-scan")
    assert saved.headers["Content-Disposition"] == 'attachment; filename="consent.png"'
    assert Browser(desk.scene, OTHER_CLERK).get(f"{page}/consent-scan").status == 404


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"GIF89a", "Not a whole PDF, JPEG or PNG file."),
        (b"", "Missing data for required field."),
        (PDF.ljust(5 * 1024 * 1024 + 1, b"\n"), "Larger than 5 MB."),
    ],
)
def test_what_is_no_scan_is_told_at_its_field_and_kept_nowhere(
    desk: Desk, content: bytes, told: str
) -> None:
    browser = Browser(desk.scene, SERVES_MORE)
    referral_id = enter(desk).json["id"]

    sent = upload(browser, referral_id, content)

    assert sent.status == 422
    assert told in words_of(sent)
    assert browser.get(f"/referrals/{referral_id}/consent-scan").status == 404


@pytest.mark.parametrize(
    ("status", "change"),
    [
        (403, {"form_token": "forged"}),
        (400, {"content-type": "multipart/form-data; boundary=another"}),
        (400, {"content-type": "multipart/form-data"}),
        (413, {"wishes": "x" * 20_000}),
    ],
)
def test_parts_that_cannot_be_believed_or_read_are_refused(
    desk: Desk, status: int, change: dict[str, str]
) -> None:
    browser = Browser(desk.scene, SERVES_MORE)
    referral_id = enter(desk).json["id"]
    kind = change.pop("content-type", None)
    if kind:
        body = b"--one\r\nContent-Disposition: form-data; name=a\r\n\r\nb\r\n--one--\r\n"
        headers = {**browser.headers, "content-type": kind, "content-length": str(len(body))}
        path = f"/referrals/{referral_id}/consent-scan"
        sent = browser.scene.request("POST", path, body=body, headers=headers)
    else:
        sent = upload(browser, referral_id, PDF, **change)

    assert sent.status == status, words_of(sent)
    assert not desk.scene.rows("SELECT FROM consent_scans")


def test_no_other_page_takes_files(desk: Desk) -> None:
    browser = Browser(desk.scene, SERVES_MORE)
    page = f"/referrals/{enter(desk).json['id']}"
    body, kind = encode_multipart_formdata(browser.form(page, "accept"))
    headers = {**browser.headers, "content-type": kind, "content-length": str(len(body))}

    assert browser.scene.request("POST", page, body=body, headers=headers).status == 415


@pytest.mark.parametrize("by", [None, client(CLINIC, person=CLINIC)])
def test_a_file_of_somebody_whom_the_page_is_not_for_is_thrown_away_unread(
    desk: Desk, by: Any
) -> None:
    browser = Browser(desk.scene, by)
    body, kind = encode_multipart_formdata({"content": ("a.pdf", PDF, "application/pdf")})
    read: list[int] = []

    def read_body(limit: int) -> bytes:
        read.append(limit)
        return body

    raw = RawRequest(
        method="POST",
        path=f"/referrals/{enter(desk).json['id']}/consent-scan",
        headers={**browser.headers, "content-type": kind, "content-length": str(len(body))},
        read_body=read_body,
    )

    assert desk.scene.public.handle(raw).status == (403 if by else 401)
    assert read == [MAX_DRAINED_BYTES]
