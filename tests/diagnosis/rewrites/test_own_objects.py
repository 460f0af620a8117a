"""Objects that a function makes, and whose methods write their attributes."""

import jax.numpy as jnp
import pytest

import jupyter_jitmagic as jm
from jupyter_jitmagic.diagnosis.rewrites import own_objects

from .helpers import check, define

X = jnp.array([1.0, -2.0, 3.0, -0.5, 2.5, 0.25, 4.0])

MEAN = '''
class Mean:
    """Of what was seen."""

    def __init__(self, start=0.0):
        self.n = 0
        self.mean = start

    def update(self, v):
        self.n += 1
        self.mean += (v - self.mean) / self.n
        return self.mean

    def twice(self, v):
        self.update(v)
        return self.update(v)

'''
SERVED = {
    "in a branch": """
def f(x):
    m = Mean()
    for v in x:
        if v > 0:
            m.update(v)
    return m.mean, m.n
""",
    "what it gives": """
def f(x):
    m = Mean(1.0)
    hits = 0
    for v in x:
        if m.update(v) > 1:
            hits += 1
    return hits
""",
    "a method that calls one": """
def f(x):
    m = Mean()
    for v in x:
        if v > 0:
            m.twice(v)
    return m.mean
""",
    "two of them": """
def f(x):
    up = Mean()
    down = Mean(-1.0)
    for v in x:
        if v > 0:
            up.update(v)
        else:
            down.update(v)
    return up.mean - down.mean
""",
    "until it says so": """
class Stop:
    def __init__(self, patience):
        self.patience = patience
        self.best = jnp.inf
        self.bad = 0

    def step(self, loss):
        if loss < self.best:
            self.best = loss
            self.bad = 0
        else:
            self.bad += 1
        return self.bad >= self.patience

def f(x):
    stop = Stop(2)
    for i in range(len(x)):
        if stop.step(x[i]):
            return i
    return -1
""",
    "returns on both ways": """
class Account:
    def __init__(self, balance):
        self.balance = balance
        self.fails = 0

    def withdraw(self, a):
        if a > self.balance:
            self.fails += 1
            return False
        self.balance -= a
        return True

def f(x):
    acc = Account(3.0)
    done = 0
    for a in x:
        if acc.withdraw(a):
            done += 1
    return acc.balance, acc.fails, done
""",
    "called": """
class Pid:
    def __init__(self, lim):
        self.lim = lim
        self.sum = 0.0

    def __call__(self, e):
        self.sum += e
        if self.sum > self.lim:
            self.sum = self.lim
        return 0.5 * self.sum

def f(x):
    pid = Pid(1.0)
    y = x[0]
    for _ in range(4):
        y = y + pid(2.0 - y)
    return y
""",
    "a dataclass": """
from dataclasses import dataclass

@dataclass
class Ball:
    x: float
    v: float
    bounces: int = 0

    def step(self, dt):
        self.v -= 9.81 * dt
        self.x += self.v * dt
        if self.x < 0:
            self.x = -self.x
            self.v = -0.8 * self.v
            self.bounces += 1

def f(x):
    ball = Ball(x[2], v=0.0)
    for _ in range(20):
        ball.step(0.1)
    return ball.x, ball.bounces
""",
    "a dataclass with a list of its own": """
from dataclasses import dataclass, field

@dataclass
class Account:
    balance: float
    refused: int = 0
    history: list = field(default_factory=list)

    def withdraw(self, amount):
        if amount > self.balance:
            self.refused += 1
            return False
        self.balance -= amount; self.history.append(amount)
        return True

def f(x):
    account = Account(2.0)
    done = [account.withdraw(v) for v in x]
    return account.balance, account.refused, sum(done), len(account.history), sum(account.history)
""",
    "methods and loops on one line": """
class Tank:
    def __init__(self, level):
        self.level, self.spilled = level, 0.0

    def pour(self, v):
        if self.level + v > 3: self.spilled += self.level + v - 3; self.level = 3.0
        else: self.level += v

def f(x):
    tank = Tank(1.0)
    for v in x: tank.pour(v)
    return tank.level, tank.spilled
""",
    "properties, its length, its items": """
class Grid:
    def __init__(self, n):
        self.cells = np.zeros(n)
        self.hits = 0

    def __len__(self):
        return len(self.cells)

    def __getitem__(self, i):
        return self.cells[i]

    def __setitem__(self, i, v):
        self.cells[i] = v

    @property
    def busy(self):
        return self.hits > 2

def f(x):
    g = Grid(7)
    late = 0
    for i, v in enumerate(x):
        if v > g[i - 1]:
            g[i] = v
            g.hits += 1
        elif g.busy:
            late += 1
    return g.cells, late, len(g)
""",
    "of a class with bases": """
class Schedule:
    factor = 0.5
    bad = 0

    def __init__(self, rate):
        self.rate = rate
        self.best = jnp.inf

    def step(self, loss):
        if loss < self.best:
            self.best = loss
            self.bad = 0
        else:
            self.bad += 1
            if self.bad > 1:
                self.reduce()

    def reduce(self):
        self.rate = self.rate * self.factor

class Floored(Schedule):
    def __init__(self, rate, floor):
        super().__init__(rate)
        self.floor = floor

    def reduce(self):
        super().reduce()
        self.rate = max(self.rate, self.floor)

def f(x):
    s = Floored(0.4, 0.05)
    rates = [s.step(v) for v in x]
    return s.rate, s.bad, len(rates)
""",
    "that know each other": """
class Player:
    def __init__(self, health):
        self.health = health

    @property
    def alive(self):
        return self.health > 0

    def hit(self, other, damage):
        if self.alive:
            other.health -= damage

def f(x):
    a, b = Player(2.0), Player(2.5)
    for v in x:
        a.hit(b, v)
        b.hit(a, 0.5 * v)
    return a.health, b.health
""",
    "a method asked in a test": """
class Sum:
    def __init__(self, start):
        self.total = start

    def add(self, v):
        self.total += v

    def over(self, limit):
        return self.total > limit

def f(x):
    b = Sum(1.0)
    for v in x:
        if b.over(2.5):
            b.add(-v)
        else:
            b.add(v)
    return b.total
""",
    "what the class holds": """
class Count:
    limit = 1.0

    def __init__(self):
        self.n = 0

    def see(self, v):
        if v > self.limit:
            self.n += 1

def f(x):
    c = Count()
    for v in x:
        c.see(v)
    return c.n
""",
}


