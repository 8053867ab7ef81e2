"""The examples of `deploy/` agree with the code, whether or not their programs are installed."""

import inspect
import re
import shutil
import subprocess
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import uvicorn
import yaml

from app.callback.router import DEADLINE_SECONDS
from app.cli.command_list import COMMANDS
from app.cli.main import main
from app.console.rules.import_page import IMPORT_LIMIT
from app.settings import Settings
from tests.docs.pages import LANGUAGES, ROOT, page
from tests.e2e.children import environment, oa_bridge
from tests.waiting import PATIENCE_SECONDS

DEPLOY = ROOT / "deploy"
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
NGINX = (DEPLOY / "nginx/oa-bridge.conf").read_text(encoding="utf-8")
CADDYFILE = (DEPLOY / "caddy/Caddyfile").read_text(encoding="utf-8")
SETTINGS = {name.upper() for name in Settings.model_fields}
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
PASSWORDS = {"POSTGRES_PASSWORD", "APP_PASSWORD"}
DEFAULTS = Settings(_env_file=None)
UPSTREAM = f"{DEFAULTS.host}:{DEFAULTS.port}"
# Source: protocol 3.4.
WECHAT_WAITS_SECONDS = 5
BAD_SETTING = 2
STOP_SECONDS = 15


def unit(path: Path) -> dict[str, list[str]]:
    """Return the directives of a unit; one may occur several times."""
    found: dict[str, list[str]] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        name, equals, value = line.partition("=")
        if equals and not line.startswith("#"):
            found.setdefault(name, []).append(value)
    return found


def environment_of(path: Path) -> dict[str, str]:
    pairs = (line.partition("=") for line in unit(path).get("Environment", []))
    return {name: value for name, _, value in pairs}


def commands() -> set[str]:
    """Return the commands of `oa-bridge`."""
    assert entry_point() is main
    return {one.name for one in COMMANDS}


def entry_point() -> Any:  # noqa: ANN401 - a function of a module that is named in a file
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    found = re.search(r'^oa-bridge = "([\w.]+):(\w+)"$', project, re.MULTILINE)
    assert found
    return getattr(import_module(found[1]), found[2])


def seconds(text: str, directive: str) -> list[float]:
    """Return every time that a directive of a proxy gets."""
    return [float(value) for value in re.findall(rf"\b{directive} (\d+)s", text)]


def test_every_unit_is_here() -> None:
    assert [path.stem for path in UNITS] == [
        "oa-bridge-migrate",
        "oa-bridge-serve",
        "oa-bridge-worker",
    ]


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.stem)
def test_a_unit_runs_its_command_with_settings_that_there_are(path: Path) -> None:
    directives = unit(path)
    (command,) = directives["ExecStart"]
    (state,) = directives["StateDirectory"]

    assert command == f"/opt/oa-bridge/bin/oa-bridge {path.stem.removeprefix('oa-bridge-')}"
    assert command.split(" ")[1] in commands()
    assert environment_of(path).keys() <= SETTINGS
    assert environment_of(path)["DATA_DIR"] == f"/var/lib/{state}"
    assert directives["WorkingDirectory"] == [f"/var/lib/{state}"]


@pytest.mark.parametrize("path", UNITS[1:], ids=lambda path: path.stem)
def test_a_unit_lets_a_process_stop_and_not_start_in_vain(path: Path, tmp_path: Path) -> None:
    directives = unit(path)
    command = oa_bridge(path.stem.removeprefix("oa-bridge-"))
    bad = {"PORT": "high", "WECHAT_APPID": "none"}
    ended = subprocess.run(
        command, env=environment(bad), cwd=tmp_path, check=False, timeout=PATIENCE_SECONDS
    )

    assert ended.returncode == BAD_SETTING
    assert directives["RestartPreventExitStatus"] == [str(BAD_SETTING)]
    assert directives["TimeoutStopSec"] == [str(STOP_SECONDS)]
    assert int(directives["LimitNOFILE"][0]) > DEFAULTS.inbox_max_waiting
    # One that requires the migration would not start while the database is away.
    assert not {"Requires", "BindsTo"} & directives.keys()


