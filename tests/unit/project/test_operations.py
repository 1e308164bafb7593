"""docs/operations.md names only commands, options, settings and metrics that exist."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest

from projections.__main__ import cli as projections
from service.__main__ import cli as service

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs/operations.md").read_text()
GROUPS = {"service": service, "projections": projections}


def named(pattern: str) -> list[str]:
    """Return what the page names, each once; a page that names nothing of a kind is wrong."""
    found: list[str] = sorted(set(re.findall(pattern, PAGE)))
    assert found
    return found


@pytest.mark.parametrize("target", named(r"\bmake ([a-z][a-z-]+)\b(?=[`\n]| +[A-Z#]+)"))
def test_make_targets_exist(target: str) -> None:
    assert re.search(rf"^{target}: ", (ROOT / "Makefile").read_text(), re.MULTILINE)


@pytest.mark.parametrize("command", named(r"python -m ((?:service|projections) [a-z-]+(?: --[a-z-]+)?)"))
def test_commands_and_their_options_exist(command: str) -> None:
    group, name, *options = command.split()
    context = click.Context(GROUPS[group])
    found = GROUPS[group].get_command(context, name)
    assert found is not None
    assert set(options) <= {option for parameter in found.params for option in parameter.opts}


def test_values_of_make_targets_are_passed_on() -> None:
    passed = re.search(r"^OPTIONS := (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert passed is not None
    assert set(named("[` ]([A-Z]+)=")) <= set(passed[1].split())


@pytest.mark.parametrize("setting", named(r"\bHOURLEDGER_[A-Z_]+"))
def test_settings_exist(setting: str) -> None:
    assert f'"{setting}"' in (ROOT / "service/settings.py").read_text()


@pytest.mark.parametrize("metric", named(r"\bhourledger_[a-z_]+"))
def test_metrics_exist(metric: str) -> None:
    assert f'"{metric.removesuffix("_total")}"' in (ROOT / "service/http/metrics.py").read_text()
