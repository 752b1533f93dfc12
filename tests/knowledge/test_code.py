"""Code becomes chunks by symbol, each with the lines it stands on."""

from pathlib import Path

import pytest

from famulus.kernel.database import Database
from famulus.knowledge.blocks import Piece, Unparsable
from famulus.knowledge.cut import LONGEST
from famulus.knowledge.ingest import ingest_path
from famulus.knowledge.parse import parse
from famulus.knowledge.store import Owner
from tests.knowledge.papers import write
from tests.support.rooms import World

PYTHON = '''"""Robots and how they move."""
import math

WHEELS = 2


# Said of the class.
@register
class Robot(Node):
    """A robot on two wheels."""

    speed = 1.0

    def drive(self, meters):
        """Drive straight ahead."""
        return meters / self.speed

    class Arm:
        """An arm of a robot."""

        async def grip(self):
            await self.close()


if WHEELS:

    def turn(angle):
        return math.pi * angle
'''
TYPESCRIPT = """import { Node } from "./node";

/** Drives on its own. */
export default class Robot extends Node {
  speed = 1;
  // Straight ahead.
  drive(meters: number): number {
    return meters / this.speed;
  }
  stop = () => { this.speed = 0; };
}

export const turn = async (angle: number) => {
  return angle;
};
export interface Pose { x: number; y: number }
"""
JAVASCRIPT = """const wheels = 2;
function drive(meters) {
  return meters * wheels;
}
class Arm {
  grip() { return true; }
}
"""
JAVA = """package robots;

/** A robot.
 * It drives. */
@Component
public class Robot extends Node {
  private int speed;

  /** Drives straight ahead. */
  @Override
  public int drive(int meters) { return meters / speed; }
}
"""
GO = """package robots

// Robot drives.
type Robot struct{ Speed int }

// Drive goes straight ahead.
func (r *Robot) Drive(meters int) int { return meters / r.Speed }
"""
RUST = """use std::fmt;
/// A robot on two wheels.
#[derive(Debug)]
pub struct Robot { speed: u32 }

impl Robot {
    /// Drives straight ahead.
    pub fn drive(&self, meters: u32) -> u32 { meters / self.speed }
}
"""
C = """#include <stdio.h>
typedef struct { int speed; } robot_t;

/* Drives
   straight ahead. */
static int *drive(robot_t *robot)
{
  return &robot->speed;
}
"""
CPP = """namespace robots {
/// Drives on its own.
template <class T>
class Robot : public Node {
 public:
  int drive(int meters) { return meters; }
};
}
int robots::stop(int hard) { return hard; }
"""


def pieces(text: str, name: str) -> list[Piece]:
    return parse(text.encode(), name).pieces


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        (
            "robot.py",
            PYTHON,
            [
                ("", (1, 25)),
                ("Robot", (7, 12)),
                ("Robot.drive", (14, 16)),
                ("Robot.Arm", (18, 19)),
                ("Robot.Arm.grip", (21, 22)),
                ("turn", (27, 28)),
            ],
        ),
        (
            "robot.ts",
            TYPESCRIPT,
            [
                ("", (1, 1)),
                ("Robot", (3, 5)),
                ("Robot.drive", (6, 9)),
                ("Robot.stop", (10, 10)),
                ("turn", (13, 15)),
                ("Pose", (16, 16)),
            ],
        ),
        ("robot.js", JAVASCRIPT, [("", (1, 1)), ("drive", (2, 4)), ("Arm.grip", (6, 6))]),
        ("Robot.java", JAVA, [("Robot", (3, 7)), ("Robot.drive", (9, 11))]),
        ("robot.go", GO, [("Robot", (3, 4)), ("Robot.Drive", (6, 7))]),
        ("robot.rs", RUST, [("", (1, 1)), ("Robot", (2, 4)), ("Robot::drive", (7, 8))]),
        ("robot.c", C, [("", (1, 1)), ("robot_t", (2, 2)), ("drive", (4, 9))]),
        (
            "robot.cpp",
            CPP,
            [("robots::Robot", (2, 5)), ("robots::Robot::drive", (6, 6)), ("robots::stop", (9, 9))],
        ),
    ],
)
def test_each_symbol_is_a_chunk_with_its_lines(
    name: str, text: str, expected: list[tuple[str, tuple[int, int]]]
) -> None:
    found = pieces(text, name)

    assert [(piece.symbol, piece.lines) for piece in found] == expected
    assert [piece.heading_path for piece in found] == [(symbol,) if symbol else () for symbol, _ in expected]
    assert [piece.anchor for piece in found] == [f"L{first}-L{last}" for _, (first, last) in expected]
    lines = text.split("\n")
    for piece in found:
        first, last = piece.lines or (0, 0)
        shown = piece.text.split("\n")[1:-1]
        assert set(shown) - {"…"} <= set(lines[first - 1 : last]), "a chunk says what stands on its lines"
        assert (shown[0], shown[-1]) == (lines[first - 1], lines[last - 1])


