"""Which tokens speak for somebody: RFC 8725's attacks, one by one."""

import hashlib
import hmac
import json
from base64 import urlsafe_b64encode
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey

from services.chassis.http.keys import (
    ISSUER,
    KeyWithName,
    PublicKeys,
    WrongKey,
    key_set,
    kid_of,
    new_key,
    read_private_key,
    write_private_key,
)
from services.chassis.http.request import Caller
from services.chassis.http.tokens import InvalidToken, ServiceIdentity, Verifier, issue
from services.chassis.roles import CLINIC, PEER, SERVICE

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
ORG = UUID("11111111-1111-4111-8111-111111111111")
ISSUER_NAME = "https://id.example"
PEOPLE = new_key(ISSUER)
MATCHING = new_key(kid_of("matching"))
SCHEDULING = new_key(kid_of("scheduling"))
STAFF = Caller("ana", CLINIC, frozenset({ORG}))

Claims = dict[str, Any]


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    path = tmp_path / "keys.json"
    path.write_text(key_set([PEOPLE, MATCHING, SCHEDULING]))
    return path


@pytest.fixture
def verifier(key_file: Path) -> Verifier:
    return Verifier(PublicKeys(key_file), ISSUER_NAME, "referrals")


def claims(**changes: Any) -> Claims:
    sound = {
        "iss": ISSUER_NAME,
        "aud": "kindred",
        "sub": "ana",
        "role": "clinic",
        "orgs": [str(ORG)],
        "iat": int(NOW.timestamp()),
        "exp": int(NOW.timestamp()) + 60,
    }
    return {name: value for name, value in (sound | changes).items() if value is not None}


def service_claims(**changes: Any) -> Claims:
    return claims(
        **{"iss": "service:matching", "aud": "kindred:referrals", "sub": "matching"}
        | {"role": "service", "orgs": None}
        | changes
    )


def signed(told: Claims, key: KeyWithName = PEOPLE, **header: Any) -> str:
    whole = {"alg": key.algorithm, "kid": key.kid, "typ": "at+jwt"} | header
    return jwt.encode(whole, told, key.key, algorithms=[key.algorithm])


def part(value: Any) -> str:
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return urlsafe_b64encode(raw).decode().rstrip("=")


def unsigned() -> str:
    return f"{part({'alg': 'none', 'kid': ISSUER, 'typ': 'at+jwt'})}.{part(claims())}."


def signed_with_the_public_key() -> str:
    head = f"{part({'alg': 'HS256', 'kid': ISSUER, 'typ': 'at+jwt'})}.{part(claims())}"
    secret = json.dumps(PEOPLE.public()).encode()
    return f"{head}.{part(hmac.digest(secret, head.encode(), 'sha256'))}"


def with_its_own_key_inside() -> str:
    stranger = new_key(ISSUER)
    return signed(claims(), stranger, jwk=stranger.public())


