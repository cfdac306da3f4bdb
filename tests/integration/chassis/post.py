"""A small service for the chassis's tests: parcels that an organisation sends."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar
from uuid import UUID

import psycopg
from marshmallow import Schema, fields, validate

from services.chassis import cursors, links
from services.chassis.cursors import PageSchema
from services.chassis.errors import DomainError
from services.chassis.http.request import Answer, Preparation, Request
from services.chassis.pages import Pages
from services.chassis.problems import Conflict, NotFound
from services.chassis.roles import CLIENT, CLINIC, COORDINATOR, OPERATOR
from services.chassis.service import Service, internal, page, route
from services.chassis.work import Work
from tests.support import Scene, TestDatabase

TABLES = """
    CREATE TABLE parcels (
        id uuid PRIMARY KEY,
        org_id uuid NOT NULL,
        label text NOT NULL CONSTRAINT parcels_label_unique UNIQUE,
        version integer NOT NULL DEFAULT 1
    );
    ALTER TABLE parcels ENABLE ROW LEVEL SECURITY;
    ALTER TABLE parcels FORCE ROW LEVEL SECURITY;
    CREATE POLICY parcels_of_acting_organisations ON parcels
        USING (org_id = ANY (acting_organisations()));
    GRANT SELECT, INSERT, UPDATE, DELETE ON parcels TO matching;
"""


@dataclass(frozen=True, kw_only=True)
class ParcelSent:
    type: ClassVar[str] = "parcel.sent.v1"
    subject: ClassVar[str] = "parcel_id"
    parcel_id: UUID


class ParcelSentSchema(Schema):
    parcel_id = fields.UUID(required=True)


class LineSchema(Schema):
    text = fields.String(required=True, validate=validate.Length(min=1, max=20))


class NewParcelSchema(Schema):
    label = fields.String(required=True, validate=validate.Length(min=1, max=40))
    org_id = fields.UUID()
    lines = fields.List(fields.Nested(LineSchema))
    pause_seconds = fields.Float(load_default=0)


class ParcelSchema(Schema):
    id = fields.UUID()
    label = fields.String()


class LabelSchema(Schema):
    label = fields.String(required=True)


class FilterSchema(PageSchema):
    label = fields.List(fields.String())


class FaultSchema(Schema):
    kind = fields.String(required=True)


class IdsSchema(Schema):
    ids = fields.List(fields.UUID(), required=True, validate=validate.Length(max=200))


class TooHeavy(DomainError):
    slug = "too-heavy"


def send_parcel(request: Request, work: Work) -> Answer:
    """Send a parcel from the caller's organisation."""
    assert request.caller is not None
    org = request.body.get("org_id") or next(iter(request.caller.orgs or work.orgs))
    parcel = {"id": work.new_id(), "label": request.body["label"]}
    query = "INSERT INTO parcels (id, org_id, label) VALUES (%s, %s, %s)"
    work.connection.execute(query, (parcel["id"], org, parcel["label"]))
    time.sleep(request.body["pause_seconds"])
    work.emit(ParcelSent(parcel_id=parcel["id"]), org=org)
    return Answer(parcel, version=1, location=f"/parcels/{parcel['id']}")


def found(work: Work, parcel_id: UUID) -> dict[str, Any]:
    query = "SELECT id, label, version FROM parcels WHERE id = %s FOR UPDATE"
    row = work.connection.execute(query, (parcel_id,)).fetchone()
    if row is None:
        raise NotFound
    return row


def show_parcel(request: Request, work: Work) -> Answer:
    parcel = found(work, request.path["parcel_id"])
    return Answer(parcel, version=parcel["version"])


def show_parcels(request: Request, work: Work) -> Answer:
    limit, cursor = request.query["limit"], request.query["cursor"]
    after = cursors.decode(cursor, UUID)[0] if cursor else UUID(int=0)
    query = "SELECT id, label FROM parcels WHERE id > %s ORDER BY id LIMIT %s"
    rows = work.connection.execute(query, (after, limit + 1)).fetchall()
    shown, following = cursors.page_of(rows, limit, lambda row: (row["id"],))
    return Answer(shown, next_cursor=following)


def relabel_parcel(request: Request, work: Work) -> Answer:
    parcel = found(work, request.path["parcel_id"])
    request.expects(parcel["version"])
    query = "UPDATE parcels SET label = %s, version = version + 1 WHERE id = %s"
    work.connection.execute(query, (request.body["label"], parcel["id"]))
    return Answer(parcel | request.body, version=parcel["version"] + 1)


def drop_parcel(request: Request, work: Work) -> Answer:
    query = "DELETE FROM parcels WHERE id = %s"
    if work.connection.execute(query, (request.path["parcel_id"],)).rowcount == 0:
        raise NotFound
    return Answer()


