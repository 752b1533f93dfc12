"""The command line as an operator uses it: real processes, real files, and one sentence when something is wrong."""

import logging
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import closing, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

import httpx2
import pytest
import structlog
from structlog._config import BoundLoggerLazyProxy

from famulus.cli.main import main

ROOT = Path(__file__).resolve().parents[2]
MAIN = "from famulus.cli.main import main; main()"
KEPT = ("PATH", "HOME", "LANG", "TMPDIR")
HEAVY = ("fastapi", "sqlalchemy", "aiohttp", "uvicorn", "pydantic", "alembic", "cryptography", "jinja2")


def environment(folder: Path, **settings: str) -> dict[str, str]:
    """Of a process that knows nothing of the machine's own settings."""
    kept = {name: os.environ[name] for name in KEPT if name in os.environ}
    ours = {"FAMULUS_DATA_DIR": str(folder / "var"), "FAMULUS_EMBEDDING": "none"}
    return {**kept, "PYTHONPATH": str(ROOT / "src"), **ours, **settings}


def python(code: str, folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """A process of its own, to its end."""
    return subprocess.run(
        [sys.executable, "-c", code, *words],
        env=environment(folder),
        capture_output=True,
        text=True,
        timeout=60,
        cwd=folder,
        check=False,
    )


@dataclass(frozen=True)
class Done:
    """What became of a command."""

    returncode: int
    stdout: str
    stderr: str


def run(folder: Path, *words: str, **settings: str) -> Done:
    """One command, as the console script runs it, in this process and in an environment of its own."""
    root, outside, here = logging.getLogger(), dict(os.environ), Path.cwd()
    handlers, level, code, asked = root.handlers[:], root.level, 0, sys.stdin
    with redirect_stdout(StringIO()) as out, redirect_stderr(StringIO()) as err:
        try:
            os.environ.clear()
            os.environ.update(environment(folder, **settings))
            os.chdir(folder)
            sys.stdin = StringIO()  # whoever asks is answered by nobody
            main(words)
        except SystemExit as end:
            code = int(end.code or 0)
        finally:
            sys.stdin = asked
            os.chdir(here)
            os.environ.clear()
            os.environ.update(outside)
            root.handlers[:] = handlers
            root.setLevel(level)
            _forget_loggers()
    return Done(code, out.getvalue(), err.getvalue())


def _forget_loggers() -> None:
    """Have loggers follow the next configuration, as those do that nobody has used yet."""
    structlog.reset_defaults()
    for module in list(sys.modules.values()):
        if isinstance(log := getattr(module, "log", None), BoundLoggerLazyProxy):
            vars(log).pop("bind", None)


def refused(done: Done, said: str) -> None:
    """Fail unless a command ended with one sentence that says this, and no trace of our insides."""
    assert done.returncode == 2, (done.stdout, done.stderr)
    first, *more = done.stderr.strip().splitlines()
    assert first.startswith("famulus: ")
    assert all(line.startswith("  ") for line in more), done.stderr
    assert "Traceback" not in done.stderr
    assert re.search(said, done.stderr), done.stderr


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a migrated, seeded database."""
    folder = tmp_path_factory.mktemp("demo")
    refused(run(folder, "seed"), "run `famulus migrate`")
    migrated = run(folder, "migrate")
    assert (migrated.returncode, migrated.stderr) == (0, "")
    assert re.fullmatch(r"The schema is \d{4} now\.\n", migrated.stdout)
    assert "nothing to do" in run(folder, "migrate").stdout
    assert run(folder, "seed").stdout == "The demo is loaded.\n"
    assert run(folder, "seed").stdout == "The demo is loaded already; nothing to do.\n"
    assert run(folder, "seed", "demo").stdout == "The demo is loaded already; nothing to do.\n"
    return folder


def test_help_is_quick(tmp_path: Path) -> None:
    """Because nothing that takes time is imported for it."""
    probe = (
        "import sys; import famulus.cli.main;"
        f" print('loaded', *(name for name in {HEAVY!r} if name in sys.modules))"
    )
    done = python(probe, tmp_path)
    assert done.stdout.split() == ["loaded"]
    shown = python(MAIN, tmp_path, "serve", "--help")
    assert shown.returncode == 0
    assert "--migrate" in shown.stdout
    assert "--seed" in shown.stdout


@pytest.mark.slow
def test_a_server_does_without_what_draws(tmp_path: Path) -> None:
    """It stays small; rich is there for whoever asks for it later."""
    probe = (
        "import sys; from famulus.cli.main import load_structlog_alone as load; load(); import famulus.app;"
        " print('rich' in sys.modules); import rich; load(); print(sys.modules['rich'] is rich)"
    )
    assert python(probe, tmp_path).stdout.split() == ["False", "True"]


def test_every_command_is_in_the_help(tmp_path: Path) -> None:
    shown = run(tmp_path, "--help").stdout
    for command in ("serve", "migrate", "seed", "ingest", "ask", "user", "organization", "import", "doctor"):
        assert re.search(rf"\b{command}\b", shown)
    nothing = run(tmp_path, "nonsense")
    assert nothing.returncode == 2
    assert "Traceback" not in nothing.stderr


def test_the_process_itself_ends_with_the_sentence(tmp_path: Path) -> None:
    done = python(MAIN, tmp_path, "seed")
    refused(Done(done.returncode, done.stdout, done.stderr), "run `famulus migrate`")
    assert done.stdout == ""


@pytest.mark.slow
def test_asking_offline_gives_citations(demo: Path) -> None:
    done = run(demo, "ask", "What is a node?", "--course", "introduction to", "--as", "student@famulus.local")
    assert done.returncode == 0, done.stderr
    assert re.search(r"^> .*node.*\[1\]$", done.stdout, re.MULTILINE)
    assert re.search(r"^\[1\] Nodes, Topics", done.stdout, re.MULTILINE)
    assert re.search(r"Read \d+ passages from ", done.stderr)
    with closing(sqlite3.connect(demo / "var" / "famulus.db")) as database:
        cited = database.execute("SELECT cited FROM runs ORDER BY id DESC LIMIT 1").fetchone()[0]
    assert cited == len(re.findall(r"^\[\d+\] ", done.stdout, re.MULTILINE)) > 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("ask", ""), "must not be empty"),
        (("ask", "x" * 10_001), "at most 10,000"),
        (("ask", "What?", "--course", "Nowhere"), "no course 'Nowhere'"),
        (("ask", "What?", "--as", "nobody@famulus.local"), "no account 'nobody@famulus.local'"),
        (("organization", "archive", "Nowhere"), "no organization 'Nowhere'"),
        (("organization", "create", "demo ACADEMY"), "named 'demo ACADEMY' already"),
        (("organization", "create", " "), "name: .*empty"),
        (("organization", "create", "Mine", "--as", "admin@famulus.local"), "you need the role site_admin"),
        (("ingest", "no/such/folder", "--course", "Introduction"), "no/such/folder"),
        (("ingest", ".", "--course", "Nowhere"), "no course 'Nowhere'"),
        (("user", "create", "nonsense", "--name", "N", "--password", "longenough"), "email: "),
        (
            ("user", "create", "n@famulus.local", "--name", "N", "--password", "short"),
            "password: .*8 characters",
        ),
        (("user", "create", "n@famulus.local", "--name", " ", "--password", "longenough"), "name: .*empty"),
        (("user", "create", "student@famulus.local", "--name", "N", "--password", "longenough"), "already"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(demo: Path, words: tuple[str, ...], said: str) -> None:
    refused(run(demo, *words), said)


def test_material_is_taken_in(demo: Path, tmp_path: Path) -> None:
    (tmp_path / "gears.md").write_text("# Gears\n\nA planetary gear turns around a sun gear.")
    (tmp_path / "broken.pdf").write_bytes(b"no pdf at all")
    first = run(demo, "ingest", str(tmp_path), "--course", "Introduction", "--as", "teacher@famulus.local")
    assert first.returncode == 1, "some of it could not be read"
    assert "1 failed" in first.stdout
    assert "broken.pdf: " in first.stdout
    (tmp_path / "broken.pdf").unlink()
    again = run(demo, "ingest", str(tmp_path), "--course", "Introduction", "--as", "teacher@famulus.local")
    assert again.returncode == 0, again.stdout
    assert "1 unchanged" in again.stdout
    found = run(
        demo,
        "ask",
        "What turns around a sun gear?",
        "--course",
        "Introduction",
        "--as",
        "student@famulus.local",
    )
    assert "planetary gear turns around a sun gear" in found.stdout


def test_an_account_is_made(demo: Path) -> None:
    done = run(
        demo,
        "user",
        "create",
        "Root@Famulus.local",
        "--name",
        "Root",
        "--password",
        "longenough",
        "--site-admin",
    )
    assert (done.returncode, done.stdout) == (0, "root@famulus.local can sign in now.\n")


def test_an_organization_is_made_listed_and_put_away(tmp_path: Path) -> None:
    run(tmp_path, "migrate")
    refused(run(tmp_path, "organization", "list"), "famulus user create")
    site = ("site@famulus.local", "--name", "Site", "--password", "longenough", "--site-admin")
    run(tmp_path, "user", "create", *site)

    made = run(tmp_path, "organization", "create", "Night School").stdout.strip()

    assert re.fullmatch("org_[a-z0-9]{26}", made)
    assert run(tmp_path, "organization", "list").stdout == f"{made}  Night School\n"
    assert run(tmp_path, "organization", "archive", "night").stdout.startswith("Night School is archived")
    assert run(tmp_path, "organization", "list").stdout == ""
    assert run(tmp_path, "organization", "list", "--archived").stdout == f"{made}  Night School\n"
    restored = run(tmp_path, "organization", "archive", made, "--restore").stdout
    assert restored == "Night School is in use again.\n"


def test_the_demo_is_for_one_s_own_machine(demo: Path) -> None:
    refused(run(demo, "seed", APP_ENV="production"), "only loaded where APP_ENV is local")


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"FAMULUS_PORT": "many"}, "FAMULUS_PORT"),
        ({"DATABASE_URL": "mysql://x"}, "DATABASE_URL"),
        ({"APP_ENV": "production"}, "FAMULUS_SECRET_KEY is missing"),
        ({"APP_ENV": "production", "SECRET_KEY": "short"}, "fewer than 32"),
        (
            {"FAMULUS_DATABASE_URL": "postgresql://x:pass-word@127.0.0.1:1/x"},
            r"127\.0\.0\.1:1/x does not answer",
        ),
        ({"FAMULUS_DATA_DIR": "/proc/none"}, "/proc/none"),
        ({}, "run `famulus migrate`"),
    ],
    ids=str,
)
def test_a_server_that_cannot_start_says_why(tmp_path: Path, settings: Mapping[str, str], said: str) -> None:
    done = run(tmp_path, "serve", **settings, LOG_LEVEL="ERROR")
    refused(done, said)
    assert "pass-word" not in done.stderr


def test_a_model_that_cannot_be_stops_the_start(demo: Path) -> None:
    refused(run(demo, "serve", FAMULUS_MODEL="nonsense", LOG_LEVEL="ERROR"), "FAMULUS_MODEL")


def test_doctor_on_a_sound_installation(demo: Path) -> None:
    done = run(demo, "doctor")
    assert done.returncode == 0
    for part in ("data_dir", "secret", "database", "model", "web app"):
        assert re.search(rf"^[✓–] {part}\b", done.stdout, re.MULTILINE), done.stdout


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({}, "✗ database .*run `famulus migrate`"),
        ({"APP_ENV": "production"}, "✗ secret .*FAMULUS_SECRET_KEY is missing.*token_urlsafe"),
        ({"FAMULUS_MODEL": "openai:gpt"}, "✗ model .*set OPENAI_API_KEY"),
        (
            {"FAMULUS_DATABASE_URL": "postgresql://x:pass-word@127.0.0.1:1/x"},
            "✗ database .*FAMULUS_DATABASE_URL",
        ),
        ({"FAMULUS_DATA_DIR": "/proc/none"}, "✗ database .*FAMULUS_DATA_DIR"),
    ],
    ids=str,
)
def test_doctor_says_what_to_do(tmp_path: Path, settings: Mapping[str, str], said: str) -> None:
    done = run(tmp_path, "doctor", **settings)
    assert done.returncode == 1
    assert re.search(said, done.stdout), done.stdout
    assert done.stderr == ""
    assert "pass-word" not in done.stdout


@pytest.mark.slow
def test_serving_from_nothing(tmp_path: Path) -> None:
    """One command prepares, seeds, serves, greets, and on SIGTERM stops in order."""
    process = subprocess.Popen(
        [sys.executable, "-c", MAIN, "serve", "--migrate", "--seed", "--port", "0"],
        env=environment(tmp_path),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
    )
    try:
        assert process.stdout is not None
        greeting = process.stdout.readline()
        url = re.fullmatch(r"Famulus is ready at (http://127\.0\.0\.1:\d+)\n", greeting)
        assert url, greeting
        shown = "".join(process.stdout.readline() for _ in range(6))
        assert "student@famulus.local" in shown
        assert "password123" in shown
        with httpx2.Client(base_url=url[1], verify=False) as client:
            person = {"email": "student@famulus.local", "password": "password123"}
            assert client.post("/api/auth/login", json=person).status_code == 200
            assert (
                client.get("/api/v1/courses/my")
                .json()["items"][0]["title"]
                .startswith("Introduction to Robotics")
            )
        began = time.monotonic()
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=30)
        assert time.monotonic() - began < 25
        assert "Traceback" not in errors
        assert process.returncode in (0, -signal.SIGTERM)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def test_a_port_that_is_taken(demo: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = run(demo, "serve", "--port", str(taken.getsockname()[1]))
    assert done.returncode != 0
    assert "address already in use" in done.stderr
    assert "Traceback" not in done.stderr


def test_importing_people(demo: Path) -> None:
    """All or nothing unless told otherwise; what fails is named, and tells in the exit code."""
    file = demo / "people.csv"
    file.write_text(
        "email;name;role\nkim@example.org;Kim;teacher\nlu@example.org;Lu;king\n", encoding="utf-8"
    )
    words = ("import", "people", str(file), "--organization", "demo academy")

    strict = run(demo, *words)
    dry = run(demo, *words, "--mode", "valid", "--dry-run")
    lax = run(demo, *words, "--mode", "valid")
    again = run(demo, *words, "--mode", "valid", "--as", "admin@famulus.local")

    assert [done.returncode for done in (strict, dry, lax, again)] == [1, 1, 1, 1]
    assert "line 3, lu@example.org: role: 'king' is none of" in strict.stdout
    assert "Nothing was kept.\n" in strict.stdout
    assert "Nothing was kept: this was a dry run.\n" in dry.stdout
    assert "1 accounts, 1 memberships, 0 enrolments, 0 changes of roles; 1 of 2 lines failed." in lax.stdout
    assert "0 accounts, 0 memberships" in again.stdout
    file.write_text("email\nkim@example.org\n", encoding="utf-8")
    assert run(demo, *words).returncode == 0
    refused(run(demo, "import", "people", "nowhere.csv", "--organization", "x"), "cannot be read")
    refused(
        run(demo, "import", "people", str(file), "--organization", "Nowhere"), "no organization 'Nowhere'"
    )
    file.write_bytes(b"PK\x03\x04")
    refused(run(demo, *words), "The first line names the columns")
    student = run(demo, *words[:3], "--organization", "demo academy", "--as", "student@famulus.local")
    refused(student, "organization_admin")


@pytest.mark.slow
def test_accounts_are_managed_from_the_command_line(tmp_path: Path) -> None:
    assert run(tmp_path, "migrate").returncode == 0
    for name, more in (("site", ["--site-admin"]), ("ada", [])):
        made = run(
            tmp_path,
            "user",
            "create",
            f"{name}@x.local",
            "--name",
            name.title(),
            "--password",
            "correct horse",
            *more,
        )
        assert made.returncode == 0, made.stderr
    listed = run(tmp_path, "user", "list")
    assert [line.split()[0] for line in listed.stdout.splitlines()] == ["ada@x.local", "site@x.local"]
    assert "site admin" in listed.stdout
    assert run(tmp_path, "user", "list", "SI").stdout.startswith("site@x.local")
    assert "suspended" in run(tmp_path, "user", "suspend", "ADA@x.local").stdout
    assert "suspended" in run(tmp_path, "user", "list", "ada").stdout
    assert run(tmp_path, "user", "restore", "ada@x.local").returncode == 0
    assert "suspended" not in run(tmp_path, "user", "list", "ada").stdout
    assert run(tmp_path, "user", "password", "ada@x.local", "--password", "a better horse").returncode == 0
    easy = run(tmp_path, "user", "password", "ada@x.local", "--password", "short")
    assert (easy.returncode, "at least 8" in easy.stderr.lower()) == (2, True)
    common = run(tmp_path, "user", "password", "ada@x.local", "--password", "password123", APP_ENV="test")
    assert (common.returncode, "tried first" in common.stderr) == (2, True)
    for words in (("suspend", "site@x.local"), ("site-admin", "site@x.local", "--revoke")):
        last = run(tmp_path, "user", *words)
        assert (last.returncode, "last one" in last.stderr) == (2, True)
    assert run(tmp_path, "user", "site-admin", "ada@x.local").returncode == 0
    assert run(tmp_path, "user", "site-admin", "site@x.local", "--revoke").returncode == 0
    assert run(tmp_path, "user", "suspend", "nobody@x.local").returncode == 2
    assert run(tmp_path, "user", "delete", "site@x.local").returncode == 1, "nobody has said yes"
    assert "is deleted" in run(tmp_path, "user", "delete", "site@x.local", "--yes").stdout
    last = run(tmp_path, "user", "delete", "ada@x.local", "--yes")
    assert (last.returncode, "last one" in last.stderr) == (2, True)
    assert [line.split()[0] for line in run(tmp_path, "user", "list").stdout.splitlines()] == ["ada@x.local"]


def test_reindex(tmp_path: Path) -> None:
    run(tmp_path, "migrate")

    assert "made anew" in run(tmp_path, "reindex").stdout
    wrong = run(tmp_path, "reindex", "--to", "localhost:6333")
    assert (wrong.returncode, "--to http://" in wrong.stderr) == (2, True)
    away = run(tmp_path, "reindex", "--to", "http://127.0.0.1:1")
    assert (away.returncode, "goes on from there" in away.stderr) == (2, True)
    assert "FAMULUS_INDEX_URL" in run(tmp_path, "doctor", FAMULUS_INDEX_URL="http://127.0.0.1:1").stdout


def test_triples(demo: Path, tmp_path: Path) -> None:
    listed = run(demo, "organization", "list").stdout
    place = next(word for word in re.findall(r"org_\w+", listed))
    refused(run(demo, "triples", "estimate", place), "OPENAI_API_KEY")
    refused(run(demo, "triples", "status", "Nowhere"), "Nowhere")
    script = tmp_path / "script.md"
    script.write_text("[]", "utf-8")
    model = {"FAMULUS_MODEL": f"scripted:{script}"}

    estimate = run(demo, "triples", "estimate", place, **model).stdout
    assert re.search(r"has read 0 of \d+ chunks", estimate)
    assert "About 0.00 US dollars." in estimate
    budget = estimate.rpartition("--budget ")[2].strip()
    started = run(demo, "triples", "start", place, "--budget", budget, **model)
    assert "Reading: 0 of" in started.stdout, started.stderr
    assert f"0 of {int(budget):,} tokens" in run(demo, "triples", "status", place).stdout
    assert "Cancelled" in run(demo, "triples", "cancel", place).stdout
    assert "forgotten" in run(demo, "triples", "remove", place).stdout
    assert "No model has read" in run(demo, "triples", "status", place).stdout
    assert run(demo, "triples", "start", place, "--budget", "1", **model).returncode == 2
