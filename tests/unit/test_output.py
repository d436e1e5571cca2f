"""What scripts print reaches standard error and the result, by whichever way; standard output stays the report's."""

from __future__ import annotations

import pytest

from nonstop.output import captured_output
from tests.support.commands import CommandLine


def test_what_is_printed_is_passed_on_as_it_comes_and_kept() -> None:
    passed_on: list[str] = []
    with captured_output(passed_on.append) as output:
        print("один", "two", sep=", ")
        assert "".join(passed_on) == "один, two\n"
    print("afterwards")
    assert output.text == "один, two\n"


@pytest.mark.parametrize(
    "line",
    [
        "sys.stdout.write('said')",
        "sys.stdout.buffer.write('said'.encode())",
        "sys.stdout.reconfigure(encoding='utf-8'); print('said')",
        "sys.stdout = io.TextIOWrapper(sys.stdout.buffer, encoding='utf-8'); print('said', flush=True)",
    ],
)
def test_every_way_to_use_the_stream_works(line: str) -> None:
    with captured_output(lambda text: None) as output:
        exec(f"import io, sys\n{line}\n")
        print("and more")
    assert output.text.startswith("said")
    assert "and more" in output.text


def test_a_character_that_comes_in_two_halves_is_one() -> None:
    with captured_output(lambda text: None) as output:
        for half in (b"\xd0", b"\xb6"):
            output.write(half)
    assert output.text == "ж"


def test_text_that_can_t_be_encoded_does_not_stop_a_script() -> None:
    with captured_output(lambda text: None) as output:
        print("a lone surrogate \udc80")
    assert output.text == "a lone surrogate \\udc80\n"


@pytest.mark.parametrize(
    "line",
    [
        "import logging; logging.StreamHandler().handle(logging.makeLogRecord({'msg': 'geheim'}))",
        "import sys; sys.stderr.write('geheim\\n')",
        "import sys; print('geheim', file=sys.stderr)",
        "import sys; sys.stderr.buffer.write(b'geheim')",
        "import traceback; traceback.print_exception(ValueError('geheim'))",
    ],
)
def test_what_goes_to_standard_error_is_masked(line: str, capsys: pytest.CaptureFixture[str]) -> None:
    with captured_output(lambda text: None, lambda text: text.replace("geheim", "***")):
        exec(line)
    shown = capsys.readouterr().err
    assert "***" in shown
    assert "geheim" not in shown


PROGRAM = """
import os, subprocess, sys
from nonstop.output import captured_output

with captured_output(lambda text: None):
    os.write(1, b"from the descriptor\\n")
    subprocess.run(["echo", "from a child"], check=True)
    subprocess.run(["echo", "from a child with our stream"], stdout=sys.stdout, check=True)
print("the report")
"""


def test_descriptor_one_leads_to_standard_error_meanwhile(cli: CommandLine) -> None:
    done = cli.python("-c", PROGRAM)
    assert done.stdout == "the report\n"
    assert done.stderr.splitlines() == ["from the descriptor", "from a child", "from a child with our stream"]


def test_a_process_without_standard_output_can_still_print(cli: CommandLine) -> None:
    program = (
        "import os, sys\nfrom nonstop.output import captured_output\nos.close(1)\n"
        "with captured_output(sys.stderr.write) as output:\n    print('said')\nassert output.text == 'said\\n'\n"
        "sys.stdout = None\n"
    )
    done = cli.python("-c", program)
    assert (done.returncode, done.stderr) == (0, "said\n")
