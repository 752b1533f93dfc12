"""The language of instructions: what administrators need is there, what could hang or leak is refused by its line."""

import pytest

from famulus.assistants.given import given_instructions
from famulus.assistants.template import check_instructions
from famulus.identity.principal import ROLES
from famulus.kernel.errors import Invalid


@pytest.mark.parametrize(
    "instructions",
    [
        *map(given_instructions, ("default", *ROLES[:-1])),
        "Plain words.",
        "{% if user.role == 'teacher' and course %}{{ course.title | upper }}{% else %}{{ user.name }}{% endif %}",
        "{% for key, value in user.profile.items() %}{{ key }}: {{ value | default('unknown') }}\n{% endfor %}",
        "{{ page.headings | join(', ') if page else '' }}",
    ],
)
def test_what_instructions_need_is_there(instructions: str) -> None:
    check_instructions(instructions)


@pytest.mark.parametrize(
    ("instructions", "complaint"),
    [
        ("one\n{{ 9 ** 9 ** 9 }}", "Line 2: Pow"),
        ("{{ 'a' * 99999999 }}", "Line 1: Mul"),
        ("{% for a in range(99999) %}{% endfor %}", "nothing can be called"),
        ("{% for a in page.headings %}{% for b in page.headings %}{% endfor %}{% endfor %}", "inside a loop"),
        ("{{ user.name.__class__.mro() }}", "nothing can be called"),
        ("{{ user.name | center(99999999) }}", "no filter 'center'"),
        ("{% include 'other' %}", "Include"),
        ("{% macro again() %}{{ again() }}{% endmacro %}{{ again() }}", "Macro"),
        ("{% set x = 1 %}", "Assign"),
        ("{% if %}", "Line 1"),
        ("{{ " + "(" * 5000 + "1" + ")" * 5000 + " }}", "nested too deeply"),
    ],
)
def test_what_could_hang_or_leak_is_refused_by_its_line(instructions: str, complaint: str) -> None:
    with pytest.raises(Invalid) as refused:
        check_instructions(instructions)
    assert complaint in refused.value.fields[0].message
