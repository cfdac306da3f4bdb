"""One request, from its token to its committed answer: the order of everything is here.

authenticate → authorise → path → query and body → prepare → one transaction: idempotency key,
handler, answer by its schema, kept answer → commit. Whatever is wrong raises a Problem, which
undoes the transaction; `application` writes it.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from secrets import token_hex
from typing import Any, TypeVar
from uuid import UUID

from psycopg import OperationalError
from psycopg.errors import DeadlockDetected, SerializationFailure

from services.chassis import pages
from services.chassis.errors import DomainError, OwnerAway
from services.chassis.help_lines import help_of
from services.chassis.http import answering, idempotency, reading
from services.chassis.http.idempotency import KeyedRequest
from services.chassis.http.json_body import MAX_BYTES, read_json
from services.chassis.http.raw import RawRequest, RawResponse
from services.chassis.http.request import (
    Caller,
    Form,
    Preparation,
    Request,
    entity_tag,
)
from services.chassis.http.sessions import ONCE_FIELD, SIGNING_IN_COOKIE, NotSignedIn, cookie_of
from services.chassis.http.tokens import InvalidToken, Verifier
from services.chassis.http.visits import Visits, sign_in_first
from services.chassis.internal import ORGS, PURPOSE, Directory, organisations_of
from services.chassis.log import get_log
from services.chassis.problems import (
    BadRequest,
    Conflict,
    Forbidden,
    Invalid,
    PreconditionFailed,
    Refused,
    Unauthorized,
    Unavailable,
)
from services.chassis.roles import CLIENT, PEER, SERVICE
from services.chassis.service import ANY_SERVICE, InternalRoute, Page, Route
from services.chassis.work import Work, Workplace

T = TypeVar("T")

log = get_log(__name__)

_TRIES = 3
_RETRY_AFTER_SECONDS = 2
_VERSION = re.compile(r"[0-9]{1,18}")
_TRACEPARENT = re.compile(r"00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")


@dataclass(frozen=True)
class Pipeline:
    """Answers the requests of one service."""

    workplace: Workplace
    directory: Directory
    verifier: Verifier
    visits: Visits

    def respond(
        self, target: Route | InternalRoute | Page, raw: RawRequest, path: Mapping[str, str]
    ) -> RawResponse:
        """The answer, or a Problem raised in words fit for the caller."""
        try:
            match target:
                case Route():
                    return self._respond_to_person(target, raw, path)
                case InternalRoute():
                    return self._respond_to_service(target, raw, path)
                case Page():
                    return self._respond_with_page(target, raw, path)
        except DomainError as error:
            raise Refused(error) from error
        except (OwnerAway, OperationalError) as error:
            cause = getattr(error, "sqlstate", None) or type(error).__name__
            log.warning("unavailable", route=target.name, cause=cause.lower())
            raise Unavailable(_RETRY_AFTER_SECONDS) from error

    def _respond_to_person(
        self, route: Route, raw: RawRequest, path: Mapping[str, str]
    ) -> RawResponse:
        caller = self._authenticate(raw)
        if caller.role not in route.roles:
            raise Forbidden
        request, keyed = self._read(route, raw, path, caller)
        if keyed is not None and route.prepare is not None:
            # What is answered already is not prepared again: it may no longer be possible.
            kept = self._look(caller, lambda work: idempotency.find(work, keyed))
            if kept is not None:
                return kept
        learned = self._prepare(route, request)

        def act() -> RawResponse:
            with self._begin(caller, answer=learned, traceparent=_trace(raw)) as work:
                return idempotency.once(work, keyed, lambda: respond(work))

        def respond(work: Work) -> RawResponse:
            answer = route.handler(request, work)
            return answering.api_answer(self._name, route, raw, answer)

        return _retried(act)

    def _respond_to_service(
        self, route: InternalRoute, raw: RawRequest, path: Mapping[str, str]
    ) -> RawResponse:
        caller = self._authenticate(raw)
        purpose = raw.header(PURPOSE)
        if caller.role is not SERVICE or purpose is None or purpose not in _purposes(route, caller):
            raise Forbidden
        caller = replace(caller, orgs=_named_organisations(raw))
        request, _ = self._read(route, raw, path, caller)
        request = replace(request, purpose=purpose)

        def act() -> RawResponse:
            with self._begin(caller, traceparent=_trace(raw)) as work:
                return answering.internal_answer(route.answer, route.handler(request, work))

        return _retried(act)

    def _respond_with_page(
        self, page: Page, raw: RawRequest, path: Mapping[str, str]
    ) -> RawResponse:
        """A page for a role; or one whose link's secret the handler looks up, or open to all."""
        now, language = self.workplace.clock(), reading.language_of(raw.header("accept-language"))
        form = Form()
        if raw.method == "POST" and "secret" not in path:
            self.visits.require_own_site(raw)
        visit = None
        if page.roles:
            try:
                if page.max_file_bytes:  # much to read for somebody who may be anybody
                    self.visits.require_reader(page, raw, now)
                form = self._form(page, raw)
                visit = self.visits.admit(page, raw, form, now)
            except NotSignedIn as nobody:
                return sign_in_first(raw, form, nobody, language)
        else:
            form = self._form(page, raw)
        errors: dict[str, list[str]] = {}
        query = reading.read_query(raw.query, reading.schema_of(page.query), errors)
        if errors and page.query:
            raise Invalid(errors)
        request = Request(
            caller=visit.session.caller if visit else None,
            path=reading.read_path(path),
            query=query,
            form=form,
            language=language,
            cookie=cookie_of(raw),
            signing_in=cookie_of(raw, SIGNING_IN_COOKIE),
            visit=visit,
            if_match=_version_seen(form),
        )
        response = self._page(page, request, raw)
        renewed = self.visits.sessions.renewed(visit.session, now) if visit else None
        if renewed is None:
            return response
        return replace(response, headers={**response.headers, "Set-Cookie": renewed})

    def _form(self, page: Page, raw: RawRequest) -> Form:
        return reading.read_form(raw, page.max_file_bytes) if raw.method == "POST" else Form()

    def _page(self, page: Page, request: Request, raw: RawRequest) -> RawResponse:
        """What the handler shows; or its form once more, where it raised what can be mended.

        A form that is sent twice, by a double click or after a lost answer, is done once.
        """
        learned = self._prepare(page, request)
        keyed = None
        if request.caller is not None and ONCE_FIELD in request.form:
            key = request.form[ONCE_FIELD]
            keyed = KeyedRequest.of(raw, request.caller, request.form.pairs(), key=key)

        def respond(work: Work) -> RawResponse:
            return answering.page_answer(page.handler(_helped(request, work), work), pages.POLICY)

        def act() -> RawResponse:
            trace = _trace(raw)
            with self._begin(request.caller, answer=learned, traceparent=trace) as work:
                return idempotency.once(work, keyed, lambda: respond(work))

        try:
            return _retried(act)
        except (DomainError, Invalid, PreconditionFailed, Conflict, Refused) as error:
            if page.again is None:
                raise
            problem = Refused(error) if isinstance(error, DomainError) else error
            with self._begin(request.caller) as work:
                shown = page.again(_helped(request, work), work, problem)
            shown = replace(shown, status=shown.status or problem.status)
            return answering.page_answer(shown, pages.POLICY)

    @property
    def _name(self) -> str:
        return self.workplace.service.name

    def _authenticate(self, raw: RawRequest) -> Caller:
        scheme, _, token = (raw.header("authorization") or "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise Unauthorized
        try:
            return self.verifier.verify(token.strip(), self.workplace.clock())
        except InvalidToken as error:
            raise Unauthorized(str(error)) from None

    def _read(
        self, route: Route | InternalRoute, raw: RawRequest, path: Mapping[str, str], caller: Caller
    ) -> tuple[Request, KeyedRequest | None]:
        """Every part by its schema; one answer names all that is wrong in any of them."""
        errors: dict[str, list[str]] = {}
        parameters = reading.read_path(path)
        asked = route.query if isinstance(route, Route) else None
        query = reading.read_query(raw.query, reading.schema_of(asked), errors)
        sent, body = None, None
        if raw.method in idempotency.WRITES:
            limit = route.max_body_bytes if isinstance(route, Route) else MAX_BYTES
            sent = read_json(raw, limit)
            body = reading.load(reading.schema_of(route.body), sent, "body", errors)
        if errors:
            raise Invalid(errors)
        request = Request(
            caller=caller,
            path=parameters,
            query=query,
            body=body,
            if_match=raw.header("if-match"),
            language=reading.language_of(raw.header("accept-language")),
        )
        return request, KeyedRequest.of(raw, caller, sent)

    def _prepare(self, route: Route | Page, request: Request) -> Any:
        if route.prepare is None:
            return None

        def read(question: Callable[[Work], T]) -> T:
            return self._look(request.caller, question)

        return route.prepare(request, Preparation(self.directory, read, self.workplace))

    def _look(self, caller: Caller | None, question: Callable[[Work], T]) -> T:
        """A look inside that cannot change anything."""
        with self._begin(caller) as work:
            work.connection.execute("SET TRANSACTION READ ONLY")
            return question(work)

    @contextmanager
    def _begin(self, caller: Caller | None, **facts: Any) -> Iterator[Work]:
        """A transaction that acts for the caller's organisations.

        A peer or client whose token names none acts for themselves: their rows may lie with any
        organisation, and handlers restrict to the rows of the person.
        """
        orgs: Iterable[UUID] = caller.orgs if caller else ()
        with self.workplace.begin(orgs, caller=caller, **facts) as work:
            if caller and caller.role in (PEER, CLIENT) and not caller.orgs:
                work.act_for_all()
            yield work


def _retried(act: Callable[[], T]) -> T:
    """The transaction again, where PostgreSQL chose it to give way to another."""
    for _ in range(_TRIES - 1):
        try:
            return act()
        except (SerializationFailure, DeadlockDetected):
            continue
    return act()


def _helped(request: Request, work: Work) -> Request:
    """With whom to call in need, where a peer or a client reads the page."""
    visit = request.visit
    if visit is None or visit.session.caller.role not in (PEER, CLIENT):
        return request
    found = help_of(work, visit.session.caller.orgs)
    return replace(request, visit=replace(visit, help=found))


def _version_seen(form: Form) -> str | None:
    """What a page's form says instead of If-Match."""
    seen = form.get("version", "")
    return entity_tag(int(seen)) if _VERSION.fullmatch(seen) else None


def _named_organisations(raw: RawRequest) -> frozenset[UUID]:
    try:
        return organisations_of(raw.header(ORGS))
    except ValueError:
        raise BadRequest(detail="Kindred-Orgs is not a list of UUIDs.") from None


def _trace(raw: RawRequest) -> str:
    """The caller's trace (W3C Trace Context), or the first of a new one."""
    given = raw.header("traceparent")
    if given and _TRACEPARENT.fullmatch(given):
        return given
    return f"00-{token_hex(16)}-{token_hex(8)}-01"


def _purposes(route: InternalRoute, caller: Caller) -> frozenset[str]:
    """What the calling service may state as its purpose; nothing where it is not named."""
    return route.callers.get(caller.subject) or route.callers.get(ANY_SERVICE, frozenset())
