"""Print which package of `pipeline` imports which, as a table in the order of the layers."""

import tomllib
from pathlib import Path

import grimp

settings = tomllib.loads((Path(__file__).parent.parent / "pyproject.toml").read_text())
contract = settings["tool"]["importlinter"]["contracts"][0]
layers = [name.strip() for layer in contract["layers"] for name in layer.split("|")]
graph = grimp.build_graph("pipeline", exclude_type_checking_imports=True)


def members(layer: str) -> set[str]:
    """Return the modules of a package, or the module itself."""
    return {layer, *graph.find_descendants(layer)}


print(f"{'imports':>12} " + " ".join(f"{layer.rpartition('.')[2][:9]:>9}" for layer in layers))
for importer in layers:
    counts = [
        sum(
            1
            for module in members(importer)
            for imported in graph.find_modules_directly_imported_by(module)
            if imported in members(layer)
        )
        for layer in layers
    ]
    row = " ".join(f"{count or '·':>9}" for count in counts)
    print(f"{importer.rpartition('.')[2]:>12} {row}")
