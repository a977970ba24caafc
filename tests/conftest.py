"""Settings of every test: the same examples in every run, and not timed, because the machines are busy.

`make fuzz` is where new examples are looked for.
"""

from __future__ import annotations

from hypothesis import HealthCheck, settings

settings.register_profile(
    "tests",
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
settings.register_profile("fuzz", settings.get_profile("tests"), derandomize=False, max_examples=20_000)
settings.load_profile("tests")
