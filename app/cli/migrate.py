"""`oa-bridge migrate`: brings the schema of the database up to date."""

import typer

from app.cli.start import apply_migrations, choose_database
from app.db import migrate as migrations
from app.settings import load_settings

migrate = typer.Typer(add_completion=False)


@migrate.command()
def run() -> None:
    """Migrate the database to the newest schema."""
    settings = choose_database(load_settings(with_media=False))
    done = apply_migrations(settings)
    for line in done:
        typer.echo(line)
    if not done:
        typer.echo(f"nothing to do: the database is at {migrations.newest()}, the newest schema")