class Faults:
    """How often `fail_somehow` has run, and what it does."""

    runs = 0


def fail_somehow(request: Request, work: Work) -> Answer:
    Faults.runs += 1
    query = "INSERT INTO parcels (id, org_id, label) VALUES (%s, %s, 'Canary Smith')"
    (org,) = work.orgs
    work.connection.execute(query, (work.new_id(), org))
    match request.body["kind"]:
        case "bug":
            raise KeyError("Canary Smith")
        case "rule":
            raise TooHeavy("The parcel is too heavy")
        case "conflict":
            raise Conflict("already-sent", "It is on its way")
        case "constraint":
            work.connection.execute(query, (work.new_id(), org))
        case "away":
            work.connection.execute("SELECT pg_terminate_backend(pg_backend_pid())")
        case "serialization" if Faults.runs < 3:
            raise psycopg.errors.SerializationFailure
        case "deadlock":
            raise psycopg.errors.DeadlockDetected
    return Answer({"label": "Canary Smith"})


def ask(request: Request, preparation: Preparation) -> Any:
    known = preparation.read(
        lambda work: work.connection.execute("SELECT count(*) AS number FROM parcels").fetchone()
    )
    learned = preparation.directory.ask(
        "scheduling", "/internal/times", purpose="matching", orgs=[], body={}
    )
    return {**(known or {}), **learned}


def tell(request: Request, work: Work) -> Answer:
    return Answer({"label": f"{work.answer['number']} {work.answer['told']}"})


def tell_labels(request: Request, work: Work) -> Answer:
    query = "SELECT id, label FROM parcels WHERE id = ANY (%s) ORDER BY label"
    rows = work.connection.execute(query, (request.body["ids"],)).fetchall()
    return Answer({"parcels": rows})


class ParcelsSchema(Schema):
    parcels = fields.List(fields.Nested(ParcelSchema))


PAGES = Pages(Path(__file__).parent)


def open_page(request: Request, work: Work) -> Answer:
    link = links.open_link(work, request.path["secret"])
    parcel = found(work, link.subject_id)
    title = f"<b>{parcel['label']}</b>"
    return Answer(
        html=PAGES.render("problem.html", language=request.language, title=title, text="")
    )


def act_on_page(request: Request, work: Work) -> Answer:
    link = links.open_link(work, request.path["secret"])
    if request.form.get("act") == "not-me":
        links.disown(work, link)
    else:
        links.use(work, link)
        query = "UPDATE parcels SET label = %s WHERE id = %s"
        work.connection.execute(query, (request.form.get("label", "taken"), link.subject_id))
    return Answer(html=PAGES.render("problem.html", language="en", title="Done", text=""))


class Post(Service):
    name = "matching"
    publishes: ClassVar = {ParcelSent: ParcelSentSchema}

    send = route(
        "POST",
        "/parcels",
        roles={CLINIC, CLIENT, OPERATOR},
        body=NewParcelSchema,
        answer=ParcelSchema,
        status=201,
        handler=send_parcel,
    )
    show = route(
        "GET",
        "/parcels/{parcel_id}",
        roles={CLINIC, CLIENT},
        answer=ParcelSchema,
        handler=show_parcel,
    )
    show_all = route(
        "GET",
        "/parcels",
        roles={CLINIC},
        query=FilterSchema,
        answer=ParcelSchema,
        many=True,
        handler=show_parcels,
    )
    relabel = route(
        "PATCH",
        "/parcels/{parcel_id}",
        roles={CLINIC, CLIENT},
        body=LabelSchema,
        answer=ParcelSchema,
        guarded=True,
        handler=relabel_parcel,
    )
    drop = route("DELETE", "/parcels/{parcel_id}", roles={CLINIC}, handler=drop_parcel)
    fail = route(
        "POST", "/fail", roles={CLINIC}, body=FaultSchema, answer=LabelSchema, handler=fail_somehow
    )
    told = route("POST", "/told", roles={CLINIC}, answer=LabelSchema, prepare=ask, handler=tell)
    nobody = route("GET", "/nobody", roles=set(), handler=show_parcels)
    coordinate = route("GET", "/coordinate", roles={COORDINATOR}, handler=show_parcels)
    labels = internal(
        "POST",
        "/labels",
        callers={"scheduling": {"scheduling"}},
        body=IdsSchema,
        answer=ParcelsSchema,
        handler=tell_labels,
    )
    show_link = page("GET", "/l/{secret}", handler=open_page)
    use_link = page("POST", "/l/{secret}", handler=act_on_page)


@contextmanager
def opened(database: TestDatabase) -> Iterator[Scene]:
    """A scene of this service on a database with its table."""
    with psycopg.connect(database.owner) as connection:
        connection.execute(TABLES)
    scene = Scene(Post, database)
    try:
        yield scene
    finally:
        scene.close()