def test_units_are_such_as_systemd_takes(tmp_path: Path) -> None:
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("systemd-analyze is not installed; the tests above read the units")
    for path in UNITS:
        text = path.read_text(encoding="utf-8")
        # What it names has to be there.
        here = text.replace("/opt/oa-bridge/bin/oa-bridge", "/bin/true")
        (tmp_path / path.name).write_text(here)
    checked = subprocess.run(
        [program, "verify", *(str(tmp_path / path.name) for path in UNITS)],
        capture_output=True,
        text=True,
        check=False,
    )

    told = [line for line in checked.stderr.splitlines() if str(tmp_path) in line]
    assert (checked.returncode, told) == (0, []), checked.stderr


def test_nginx_has_the_limits_of_the_service() -> None:
    public, inside = (part for part in NGINX.split("\nserver {")[1:])
    keep_alive = inspect.signature(uvicorn.Config).parameters["timeout_keep_alive"].default

    assert f"server {UPSTREAM};" in NGINX
    assert f"client_max_body_size {DEFAULTS.max_body_bytes};" in public
    assert f"client_max_body_size {IMPORT_LIMIT.max_bytes // 2**20}m;" in inside
    assert seconds(NGINX, "keepalive_timeout")[0] < keep_alive
    assert DEADLINE_SECONDS < seconds(public, "proxy_read_timeout")[0] <= WECHAT_WAITS_SECONDS
    assert seconds(public, "proxy_next_upstream_timeout")[0] <= WECHAT_WAITS_SECONDS
    # A path here would replace the one that was asked for.
    assert set(re.findall(r"proxy_pass (\S+);", NGINX)) == {"http://oa_bridge"}


def test_nginx_shows_the_public_callbacks_and_short_urls_alone() -> None:
    public, inside = NGINX.split("\nserver {")[1:]

    assert re.findall(r"location (\S+) {\n\s+(\w+)", re.sub(r" *#.*\n", "", public)) == [
        ("/callback/", "proxy_pass"),
        ("/go/", "proxy_pass"),
        ("/qr/", "proxy_pass"),
        ("/jssdk/", "proxy_pass"),
        ("/", "return"),
    ]
    assert re.findall(r"listen (\S+)", inside) == ["127.0.0.1:8080;"]
    assert re.findall(r"log_format oa_bridge ([^;]+);", NGINX)[0].find("args") == -1
    assert "$request " not in NGINX
    assert "$request_uri" not in NGINX


def test_caddy_has_the_limits_of_the_service() -> None:
    keep_alive = inspect.signature(uvicorn.Config).parameters["timeout_keep_alive"].default

    assert f"reverse_proxy {{$UPSTREAM:{UPSTREAM}}}" in CADDYFILE
    assert f"max_size {DEFAULTS.max_body_bytes // 1024}KiB" in CADDYFILE
    assert seconds(CADDYFILE, "keepalive")[0] < keep_alive
    assert seconds(CADDYFILE, "response_header_timeout")[0] > DEADLINE_SECONDS
    assert seconds(CADDYFILE, "response_header_timeout")[0] <= WECHAT_WAITS_SECONDS
    assert re.findall(r"handle (\S*) ?{\n", CADDYFILE) == [
        *("/callback/*", "/go/*", "/qr/*", "/jssdk/*"),
        "",
    ]
    assert 'request>uri regexp "[?].*" ""' in CADDYFILE


