"""Rendering templates."""

import jinja2
import pytest

from pipeline.utils.templates import render


@pytest.fixture
def template(tmp_path):
    path = tmp_path / "page.md.j2"
    path.write_text("{% for name in names %}\n- {{ name | loud }}\n{% endfor %}\n")
    return path


def test_statements_leave_no_empty_lines(template):
    assert render(template, {"loud": str.upper}, names=["one", "two"]) == "- ONE\n- TWO\n"


def test_a_value_that_is_not_passed_is_an_error(template):
    with pytest.raises(jinja2.UndefinedError, match="names"):
        render(template, {"loud": str.upper})
