"""Rendering Jinja templates."""

from collections.abc import Callable
from pathlib import Path

import jinja2


def render(template: Path, filters: dict[str, Callable], **values: object) -> str:
    """Render a template with `filters` under their names.

    Raises jinja2.UndefinedError if the template uses a value that was not passed.
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(template.parent),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= filters
    return environment.get_template(template.name).render(values)
