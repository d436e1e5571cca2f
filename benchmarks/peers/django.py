"""Django, with one application and nothing else installed in the project."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

from benchmarks.measure import Command
from benchmarks.peers.project import PYTHON, Peer, Project, Target, tables, write

MANAGE = """import os
import sys

os.environ["DJANGO_SETTINGS_MODULE"] = "settings"
from django.core.management import execute_from_command_line

execute_from_command_line(sys.argv)
"""
SETTINGS = """INSTALLED_APPS = ["shop"]
DATABASES = {{"default": {database!r}}}
USE_TZ = True
"""
SCRIPT = """from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [{before}]
    operations = [
        migrations.CreateModel(
            name="{table}",
            fields=[
                ("id", models.AutoField(primary_key=True)),
                ("name", models.CharField(max_length=50, null=True)),
            ],
        ),
    ]
"""


def create(folder: Path, scripts: int, target: Target) -> Project:
    write(folder / "manage.py", MANAGE)
    write(folder / "settings.py", SETTINGS.format(database=database_setting(target)))
    write(folder / "shop" / "__init__.py", "")
    write(folder / "shop" / "migrations" / "__init__.py", "")
    before = ""
    for number, table in tables(scripts):
        name = f"{number:05d}_create_{table}"
        write(folder / "shop" / "migrations" / f"{name}.py", SCRIPT.format(table=table, before=before))
        before = f'("shop", "{name}")'
    manage: list[str | Path] = [PYTHON, folder / "manage.py"]
    apply = Command([*manage, "migrate"], folder)
    return Project(apply, Command([*manage, "showmigrations"], folder), apply)


def database_setting(target: Target) -> dict[str, str]:
    """The address as Django wants it."""
    if target.path is not None:
        return {"ENGINE": "django.db.backends.sqlite3", "NAME": str(target.path)}
    url = urlsplit(target.url)
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": url.path.removeprefix("/"),
        "USER": url.username or "",
        "PASSWORD": url.password or "",
        "HOST": url.hostname or "",
        "PORT": str(url.port or ""),
    }


PEER = Peer("Django", "Django", create, module="django")