@pytest.mark.parametrize("how", SERVED)
def test_their_attributes_are_variables_of_the_function(how):
    """It gives what plain Python gives, and no object is left."""
    source = SERVED[how] if "class " in SERVED[how] else MEAN + SERVED[how]
    found = check(source, (X,), (-X,), (X[::-1] * 2,))
    assert found.rewrites[0].verified and "inline" in found.rewrites[0].patterns


PID = """
class PID:
    def __init__(self, gain, limit=None):
        self.gain, self.limit, self.total = gain, limit, 0.0

    def __call__(self, err):
        u = self.gain * err + self.total
        if self.limit is not None:
            if u > self.limit:
                return self.limit
            if u < -self.limit:
                return -self.limit
        self.total += err
        return u

def f(goal, limit=1.0):
    pid = PID(2.0, limit)
    x = 0.0
    for _ in range(5):
        x = x + 0.5 * pid(goal - x)
    return x
"""


def test_a_method_some_of_whose_ways_return_before_it_writes():
    """What follows an `if` that not every way through it leaves stands in each of those that go on."""
    check(PID, (jnp.array(3.0),), (jnp.array(-3.0),), (jnp.array(0.1),), (jnp.array(3.0), 0.2))
    namespace = define(PID)
    found = jm.diagnose(namespace["f"], jnp.array(3.0), None)
    assert found.kind == "traces"


TANK = """
class Tank:
    def __init__(self, most, leak, limits=(0.0, 9.0)):
        self.most, self.leak, self.level = most, leak, 1.0
        self.low, self.high = limits

    def step(self, rain):
        self.level += rain - self.leak * self.level
        spill = 0.0
        if self.level > self.most:
            spill = self.level - self.most
            self.level = self.most
        return spill

def f(x, p):
    tank = Tank(*p, limits=(0.0, 4.0))
"""


@pytest.mark.parametrize(
    "end",
    [
        "return jnp.array([tank.step(r) for r in x])",
        "return 2 * sum(tank.step(r) for r in x), tank.level",
        "spills = [tank.step(r) for r in x]\n    return max(spills)",
    ],
)
def test_a_method_called_for_each_in_any_expression(end):
    """Only `out = [m.step(v) for v in x]` was a loop, and `Tank(*p)` no call whose arguments are known."""
    p = jnp.array([2.0, 0.1])
    found = check(f"{TANK}    {end}\n", (X, p), (-X, p), (X[:1], p), (X * 3, p / 2), seconds=8.0)
    assert list(found.rewrites[0].sources) == ["f"]  # no edit is left in the class


def test_the_branches_of_a_method_are_counted_where_its_lines_have_moved():
    """Nothing was said of what no input reached there."""
    namespace = define(f"{TANK}    return [tank.step(r) for r in x]\n")
    compared = jm.diagnose(namespace["f"], X, jnp.array([2.0, 0.1])).rewrites[0].compared
    assert compared.branches.startswith("both branches")


