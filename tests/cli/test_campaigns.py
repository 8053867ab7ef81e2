"""`oa-bridge campaigns` as an administrator calls it."""

import asyncio
import csv
import io
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from typer.testing import CliRunner

from app.access.actor import Actor, ActorKind
from app.campaigns import store
from app.campaigns.schemas import CampaignIn
from app.cli.main import cli
from app.db.engine import open_database
from app.ops import logging
from tests.cli.test_qrcodes import SETTINGS

NOW = datetime.now(UTC).replace(microsecond=0)


class Command:
    """Calls `oa-bridge campaigns` in this process."""

    def __init__(self, database_url: str, folder: Path) -> None:
        self.database_url = database_url
        self._environment = SETTINGS | {"DATABASE_URL": database_url, "DATA_DIR": str(folder)}

    def run(self, *arguments: str) -> tuple[int, str, str]:
        """Return the exit status, and what was written to standard output and error."""
        environment = self._environment | {"COLUMNS": "200"}
        done = CliRunner().invoke(cli, ["campaigns", *arguments], env=environment)
        return done.exit_code, done.stdout, done.stderr

    def add_campaign(self) -> UUID:
        """Add a campaign that runs."""

        async def add() -> UUID:
            database = open_database(self.database_url)
            wanted = CampaignIn(
                name="Summer", starts_at=NOW - timedelta(days=3), ends_at=NOW + timedelta(days=3)
            )
            async with database.sessions.begin() as session:
                added = await store.add(
                    session, Actor(ActorKind.CLI, "cli"), wanted, NOW, mini_programs=()
                )
                added_id = added.id
            await database.close()
            return added_id

        return asyncio.run(add())

    def give(self, campaign_id: UUID, code: str) -> None:
        """Let somebody have a code, and redeem it."""

        async def change() -> None:
            database = open_database(self.database_url)
            async with database.sessions.begin() as session:
                connection = await session.connection()
                await connection.exec_driver_sql(
                    "UPDATE campaign_codes SET given_at = $1, redeemed_at = $1, door_kind = 'rule',"
                    " door_id = '7' WHERE campaign_id = $2 AND code = $3",
                    (NOW, campaign_id, code),
                )
            await database.close()

        asyncio.run(change())


@pytest.fixture
def command(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Command:
    monkeypatch.setattr(logging, "configure", lambda _: None)
    return Command(database_url, tmp_path)


def test_codes_are_imported_with_progress_and_figures_exported(
    command: Command, tmp_path: Path
) -> None:
    campaign_id = command.add_campaign()
    file = tmp_path / "codes.csv"
    codes = [f"CODE-{number:05}" for number in range(10_001)]
    file.write_text("code\n" + "\n".join(codes))
    status, said, progress = command.run("import", str(campaign_id), str(file))
    assert (status, said) == (0, "new 10001\tknown before 0\n")
    assert progress.splitlines()[:2] == ["10000 of 10001 codes", "10001 of 10001 codes"]
    status, said, _ = command.run("import", str(campaign_id), str(file))
    assert (status, said) == (0, "new 0\tknown before 10001\n")

    command.give(campaign_id, codes[5])
    status, said, _ = command.run("list")
    assert status == 0
    (line,) = said.splitlines()
    assert line.split("\t")[0] == str(campaign_id)
    assert line.split("\t")[3:] == ["0", "10000", "Summer"]
    status, said, _ = command.run("show", str(campaign_id))
    assert status == 0
    assert "codes left: 10000" in said
    assert "rule\t7\thanded out 1\topened 0\tredeemed 1" in said
    status, said, _ = command.run("export", str(campaign_id))
    assert status == 0
    (row,) = csv.DictReader(io.StringIO(said))
    assert (row["kind"], row["id"], row["handed_out"], row["redeemed"]) == ("rule", "7", "1", "1")
    status, said, _ = command.run("export", str(campaign_id), "--until", "2020-01-01")
    assert (status, len(said.splitlines())) == (0, 1)


def test_what_is_wrong_is_said(command: Command, tmp_path: Path) -> None:
    file = tmp_path / "codes.csv"
    file.write_text("ok-1\nno code\n")
    missing = uuid4()
    for arguments in (("show", str(missing)), ("import", str(missing), str(file))):
        status, _, said = command.run(*arguments)
        assert status == 1
        assert f"campaign {missing} does not exist" in said
    campaign_id = str(command.add_campaign())
    status, _, said = command.run("import", campaign_id, str(file))
    assert status == 1
    assert "line 2: a code has 4 to 64 letters" in said
    assert command.run("list")[1].splitlines()[0].split("\t")[4] == ""
    status, _, said = command.run("import", campaign_id, "/nowhere")
    assert (status, "/nowhere can't be read" in said) == (1, True)
    status, _, said = command.run("export", campaign_id, "--since", "2020-01-01")
    assert (status, "--since" in said) == (1, True)
