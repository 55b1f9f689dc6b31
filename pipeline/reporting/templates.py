"""Pages made from templates: the report, and that of the benchmarks."""

from collections.abc import Callable
from pathlib import Path

import jinja2


def page(template: Path, filters: dict[str, Callable], **found: object) -> str:
    """The page that a Jinja template makes of what was found; `filters` by their names in it.

    Raises jinja2.UndefinedError where the template names what was not given.
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(template.parent),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= filters
    return environment.get_template(template.name).render(found)
