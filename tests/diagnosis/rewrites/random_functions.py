"""Functions made at random from what people write in front of `jax.jit`: branches, loops, early returns, ternaries, chained
comparisons, min and max, conversions. They are nastier than people's, so that the engine meets what nobody thought of.

Every function takes ``x`` (a float array of four), ``y`` (a float) and ``k`` (an int), and every loop ends.
"""

from __future__ import annotations

import random

_FLOATS = ["0.0", "0.5", "1.0", "2.0", "-1.0", "1", "2", "0", "3.0"]
_COUNTER = "p"
"""Names that begin so count the rounds of a while loop: nothing else assigns to them."""

Names = dict[str, str]
"""Variables with what they hold: "f" a float, "i" an int, "a" an array."""


def function(seed: int) -> str:
    """The source of a function ``f(x, y, k)``; the same for the same seed."""
    return _Writer(random.Random(seed)).function()


class _Writer:
    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.lines: list[str] = []
        self.depth, self.loops, self.named = 0, 0, 0
        self.returns = chance.choice(["float", "float", "array", "pair"])

    def function(self) -> str:
        known: Names = {"x": "a", "y": "f", "k": "i"}
        for _ in range(self.chance.choice([1, 2, 2, 3])):
            self.assignment(known)
        for _ in range(self.chance.choice([1, 2, 3])):
            self.statement(known, in_loop=False)
        self.give_back(known)
        return "def f(x, y, k):\n" + "\n".join(self.lines) + "\n"

    # -- statements ------------------------------------------------------------------------------------

    def write(self, text: str) -> None:
        self.lines.append("    " * (self.depth + 1) + text)

    def name(self, kind: str) -> str:
        self.named += 1
        return f"{kind}{self.named}"

    def block(self, header: str, known: Names, sizes: list[int], in_loop: bool, last: str = "") -> None:
        self.write(header)
        self.depth += 1
        inner = dict(known)
        for _ in range(self.chance.choice(sizes)):
            self.statement(inner, in_loop)
        if last == "return":
            self.give_back(inner)
        elif last:
            self.write(last)
        self.depth -= 1

    def statement(self, known: Names, in_loop: bool) -> None:
        choice = self.chance.random()
        if self.depth >= 3 or choice < 0.5 or (choice >= 0.75 and self.loops >= 2):
            self.assignment(known)
        elif choice < 0.75:
            self.branch(known, in_loop)
        elif choice < 0.88:
            self.for_loop(known)
        else:
            self.while_loop(known)

    def branch(self, known: Names, in_loop: bool) -> None:
        leaving = [self.chance.choice(["break", "continue"])] if in_loop and self.chance.random() < 0.25 else []
        leaving += ["return"] if self.chance.random() < 0.15 else []
        self.block(f"if {self.test(known)}:", known, [1, 1, 2], in_loop, leaving[0] if leaving else "")
        if self.chance.random() < 0.3:
            self.block(f"elif {self.test(known)}:", known, [1], in_loop)
        if self.chance.random() < 0.5:
            self.block("else:", known, [1, 1, 2], in_loop)

    def for_loop(self, known: Names) -> None:
        count = self.chance.choice([*_of("i", known), "3", "4"])
        each = self.name("i")
        start = "" if self.chance.random() < 0.8 else "1, "
        self.loops += 1
        self.block(f"for {each} in range({start}{count}):", {**known, each: "i"}, [1, 2, 3], in_loop=True)
        self.loops -= 1
        if self.chance.random() < 0.1:
            self.block("else:", known, [1], in_loop=False)

    def while_loop(self, known: Names) -> None:
        rounds = self.name(_COUNTER)
        self.write(f"{rounds} = 0")
        known[rounds] = "i"
        limit, test = self.chance.choice([3, 5]), self.test(known, 1)
        ends_first = self.chance.random() < 0.6
        header = f"{rounds} < {limit} and ({test})" if ends_first else f"({test}) and {rounds} < {limit}"
        self.write(f"while {header}:")
        self.depth += 1
        self.write(f"{rounds} += 1")
        self.depth -= 1
        self.loops += 1
        place = len(self.lines)
        self.block("", known, [1, 2], in_loop=True)
        del self.lines[place]  # the header stands above the counter
        self.loops -= 1

    def assignment(self, known: Names) -> None:
        own = [name for name in known if not name.startswith(_COUNTER)]
        choice = self.chance.random()
        floats = [name for name in own if known[name] == "f"]
        if choice < 0.45:
            name = self.chance.choice(own)
            if known[name] == "f" and self.chance.random() < 0.5:
                self.write(f"{name} {self.chance.choice(['+=', '-=', '*='])} {self.float(known, 1)}")
                return
        elif choice < 0.55 and len(floats) > 1:
            first, second = self.chance.sample(floats, 2)
            self.write(f"{first}, {second} = {self.float(known, 1)}, {first}")
            return
        else:
            name = self.name(self.chance.choice("fffia"))
        kind = known.get(name, name[0])
        self.write(f"{name} = {self.expression(kind, known)}")
        known[name] = kind

    def give_back(self, known: Names) -> None:
        if self.returns == "array":
            self.write(f"return {self.array(known)}")
        else:
            self.write(f"return {self.float(known, 1)}" + (f", {self.int(known, 1)}" if self.returns == "pair" else ""))

    # -- expressions -----------------------------------------------------------------------------------

    def expression(self, kind: str, known: Names) -> str:
        return {"f": self.float, "i": self.int}[kind](known) if kind != "a" else self.array(known)

    def float(self, known: Names, deep: int = 0) -> str:
        chance, inner = self.chance, lambda: self.float(known, deep + 1)
        choice = chance.random()
        if deep > 2 or choice < 0.3:
            return chance.choice(_of("f", known)) if chance.random() < 0.8 else chance.choice(_FLOATS)
        if choice < 0.55:
            return f"({inner()} {chance.choice(['+', '-', '*'])} {inner()})"
        if choice < 0.62:
            return f"jnp.{chance.choice(['sin', 'tanh', 'abs', 'cos'])}({inner()})"
        if choice < 0.68:
            return f"{chance.choice(['max', 'min'])}({inner()}, {inner()})"
        if choice < 0.72:
            return f"abs({inner()})"
        if choice < 0.82:
            return f"{chance.choice(_of('a', known))}.{chance.choice(['sum', 'max', 'min', 'mean'])}()"
        if choice < 0.87:
            return f"{chance.choice(_of('a', known))}[{chance.choice(_of('i', known))} % 4]"
        if choice < 0.91:
            return f"({inner()} if {self.test(known, 1)} else {inner()})"
        if choice < 0.95:
            return f"float({chance.choice(_of('i', known)) if choice < 0.93 else inner()})"
        return f"{inner()} / ({inner()})" if choice < 0.97 else f"({inner()}) ** 2"

    def int(self, known: Names, deep: int = 0) -> str:
        chance, inner = self.chance, lambda: self.int(known, deep + 1)
        choice = chance.random()
        if deep > 1 or choice < 0.4:
            return chance.choice(_of("i", known)) if chance.random() < 0.8 else str(chance.choice([0, 1, 2, 3]))
        if choice < 0.7:
            return f"{inner()} {chance.choice(['+', '-'])} {inner()}"
        if choice < 0.8:
            return f"({inner()}) {chance.choice(['//', '%'])} {chance.choice([2, 3])}"
        return f"int({self.float(known, 1)})" if choice < 0.9 else f"abs({inner()})"

    def array(self, known: Names) -> str:
        chance, array = self.chance, self.chance.choice(_of("a", known))
        choice = chance.random()
        if choice < 0.4:
            return f"{array} {chance.choice(['+', '-', '*'])} {self.float(known, 2)}"
        if choice < 0.55:
            return f"jnp.{chance.choice(['sin', 'tanh', 'abs', 'flip', 'cumsum'])}({array})"
        if choice < 0.7:
            return f"{array} {chance.choice(['+', '-', '*'])} {chance.choice(_of('a', known))}"
        if choice < 0.8:
            return f"jnp.where({array} > {self.float(known, 2)}, {array}, {chance.choice(_FLOATS)})"
        return f"{array}.at[{chance.randint(0, 3)}].set({self.float(known, 2)})" if choice < 0.9 else array

    def test(self, known: Names, deep: int = 0) -> str:
        chance = self.chance
        choice = chance.random()
        comparison = chance.choice(["<", ">", "<=", ">=", ">", "<"])
        if deep < 2 and choice < 0.22:
            return f"{self.test(known, deep + 1)} {'and' if choice < 0.12 else 'or'} {self.test(known, deep + 1)}"
        if deep < 2 and choice < 0.28:
            return f"not ({self.test(known, deep + 1)})"
        if choice < 0.36:
            return f"{chance.choice(_FLOATS)} {comparison} {self.float(known, 2)} < {chance.choice(_FLOATS)}"
        if choice < 0.5:
            return f"{chance.choice(_of('i', known))} {chance.choice(['==', '!=', '<', '>'])} {chance.choice([0, 1, 2])}"
        if choice < 0.6:
            name = chance.choice(_of("i", known))
            return f"{name} % 2 == 0" if choice < 0.55 else f"{name} in (1, 2)"
        if choice < 0.66:
            array = chance.choice(_of("a", known))
            return f"jnp.{chance.choice(['any', 'all'])}({array} {comparison} {chance.choice(_FLOATS)})"
        return f"{self.float(known, 2)} {comparison} {self.float(known, 2)}"


def _of(kind: str, known: Names) -> list[str]:
    return [name for name, holds in known.items() if holds == kind]