@pytest.mark.parametrize("end", ["any(tank.step(r) > 0 for r in x)", "tank.level + sum(tank.step(r) for r in x)"])
def test_what_may_not_go_through_all_or_not_first_stays_where_it_is(end):
    """`any` ends at the first, and what stands on the left is read before: the loop would come too early for both."""
    namespace = define(f"{TANK}    return {end}\n")
    found, p = jm.diagnose(namespace["f"], X, jnp.array([2.0, 0.1])), jnp.array([2.0, 0.1])
    want = namespace["f"](X, p)
    for source in found.rewrites[0].sources.values() if found.rewrites else ():
        exec(source, namespace)
    assert jnp.allclose(namespace["f"](X, p), want)


REFUSED = {
    "others write down what it sees": "LOG = []\n"
    + MEAN.replace("self.n += 1", "self.n += 1\n        LOG.append(v)")
    + SERVED["in a branch"],
    "a helper does": (
        "LOG = []\n\ndef note(v):\n    LOG.append(v)\n\n"
        + MEAN.replace("self.n += 1", "self.n += 1\n        note(v)")
        + SERVED["in a branch"]
    ),
    "it counts for the whole class": MEAN.replace("self.n += 1", "self.n += 1\n        Mean.total = 1") + SERVED["in a branch"],
    "it has two names": MEAN + SERVED["in a branch"].replace("m = Mean()", "m = Mean()\n    other = m"),
    "it comes back": MEAN + SERVED["in a branch"].replace("return m.mean, m.n", "return vars(m)"),
}


@pytest.mark.parametrize("why", REFUSED)
def test_what_others_notice_stays_theirs(why):
    """Nothing is shown where more than the function's own variables would have to change."""
    found = jm.diagnose(define(REFUSED[why])["f"], X)
    assert not found.rewrites


def test_an_object_of_the_module_is_none_of_the_functions_own():
    source = MEAN + "SEEN = Mean()\n" + SERVED["in a branch"].replace("m = Mean()", "m = SEEN")
    assert not jm.diagnose(define(source)["f"], X).rewrites


MODEL = """
class Model:
    def __init__(self, n, rate=0.1):
        self.w, self.b, self.rate, self.losses = jnp.zeros(n), 0.0, rate, []

    def scaled(self, k):
        self.rate = self.rate * k
        return self

    def fit(self, X, y, rounds=20, tol=1e-4):
        last = jnp.inf
        for _ in range(rounds):
            r = X @ self.w + self.b - y
            loss = (r**2).mean()
            if abs(last - loss) < tol:
                break
            self.w -= self.rate * X.T @ r / len(y)
            self.b -= self.rate * r.mean()
            self.losses.append(loss)
            last = loss
        return self

    def predict(self, X):
        return X @ self.w + self.b
"""
FITTED = {
    "as it is made": "model = Model(2).fit(X, y)",
    "one after another": "model = Model(2, rate=0.5).scaled(0.5).fit(X, y, tol=1e-3)",
    "and bound again": "model = Model(2)\n    model = model.scaled(2.0).fit(X, y)",
}


@pytest.mark.parametrize("how", FITTED)
def test_methods_that_give_the_object_itself_may_be_called_in_a_row(how):
    """As `model = Model(n).fit(X, y)` is written everywhere."""
    source = f"{MODEL}\n\ndef f(X, y):\n    {FITTED[how]}\n    return model.predict(X), len(model.losses)\n"
    X, y = jnp.array([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]]), jnp.array([1.0, 2.0, 3.0])
    found = check(source, (X, y), (X * 0, y * 0), seconds=20.0)
    assert "while_loop" in found.rewrites[0].patterns


def test_a_method_that_gives_something_else_is_bound_to_the_name_as_it_stands():
    """What it gives is no object of the class."""
    source = MODEL.replace("return self\n\n    def predict", "return self.w\n\n    def predict")
    source += "\n\ndef f(X, y):\n    w = Model(2).fit(X, y)\n    return w * 2\n"
    X, y = jnp.array([[1.0, 0.0], [0.0, 1.0]]), jnp.array([1.0, 2.0])
    namespace = define(source)
    assert not own_objects._gives_itself(namespace["Model"], "fit") and own_objects._gives_itself(namespace["Model"], "scaled")
    found = jm.diagnose(namespace["f"], X, y)
    assert not any("w_w" in rewrite.source for rewrite in (*found.rewrites, *found.unverified))


def test_a_function_that_the_object_is_given_is_no_method_of_it():
    """`self.f(y)` calls what was given, and stays a call of it."""
    source = """
class Solver:
    def __init__(self, f, h):
        self.f, self.h, self.rejected = f, h, 0

    def step(self, y):
        change = self.h * self.f(y)
        if abs(change) > 0.5:
            self.rejected += 1
            self.h = 0.5 * self.h
            return y
        return y + change


def f(y, h=0.5):
    solver = Solver(lambda y: -y, h)
    for _ in range(8):
        y = solver.step(y)
    return y, solver.rejected
"""
    check(source, (jnp.float32(3.0),), (jnp.float32(0.2),), seconds=20.0)
