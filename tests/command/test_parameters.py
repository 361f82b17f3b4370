"""What is written on the command line becomes what the parameter is: of a model, of a property, of a delay."""

from __future__ import annotations

from random import Random

import pytest
from command_line import FREE, assert_one_line

from simcore.command.arguments import build_model, read_delay
from simcore.command.property import read_property
from simcore.errors import OptionError

REFUSED = object()
ANNOTATED = """
from __future__ import annotations
from functools import partial
from typing import TYPE_CHECKING, Literal, Optional
from simcore import Model, always
if TYPE_CHECKING:
    from nowhere import Unknown

def one(name):
    model = Model(name)
    lock = model.lock("lock")

    def process():
        yield lock.acquire()

    model.process("only", process)
    return model

def typed(*, flag: bool = True, n: int = 1, x: float = 1.0, t: str = "none", maybe: int | None = 1,
          old: Optional[bool] = None, told: str | None = None, both: int | str = 1, late: bool = None,
          hidden: Unknown = 3, word: Literal["a"] = "a") -> Model:
    return one(repr(locals()))

def plain(*, flag=True, n=1, x=1.0, t="text", free=None, pair=(1, 2)) -> Model:
    return one(repr(locals()))

def asked(*names: str, n: int = 0, flag: bool = True):
    return always(lambda state: True, repr((names, n, flag)))

def at_most(n: int):
    return always(lambda state: True, repr(n))

def free(thing):
    return always(lambda state: True, repr(thing))

def known(limits: dict):
    return always(lambda state: True, repr(limits))

held = at_most(7)

class Kind:
    pass

def many(**sizes: int) -> Model:
    return one(repr(sizes))
"""

GIVEN = [
    *[(f"flag={text}", True) for text in ("true", "TRUE", "yes", "Yes", "on", "1")],
    *[(f"flag={text}", False) for text in ("false", "no", "No", "off", "OFF", "0")],
    *[(f"flag={text}", REFUSED) for text in ("maybe", "2", "none", "", "nope", "0.0")],
    *[(f"n={text}", value) for text, value in (("7", 7), ("-7", -7), ("07", 7))],
    *[(f"n={text}", REFUSED) for text in ("seven", "", "none", "true", "nan")],
    *[(f"x={text}", value) for text, value in (("2", 2.0), ("0.5", 0.5), ("1e-3", 0.001))],
    *[(f"x={text}", REFUSED) for text in ("fast", "", "nan", "inf", "-inf", "none", "true")],
    *[(f"t={text}", text) for text in ("none", "None", "true", "7", "1.5", "", "a=b", " some words", "nan", "'q'")],
]
ONLY_ANNOTATED = [
    *[(f"n={text}", REFUSED) for text in ("1.5", "1e3")],
    *[(f"maybe={text}", value) for text, value in (("2", 2), ("none", None), ("None", None), ("two", REFUSED))],
    *[(f"old={text}", value) for text, value in (("no", False), ("none", None), ("perhaps", REFUSED))],
    *[(f"told={text}", value) for text, value in (("7", "7"), ("none", None), ("true", "true"))],
    *[(f"both={text}", value) for text, value in (("7", 7), ("seven", "seven"), ("true", "true"))],
    *[(f"late={text}", value) for text, value in (("off", False), ("none", None), ("maybe", REFUSED))],
    *[(f"hidden={text}", value) for text, value in (("4", 4), ("four", REFUSED))],
    *[(f"word={text}", value) for text, value in (("b", "b"), ("4", 4))],
]
ONLY_PLAIN = [
    *[(f"n={text}", value) for text, value in (("1.5", 1.5), ("1e3", 1000.0))],
    *[(f"free={text}", value) for text, value in (("7", 7), ("no", "no"), ("true", True), ("none", None))],
    *[(f"pair={text}", value) for text, value in (("7", 7), ("one", "one"))],
]


@pytest.fixture
def typed(here, monkeypatch):
    (here / "annotated.py").write_text(ANNOTATED)
    monkeypatch.syspath_prepend(here)


@pytest.mark.parametrize(
    ("function", "given", "value"),
    [
        *[("typed", *case) for case in GIVEN + ONLY_ANNOTATED],
        *[("plain", *case) for case in GIVEN + ONLY_PLAIN],
        ("many", "a=3", 3),
        ("many", "a=three", REFUSED),
    ],
)
def test_a_parameter_is_what_its_annotation_or_its_default_is(typed, function, given, value):
    name, _, text = given.partition("=")
    if value is REFUSED:
        with pytest.raises(OptionError, match=f"annotated:{function}: {text!r} .* parameter {name!r}; write "):
            build_model(f"annotated:{function}", [given])
    else:
        found = build_model(f"annotated:{function}", [given]).origin.parameters[name]
        assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("flag=maybe", "annotated:typed: 'maybe' is no value of its parameter 'flag'; write true or false"),
        ("n=1.5", "'1.5' is no value of its parameter 'n'; write a whole number"),
        ("x=fast", "write a number"),
        ("maybe=two", "write a whole number or none"),
        ("old=perhaps", "write true, false or none"),
    ],
)
def test_what_is_refused_says_what_is_allowed(simcore, typed, given, words):
    assert_one_line(simcore("explore", "annotated:typed", "-p", given), words)


@pytest.mark.parametrize("command", ["explore", "simulate", "execute", "export"])
def test_a_repair_is_taken_out_by_every_command(simcore, command):
    model = ("simcore.models.sid_collision:fixed", "-p", "fix=maybe")
    assert_one_line(simcore(command, *model, *["--promela"] * (command == "export")), "'fix'", "true or false")