BAD_TOKENS: dict[str, Callable[[], str]] = {
    "empty": lambda: "",
    "no token": lambda: "abc",
    "three dots": lambda: "...",
    "not ascii": lambda: "é.é.é",
    "very long": lambda: signed(claims(sub="a" * 9000)),
    "alg none": unsigned,
    "HS256 with the public key": signed_with_the_public_key,
    "a stranger's key": lambda: signed(claims(), new_key(ISSUER)),
    "a stranger's key in its header": with_its_own_key_inside,
    "an unknown kid": lambda: signed(claims(), kid="somebody"),
    "a kid that is a path": lambda: signed(claims(), kid="../../keys.json"),
    "an unknown critical header": lambda: (
        f"{part({'alg': 'Ed25519', 'kid': ISSUER, 'typ': 'at+jwt', 'crit': ['x'], 'x': 1})}"
        f".{part(claims())}.{part(b'0' * 64)}"
    ),
    "a type that is a list": lambda: (
        f"{part({'alg': 'Ed25519', 'kid': ISSUER, 'typ': []})}.e30.e30"
    ),
    "an identity token's type": lambda: signed(claims(), typ="id+jwt"),
    "another issuer": lambda: signed(claims(iss="https://other.example")),
    "an issuer that only begins alike": lambda: signed(claims(iss=ISSUER_NAME + ".evil")),
    "no issuer": lambda: signed(claims(iss=None)),
    "another audience": lambda: signed(claims(aud="elsewhere")),
    "a service's audience": lambda: signed(claims(aud="kindred:referrals")),
    "no audience": lambda: signed(claims(aud=None)),
    "expired": lambda: signed(claims(exp=int(NOW.timestamp()) - 31)),
    "no end": lambda: signed(claims(exp=None)),
    "an end that is text": lambda: signed(claims(exp="never")),
    "an end that is no number": lambda: signed(claims(exp=float("nan"))),
    "not valid yet": lambda: signed(claims(nbf=int(NOW.timestamp()) + 300)),
    "issued in the future": lambda: signed(claims(iat=int(NOW.timestamp()) + 300)),
    "no subject": lambda: signed(claims(sub=None)),
    "an empty subject": lambda: signed(claims(sub="")),
    "no role": lambda: signed(claims(role=None)),
    "an unknown role": lambda: signed(claims(role="admin")),
    "a list as role": lambda: signed(claims(role=["clinic"])),
    "orgs that are text": lambda: signed(claims(orgs=str(ORG))),
    "orgs that are no ids": lambda: signed(claims(orgs=["north"])),
    "orgs that are numbers": lambda: signed(claims(orgs=[1])),
    "a peer without a person": lambda: signed(claims(role="peer")),
    "a person pretending to be a service": lambda: signed(claims(role="service")),
    "a service's key pretending to be a person": lambda: signed(claims(), MATCHING),
    "a service with a person's role": lambda: signed(service_claims(role="clinic"), MATCHING),
    "a service as another service": lambda: signed(service_claims(sub="scheduling"), MATCHING),
    "a service under another's kid": lambda: signed(service_claims(), MATCHING, kid=SCHEDULING.kid),
    "a service at another service": lambda: signed(
        service_claims(aud="kindred:matching"), MATCHING
    ),
    "a service for too long": lambda: signed(
        service_claims(exp=int(NOW.timestamp()) + 3600), MATCHING
    ),
    "the issuer's key under a service's claims": lambda: signed(service_claims()),
}


@pytest.mark.parametrize("name", BAD_TOKENS)
def test_a_bad_token_speaks_for_nobody(verifier: Verifier, name: str) -> None:
    with pytest.raises(InvalidToken):
        verifier.verify(BAD_TOKENS[name](), NOW)


def test_a_sound_token_speaks_for_its_person(verifier: Verifier) -> None:
    person = uuid4()
    caller = Caller("p-7", PEER, frozenset({ORG}), person)

    token = issue(PEOPLE, caller, issuer=ISSUER_NAME, now=NOW)

    assert verifier.verify(token, NOW) == caller


def test_no_single_changed_character_leaves_a_token_valid(verifier: Verifier) -> None:
    token = issue(PEOPLE, STAFF, issuer=ISSUER_NAME, now=NOW)
    # The last character of a part may hold bits that base64 ignores.
    last_of_a_part = {index - 1 for index, char in enumerate(token + ".") if char == "."}

    for index in set(range(len(token))) - last_of_a_part:
        changed = "A" if token[index] != "A" else "B"
        with pytest.raises(InvalidToken):
            verifier.verify(token[:index] + changed + token[index + 1 :], NOW)


def test_a_token_without_organisations_has_none(verifier: Verifier) -> None:
    assert verifier.verify(signed(claims(orgs=None)), NOW).orgs == frozenset()


def test_es256_is_accepted_from_a_key_of_its_kind(key_file: Path) -> None:
    curve = KeyWithName("provider-1", ECKey.generate_key("P-256"), "ES256")
    key_file.write_text(key_set([curve]))
    verifier = Verifier(PublicKeys(key_file), ISSUER_NAME, "referrals")

    assert verifier.verify(signed(claims(), curve), NOW).subject == "ana"


