"""The answers in tests/cases are facts: each is proven with plain JAX, and the prover is shown to see a wrong one."""

import importlib.util
from pathlib import Path

import pytest
from checkout import TESTS

_spec = importlib.util.spec_from_file_location("verify_cases", TESTS / "cases" / "verify.py")
verify = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(verify)

CASES = verify.cases()
KINDS = {"traces", "static", "rewrite", "static+rewrite", "not_staticness"}


@pytest.mark.slow
@pytest.mark.parametrize("path", CASES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_the_truth_of_a_case_is_proven(path):
    assert list(verify.faults(path)) == []


@pytest.mark.slow
def test_every_kind_of_answer_is_asked_for():
    assert {verify.load(path).KIND for path in CASES} == KINDS


SIZED = 'import jax.numpy as jnp\n\n\ndef f(x, n, k):\n    y = jnp.zeros(n)\n    return x + y[0] * k\n\n\nFUNCTION = "f"\n'
CALLS = "CALLS = [((1.0, 2, 3), {}), ((1.0, 3, 3), {})]\n"
HEAD = '"""A size."""\n' + SIZED + CALLS + 'CATEGORY = "size"\nSITES = ["y = jnp.zeros(n)"]\n'


@pytest.mark.parametrize(
    ("truth", "fault"),
    [
        ('KIND = "static"\nSTATIC = [("n",)]\n', None),
        ('KIND = "static"\nSTATIC = [("k",)]\n', "static ('k',) does not serve every call"),
        ('KIND = "static"\nSTATIC = [("n", "k")]\n', "static ('n', 'k') is not the smallest"),
        ('KIND = "not_staticness"\n', "static ('n',) cures it"),
        ('KIND = "rewrite"\nFIXED = "lambda x, n, k: x"\n', "static ('n',) alone serves every call"),
        ('KIND = "rewrite"\nFIXED = "lambda x, n, k: x + 1"\n', "FIXED does not serve every call"),
        ('KIND = "static+rewrite"\nFIXED = "lambda x, n, k: x"\nFIXED_STATIC = ("n",)\n', "FIXED needs no static argument"),
        ('KIND = "traces"\n', "does not trace"),
        ('KIND = "static"\nSTATIC = [("n",)]\nSITES = ["return x + y[0] * k"]\n', "fails first at 'y = jnp.zeros(n)'"),
    ],
)
def test_the_prover_sees_a_wrong_truth(tmp_path: Path, truth, fault):
    case = tmp_path / "sized.py"
    case.write_text(HEAD + truth)
    found = list(verify.faults(case))
    assert found == [] if fault is None else any(f.startswith(fault) for f in found), found