def test_a_chunk_has_signature_documentation_and_body() -> None:
    (drive,) = [piece for piece in pieces(PYTHON, "robot.py") if piece.symbol == "Robot.drive"]

    assert drive.text == (
        '```python\n    def drive(self, meters):\n        """Drive straight ahead."""\n        return meters / self.speed\n```'
    )


def test_names_are_found_by_the_words_inside_them() -> None:
    (piece,) = pieces("def f():\n    return openLaserScan(maxRange)\n", "a.py")

    assert set(piece.parts.split()) == {"open", "laser", "scan", "max", "range"}


def test_a_long_function_is_cut_between_lines_without_loss() -> None:
    body = "".join(
        f"    value_{n} = compute({n})  # step number {n}\n" + "\n" * (n % 9 == 8) for n in range(200)
    )
    text = f"def long():\n{body}"

    found = pieces(text, "long.py")

    assert len(found) > 3
    assert {piece.symbol for piece in found} == {"long"}
    assert all(len(piece.text) <= LONGEST for piece in found)
    kept = [line for piece in found for line in piece.text.split("\n")[1:-1] if line.strip()]
    assert kept == [line for line in text.split("\n") if line.strip()]
    assert [piece.lines[0] for piece in found[1:] if piece.lines] == [
        piece.lines[1] + 1 for piece in found[:-1] if piece.lines
    ]


def test_what_is_no_valid_code_is_cut_by_lines() -> None:
    text = "def broken(:\n" + "    something that is no code at all\n" * 100

    found = parse(text.encode(), "broken.py")

    assert found.notes == ["This is no Python that can be read here; taken in by lines instead of symbols."]
    assert len(found.pieces) > 1
    assert {piece.symbol for piece in found.pieces} == {""}


@pytest.mark.parametrize("name", ["a.ts", "a.rs", "a.cpp", "a.java", "a.go", "a.js", "a.c", "a.py", "a.tsx"])
def test_nonsense_is_survived(name: str) -> None:
    deep = "(" * 3_000 + "\n" + "class A { \n" * 2_000 + "}}} ]] \x0c $ é 机\n"

    assert parse(deep.encode(), name).pieces


def test_code_of_a_language_without_a_grammar_is_cut_by_lines() -> None:
    (piece,) = pieces("#!/bin/sh\necho hello\n", "run.sh")

    assert (piece.symbol, piece.lines) == ("", (1, 2))


def test_what_a_machine_has_written_is_not_read() -> None:
    with pytest.raises(Unparsable, match="minified"):
        parse(("var a=1;" * 2_000).encode(), "bundle.min.js")


async def test_a_citation_of_code_says_file_and_line(
    world: World, database: Database, owner: Owner, tmp_path: Path
) -> None:
    folder = tmp_path / "code"
    folder.mkdir()
    write(folder, {"src/robot.py": PYTHON, "src/Robot.java": JAVA})
    report = await ingest_path(database, owner, folder)
    assert report.failed == []

    asked = {"q": "Robot.drive straight ahead", "course_id": world.course}
    found = (await world["student"].get("/api/v1/search", **asked)).json()["items"]

    places = {(item["title"], item["symbol"], tuple(item["lines"])) for item in found}
    assert ("src/robot.py:14", "Robot.drive", (14, 16)) in places
    assert ("src/Robot.java:9", "Robot.drive", (9, 11)) in places
    assert all(item["url"].endswith(f"#L{item['lines'][0]}-L{item['lines'][1]}") for item in found)
