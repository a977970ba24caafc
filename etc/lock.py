"""Write the lock files: the exact versions of everything that is installed now and that pyproject.toml asks for.

``requirements.lock`` is what running needs, ``requirements-dev.lock`` what testing and checking need on top. Run it with the
Python of the environment whose versions are to be kept: ``make lock``.
"""

from __future__ import annotations

import tomllib
from importlib.metadata import distribution, version
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent


def closure(wanted: list[str]) -> dict[str, str]:
    """Name and installed version of the requirements and of all that they require."""
    found: dict[str, str] = {}
    seen: set[tuple[str, str]] = set()
    todo = [(Requirement(text), "") for text in wanted]
    while todo:
        requirement, extra = todo.pop()
        if requirement.marker and not requirement.marker.evaluate({"extra": extra}):
            continue
        name = canonicalize_name(requirement.name)
        found[name] = version(name)
        for wanted_extra in {"", *requirement.extras}:
            if (name, wanted_extra) not in seen:
                seen.add((name, wanted_extra))
                todo += [(Requirement(text), wanted_extra) for text in distribution(name).requires or ()]
    return found


def write(file: Path, comment: str, pins: dict[str, str]) -> None:
    """Write one lock file."""
    file.write_text(f"# {comment}\n" + "".join(f"{name}=={pins[name]}\n" for name in sorted(pins)))


def main() -> None:
    """Write both files."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    build, groups = project["build-system"]["requires"], project["dependency-groups"]
    run = closure(build + project["project"]["dependencies"])
    everything = closure([text for group in groups.values() for text in group])
    write(ROOT / "requirements.lock", "What running needs. Written by `make lock`.", run)
    rest = {name: pin for name, pin in everything.items() if name not in run}
    write(
        ROOT / "requirements-dev.lock", "What testing and checking need on top. Written by `make lock`.", rest
    )


if __name__ == "__main__":
    main()
