"""Pages made from templates."""

import jinja2
import pytest

from pipeline.reporting import templates


@pytest.fixture
def template(tmp_path):
    path = tmp_path / "page.md.j2"
    path.write_text("{% for name in names %}\n- {{ name | loud }}\n{% endfor %}\n")
    return path


def test_a_page_has_the_lines_of_its_template_and_none_for_its_statements(template):
    made = templates.page(template, {"loud": str.upper}, names=["one", "two"])
    assert made == "- ONE\n- TWO\n"


def test_what_a_template_names_must_be_given(template):
    with pytest.raises(jinja2.UndefinedError, match="names"):
        templates.page(template, {"loud": str.upper})