def test_a_service_speaks_as_itself_at_the_service_it_named(verifier: Verifier) -> None:
    token = ServiceIdentity(MATCHING, lambda: NOW).token_for("referrals")

    assert verifier.verify(token, NOW) == Caller("matching", SERVICE)
    with pytest.raises(InvalidToken):
        replace(verifier, service="scheduling").verify(token, NOW)


def test_a_service_token_is_over_after_a_minute_and_the_leeway(verifier: Verifier) -> None:
    token = ServiceIdentity(MATCHING, lambda: NOW).token_for("referrals")

    verifier.verify(token, NOW + timedelta(seconds=89))
    with pytest.raises(InvalidToken, match="expired"):
        verifier.verify(token, NOW + timedelta(seconds=91))


def test_a_token_that_was_valid_before_expires_all_the_same(verifier: Verifier) -> None:
    token = signed(claims(exp=int(NOW.timestamp()) + 60))

    verifier.verify(token, NOW)
    with pytest.raises(InvalidToken, match="expired"):
        verifier.verify(token, NOW + timedelta(seconds=90))


def test_a_service_signs_a_token_for_an_owner_every_half_minute() -> None:
    now = [NOW]
    matching = ServiceIdentity(MATCHING, lambda: now[0])
    first = matching.token_for("referrals")

    now[0] += timedelta(seconds=29)
    assert matching.token_for("referrals") == first
    assert matching.token_for("scheduling") != first
    now[0] += timedelta(seconds=1)
    assert matching.token_for("referrals") != first


def test_a_key_counts_from_when_it_is_in_the_file_until_it_is_gone(
    key_file: Path, verifier: Verifier
) -> None:
    added = new_key("issuer-2027")
    token = signed(claims(), added)
    with pytest.raises(InvalidToken):
        verifier.verify(token, NOW)

    key_file.write_text(key_set([PEOPLE, added]))
    verifier.verify(token, NOW)

    key_file.write_text(key_set([PEOPLE]))
    with pytest.raises(InvalidToken):
        verifier.verify(token, NOW)


def test_a_key_that_is_taken_out_while_the_file_is_read_for_the_first_time_does_not_stay(
    key_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read_bytes = Path.read_bytes

    def read_and_replace(path: Path) -> bytes:
        content = read_bytes(path)
        path.write_text(key_set([MATCHING]))
        return content

    with monkeypatch.context() as patch:
        patch.setattr(Path, "read_bytes", read_and_replace)
        keys = PublicKeys(key_file)

    assert keys.find(ISSUER) is None


@pytest.mark.parametrize("text", ["", "{", "[]", '{"keys": [{"kty": "oct", "k": "c2VjcmV0"}]}'])
def test_an_unreadable_key_file_keeps_the_keys_known_before(
    key_file: Path, verifier: Verifier, text: str
) -> None:
    key_file.write_text(text)

    assert verifier.verify(signed(claims()), NOW).subject == "ana"
    with pytest.raises(WrongKey):
        PublicKeys(key_file)


def test_a_missing_key_file_keeps_the_keys_known_before(key_file: Path, verifier: Verifier) -> None:
    key_file.unlink()

    assert verifier.verify(signed(claims()), NOW).subject == "ana"


def test_a_private_key_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "service.json"

    write_private_key(path, MATCHING)

    assert path.stat().st_mode & 0o777 == 0o600
    assert read_private_key(path).public() == MATCHING.public()


def test_a_public_key_cannot_sign(tmp_path: Path) -> None:
    path = tmp_path / "public.json"
    path.write_text(json.dumps(MATCHING.public()))

    with pytest.raises(WrongKey, match="not a private key"):
        read_private_key(path)


def test_the_key_set_holds_no_private_part() -> None:
    assert all("d" not in jwk for jwk in json.loads(key_set([PEOPLE, MATCHING]))["keys"])


def test_the_hs256_attack_is_really_one() -> None:
    token = signed_with_the_public_key()
    head, _, mac = token.rpartition(".")
    secret = json.dumps(PEOPLE.public()).encode()

    assert mac == part(hmac.new(secret, head.encode(), hashlib.sha256).digest())