def test_a_repair_that_is_off_is_out(simcore):
    fixed = ("explore", "simcore.models.pool_starvation:fixed", "-p", "downloads=1", "-p", "workers=1", "-p")
    assert [simcore(*fixed, f"fix={word}").status for word in ("yes", "no", "off")] == [0, 1, 1]


@pytest.mark.parametrize(
    ("spec", "told"),
    [
        ("asked", ((), 0, True)),
        ("asked()", ((), 0, True)),
        ("asked(client)", (("client",), 0, True)),
        ("asked('client')", (("client",), 0, True)),
        ('asked("client")', (("client",), 0, True)),
        ("asked(owner reader, download[0])", (("owner reader", "download[0]"), 0, True)),
        ("asked('a, b', \"it's\", c)", (("a, b", "it's", "c"), 0, True)),
        ("asked(none, 7, 'n=3')", (("none", "7", "n=3"), 0, True)),
        ("asked(f(a, b), n = 3, flag=off)", (("f(a, b)",), 3, False)),
        ("at_most(2)", 2),
        ("at_most(n=2)", 2),
        ("at_most( '2' )", 2),
        ("held", 7),
        ("free(2)", 2),
        ("free('2')", "2"),
        ("free(none)", None),
        ("free(word)", "word"),
        ('known({"requests": 1, "replies": 2})', {"requests": 1, "replies": 2}),
        ("free((1, 2))", (1, 2)),
        ("free([left])", "[left]"),
    ],
)
def test_an_argument_of_a_property_is_what_its_parameter_is(typed, spec, told):
    assert read_property(f"annotated:{spec}").name == repr(told)


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ("at_most(two)", "annotated:at_most: 'two' is no value of its parameter 'n'; write a whole number"),
        ("at_most(n=two)", "'n'; write a whole number"),
        ("at_most(m=2)", "missing a required argument: 'n'; write annotated:at_most(n)"),
        ("asked(m=2)", "unexpected keyword argument 'm'; write annotated:asked(*names, n=0, flag=True)"),
        ("at_most", "missing a required argument: 'n'; write annotated:at_most(n)"),
        ("at_most(1, 2)", "too many positional arguments; write annotated:at_most(n)"),
        ("at_most(1, n=2)", "multiple values for argument 'n'"),
        ("at_most(n=1, n=2)", "'n' is given twice"),
        ("at_most(n=1, 2)", "an argument without a name comes first"),
        ("asked(flag=maybe)", "write true or false"),
        ("asked('client)", "a quote or bracket is not closed"),
        ("asked(download[0)", "a quote or bracket is not closed"),
        ("asked(client])", "not opened"),
        ("Kind", "is a class, not a function that returns a Property"),
    ],
)
def test_a_wrong_argument_of_a_property_says_what_to_write(typed, spec, words):
    with pytest.raises(OptionError) as refused:
        read_property(f"annotated:{spec}")
    assert words in str(refused.value)


@pytest.mark.parametrize("name", ["download", "'download'", '"download"'])
def test_a_property_takes_a_name_with_and_without_quotes(simcore, name):
    run = simcore("explore", *FREE, "--property", f"completion:completes({name})", "--json")
    assert (run.status, run.object["property"]) == (0, "every download completes")


@pytest.mark.parametrize(
    ("text", "key", "low", "high"),
    [
        ("read_stream=2", "read_stream", 2, 2),
        ("a.acquire=1e-3", "a.acquire", 0.001, 0.001),
        ("a=b=0.5", "a=b", 0.5, 0.5),
        ("download[*]=uniform(1, 2)", "download[*]", 1, 2),
        ("x= uniform( 3,3.5 ) ", "x", 3, 3.5),
        ("x=lognormal(2, 0)", "x", 2, 2),
        ("x=exponential(0.5)", "x", 0, 100),
    ],
)
def test_a_delay_is_a_number_or_one_that_is_drawn(text, key, low, high):
    name, delay = read_delay(text)
    drawn = [delay(Random(seed)) if callable(delay) else delay for seed in range(20)]
    assert name == key
    assert all(low <= seconds <= high for seconds in drawn)
    assert len(set(drawn)) == (1 if low == high else 20)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("fast", "'fast': write name=seconds"),
        ("=1", "write name=seconds"),
        (
            "x=fast",
            "'fast' is no delay; write a number of seconds, exponential(mean), uniform(low, high) or lognormal(m",
        ),
        ("x=", "'' is no delay"),
        ("x=normal(1, 2)", "'normal(1, 2)' is no delay; write a number of seconds, exponential(mean)"),
        ("x=uniform(1)", "'uniform(1)' is no delay; write a number of seconds, exponential(mean), uniform(low, high)"),
        ("x=uniform(a, b)", "'uniform(a, b)' is no delay"),
        ("x=exponential(mean=1)", "is no delay"),
        ("x=exponential(1", "is no delay"),
        ("x=exponential()", "'exponential()' is no delay"),
        ("x=exponential(0)", "exponential(0.0): a mean is more than 0 seconds"),
        ("x=uniform(2, 1)", "the lower one first"),
        ("x=lognormal(nan, 1)", "a median of more than 0 seconds"),
    ],
)
def test_what_is_no_delay_says_what_to_write(text, words):
    with pytest.raises(OptionError) as refused:
        read_delay(text)
    assert words in str(refused.value)


@pytest.mark.parametrize("option", ["--latency", "--load"])
def test_a_run_draws_its_delays(simcore, option):
    run = simcore("simulate", *FREE, option, "download[*]=uniform(7, 8)", "--json")
    assert run.status == 0
    assert run.object["time"] >= 7
    assert run.object["time"] % 1