def compose(name: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((ROOT / name).read_text(encoding="utf-8"))
    return found


def own_services() -> Iterator[tuple[str, dict[str, Any]]]:
    for name, service in compose("compose.yaml")["services"].items():
        if service["image"] == "oa-bridge":
            yield name, service


def test_compose_runs_every_command_with_settings_that_there_are() -> None:
    services = dict(own_services())

    assert services.keys() == {"migrate", "serve", "worker"}
    for name, service in services.items():
        assert service["command"] == [name]
        assert name in commands()
        assert service["environment"].keys() - PASSWORDS <= SETTINGS
        assert service["stop_grace_period"] == f"{STOP_SECONDS}s"
        (target,) = [
            volume.split(":")[1] for volume in service.get("volumes", []) if "media" in volume
        ] or ["/media"]
        assert service["environment"]["MEDIA_DIR"] == target
    port = services["serve"]["environment"]["PORT"]
    assert services["serve"]["ports"] == [f"127.0.0.1:{port}:{port}"]


def test_compose_lets_no_process_write_to_the_image_or_gain_a_right() -> None:
    services = dict(own_services())

    for service in services.values():
        assert service["read_only"]
        assert service["cap_drop"] == ["ALL"]
    everything = (
        compose("compose.yaml")["services"] | compose("deploy/compose.caddy.yaml")["services"]
    )
    assert {tuple(service["security_opt"]) for service in everything.values()} == {
        ("no-new-privileges:true",)
    }


def test_compose_gives_the_password_of_the_owner_to_migrate_alone() -> None:
    for name, service in own_services():
        url = service["environment"]["DATABASE_URL"]
        user = (
            "oa_bridge:${POSTGRES_PASSWORD" if name == "migrate" else "oa_bridge_app:${APP_PASSWORD"
        )

        assert url.startswith(f"postgresql://{user}")
        # They stand in .env, which is read into each container.
        assert {service["environment"][name] for name in PASSWORDS} == {""}


def test_compose_asks_each_long_running_service_for_its_health_on_a_port_that_it_has() -> None:
    services = dict(own_services())

    for name, setting in (("serve", "PORT"), ("worker", "WORKER_METRICS_PORT")):
        check = services[name]["healthcheck"]
        url = re.search(r"http://127\.0\.0\.1:(\d+)(/\w+)", check["test"][-1])
        assert url
        assert url[1] == services[name]["environment"][setting]
        assert url[2] in {"/livez", "/metrics"}
        assert check["start_period"] == "60s"
        compile(check["test"][-1], name, "exec")


def images() -> Iterator[str]:
    """Yield every image that a file of ours starts from or runs."""
    for name in ("compose.yaml", "deploy/compose.caddy.yaml"):
        yield from (service["image"] for service in compose(name)["services"].values())
    yield from re.findall(r"^ARG PYTHON_IMAGE=(\S+)$", DOCKERFILE, re.MULTILINE)


def test_every_image_is_named_with_its_digest() -> None:
    others = [image for image in images() if image != "oa-bridge"]

    assert len(others) == len({"postgres", "roles", "caddy", "python"})
    assert all(re.search(r":[\w.-]+@sha256:[0-9a-f]{64}$", image) for image in others)
    assert set(re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE)) == {"${PYTHON_IMAGE}"}


def test_an_edit_of_the_code_or_of_a_page_installs_no_dependency_again() -> None:
    """What an instruction copies decides whether those behind it are run again."""
    builder = DOCKERFILE.split("\nFROM ")[1]
    before, _, after = builder.partition("-r requirements/service.txt")

    copied = re.findall(r"^COPY (.+) \S+$", before, re.MULTILINE)
    assert {word for line in copied for word in line.split(" ")} == {
        "requirements/build.txt",
        "requirements/sbom.txt",
        "requirements/service.txt",
    }
    assert before.count("--no-deps --require-hashes") == 2
    assert "--no-deps --no-index" in after
    assert before.count("pip install") + before.count("python install") == before.count(
        "--require-hashes"
    )


def test_compose_with_caddy_leads_to_the_service() -> None:
    base, added = compose("compose.yaml"), compose("deploy/compose.caddy.yaml")
    caddy = added["services"]["caddy"]
    host, port = caddy["environment"]["UPSTREAM"].split(":")
    configuration = caddy["volumes"][0].split(":")[0]

    assert base["services"][host]["environment"]["PORT"] == port
    assert (ROOT / configuration).resolve() == (DEPLOY / "caddy/Caddyfile").resolve()
    assert set(re.findall(r"{\$(\w+):", CADDYFILE)) == caddy["environment"].keys()
    assert caddy["depends_on"] == [host]


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_names_every_file_of_the_folder(language: str) -> None:
    files = [path for path in DEPLOY.rglob("*") if path.is_file() and path not in UNITS]
    text = page(language, "operating.md")

    assert [path for path in files if str(path.relative_to(ROOT)) not in text] == []
    assert "deploy/systemd/*.service" in text
    assert all(path.stem in text for path in UNITS)
