"""What a caller reads when the answer is no."""

import json
import re

import pytest

from services.chassis import pages, problems
from services.chassis.assets import STYLESHEET, stylesheet
from services.chassis.problems import Conflict, Invalid, NotFound, Problem, problem_response


def test_a_problem_is_told_as_rfc_9457_says() -> None:
    response = problem_response(Invalid({"client.email": ["Not an e-mail address."]}))

    assert response.status == 422
    assert response.headers["Content-Type"] == "application/problem+json"
    assert json.loads(response.body) == {
        "type": "urn:kindred:problem:invalid",
        "title": "Some fields need another value",
        "status": 422,
        "errors": {"client.email": ["Not an e-mail address."]},
    }


def test_the_text_of_a_problem_holds_no_words_of_the_caller() -> None:
    for problem in (
        Invalid({"Canary": ["Canary"]}, "Canary"),
        Conflict("already-sent", "Canary", "Canary"),
    ):
        assert "Canary" not in str(problem)
        assert "Canary" not in repr(problem)


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize("problem", [NotFound(), problems.Gone(), problems.Unavailable(1)])
def test_a_problem_page_is_in_the_readers_language(language: str, problem: Problem) -> None:
    page = pages.problem_page(problem, language)

    assert f'<html lang="{language}"' in page
    assert page.count("<h1") == 1
    assert page.count("<main") == 1


def test_a_page_loads_the_one_style_sheet_and_nothing_else() -> None:
    page = pages.problem_page(NotFound(), "en")

    assert re.findall(r'<link [^>]*href="([^"]+)"', page) == [f"/assets/{STYLESHEET}"]
    assert "<style" not in page
    assert "src=" not in page
    assert "style-src 'self'" in pages.POLICY


def test_the_style_sheet_asks_no_other_host_for_anything() -> None:
    assert b"url(" not in stylesheet()
    assert b"@import" not in stylesheet()


def test_every_status_has_words_for_a_page() -> None:
    for problem in (problems.TooLarge(1), problems.BadRequest(), problems.InternalError("1")):
        assert "Nothing was saved" in pages.problem_page(problem, "en")
