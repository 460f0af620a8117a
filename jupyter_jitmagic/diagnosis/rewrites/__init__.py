"""Rewrites of functions that cannot be traced: rules, the engine that applies them, and `propose`, the door.

How to add a rule. A rule is a small function in its family's file, listed in that file's `RULES`:

    def rule(spot: Spot) -> Iterator[Step]:
        '''`before` → `after`, in a line.'''
        node = spot.call("float")              # where the trace stopped: spot.node, spot.error, spot.kind, spot.locals
        if node is None:
            return                             # not this rule's business
        yield spot.step("jnp", (node, f"{spot.jnp('asarray')}({spot.code.expr(node.args[0])}, float)"))

`Spot` (`rules`) is the place at which the trace stopped, in the text as it is by then; `spot.code` (`code`) is that
text with its tree: `src`, `expr`, `operand`, `block_text`, `live_after`, `fresh`, …; `spot.jnp("where")`, `spot.lax("cond")`,
`spot.jax("tree.map")` spell names by the user's own aliases and add a missing import. `spot.step(pattern, (node, new text), …)`
makes the proposal; several steps are alternatives, best first. `Obstacle("…")` is raised where the rule knows why no rewrite is
right; the user reads the sentence. A step says in `excludes` which kinds of varied inputs (those of `proof.inputs`) it does not
serve, and why that is right; `risky=True` where it evaluates what plain Python did not (gradients are then compared too).

What a rule writes need not trace yet: the engine traces again and calls the rules on what stops it next. So a rule does one
thing (a loop with `break` becomes a `while` with a flag) and leaves the rest to others. A rule never computes by a host
callback. Nothing a rule writes is believed: `verify` runs it beside the plain function.

Where a rule belongs, by what stops the trace (each file's first line says its one form):

- a test on data: `boolean`, `branches` (`assigning`, `returning`), `checks`, `own_conditions`; on objects of flax's:
  `state_updates`, `held_values`.
- a loop or a recursion that data ends: `loops` (`loop_exits`, `one_answer`, `carrying`, `rounds`, `moving_on`), `rolling`
  (`stepped`), `none_first`, `recursion`, and `gathered` for one whose result is added up on its way.
- a length that data decides: `selections` is the rule, `flow.Flow` the walk. What makes such a value is in `selecting`,
  `grouping` and `cutting`; what is done with it in `consuming`, by the table in `operations`: a row there, or a consumer
  (`reducing`, `ordering`, `reshaping`, `choosing`, `convolving`); one that an option looks up in a table:
  `chosen_functions`. How safe what does not count must be: `safety`; that two are equally long though no number says so:
  `ragged.Writer.as_long`, `rises_and_falls`; that a choice is none as the other side is an array of nothing:
  `beside_nothing`.
- what is first put into a form that the walk knows: a loop that trims (`trimming`), a ufunc's reduction
  (`ufunc_reductions`), lists begun at gaps (`clusters`), selections in a list or dict (`selected_by_turn`, and
  `listed_selections` where data says how many), a dict with one value for each label (`once_a_label`).
- Python's containers that data fills or asks: `lists` (`joined_lists`, `none_in_lists`), `containers`, `growing` (how long at
  most: `rounds`, `moving_on`, `walking`), `queues`, `keyed`, `associated`, `lookups`, `best_keys` and kin.
- a value that Python asks for: `conversions`, `host_functions`, `host_sizes`, `printing`.
"""

from __future__ import annotations

from jupyter_jitmagic.diagnosis.proof.arguments import ARRAYS_ALONE
from jupyter_jitmagic.diagnosis.rewrites import (
    absent,
    added_items,
    annotated,
    appended_once,
    as_dicts,
    associated,
    attributes,
    beside_nothing,
    best_items,
    best_keys,
    best_of,
    boolean,
    branches,
    buffers,
    by_element,
    by_numpy,
    by_their_module,
    caught,
    changed_arguments,
    checks,
    chosen_lists,
    chosen_none,
    chosen_words,
    clamping,
    clusters,
    consecutive,
    containers,
    conversions,
    counting_loops,
    dense_ranks,
    dict_updates,
    drawing,
    either,
    empties,
    emptiness,
    enumerated,
    filled,
    filled_up,
    fixed_keys,
    gathered,
    generators,
    groups_read_back,
    held_values,
    host_functions,
    host_sizes,
    in_pieces,
    infinite_starts,
    inner_functions,
    interpolating,
    iterators,
    joined_lists,
    kept_dicts,
    kept_in_bodies,
    kept_in_loops,
    kept_sorted,
    kept_tuples,
    keyed,
    known_groups,
    label_counts,
    left_out,
    library_options,
    listed_selections,
    listed_values,
    lists,
    lookups,
    loops,
    matching,
    met_once,
    named_fields,
    named_in_tests,
    named_keys,
    named_states,
    nearest_first,
    no_rounds,
    none_first,
    none_in_lists,
    nonlocals,
    numbered,
    objects,
    once_a_label,
    other_names,
    own_conditions,
    own_lines,
    own_objects,
    packed,
    padded_lists,
    pairing,
    parallel_lists,
    powers,
    printing,
    promoting,
    put_into_lists,
    queues,
    ranked,
    recursion,
    rejoined,
    remaining,
    replaced_fields,
    rolling,
    roots,
    rows_of_lists,
    rows_of_names,
    selected_by_turn,
    selections,
    slice_updates,
    slices,
    sorting,
    spliced,
    standard_library,
    state_updates,
    taken_out,
    trimming,
    ufunc_reductions,
    whole_as_floats,
    window_values,
    written_out,
    yielding,
)
from jupyter_jitmagic.diagnosis.rewrites.proposing import Proposals, propose
from jupyter_jitmagic.diagnosis.rewrites.rules import Obstacle, Rule, Spot, Step

# families in the order in which they are asked; what is known while tracing first, then conversions: a call that needs the
# value is no test yet
RULES: list[Rule] = [
    *absent.RULES,
    *annotated.RULES,
    *whole_as_floats.RULES,
    *caught.RULES,
    *own_objects.RULES,
    *nonlocals.RULES,
    *emptiness.RULES,
    *beside_nothing.RULES,
    *changed_arguments.RULES,
    *own_lines.STATEMENTS,
    *added_items.RULES,
    *chosen_lists.RULES,
    *chosen_words.RULES,
    *replaced_fields.RULES,
    *rows_of_names.RULES,
    *named_fields.RULES,
    *named_keys.RULES,
    *named_states.RULES,
    *best_keys.RULES,
    *boolean.IDENTITY,
    *generators.RULES,
    *kept_in_bodies.RULES,
    *by_numpy.RULES,
    *host_sizes.RULES,
    *by_numpy.LAST,
    *appended_once.RULES,
    *rolling.RULES,
    *empties.RULES,
    *no_rounds.RULES,
    *other_names.RULES,
    *buffers.RULES,
    *interpolating.RULES,
    *standard_library.RULES,
    *roots.RULES,
    *by_element.RULES,
    *host_functions.RULES,
    *iterators.RULES,
    *dense_ranks.RULES,
    *groups_read_back.RULES,
    *in_pieces.RULES,
    *selected_by_turn.RULES,
    *listed_selections.RULES,
    *once_a_label.RULES,
    *clusters.RULES,
    *rows_of_lists.RULES,
    *put_into_lists.RULES,
    *keyed.ADDED_UP,
    *fixed_keys.RULES,
    *as_dicts.RULES,
    *associated.RULES,
    *keyed.RULES,
    *inner_functions.RULES,
    *nearest_first.RULES,
    *queues.RULES,
    *remaining.RULES,
    *numbered.RULES,
    *best_items.RULES,
    *containers.RULES,
    *met_once.RULES,
    *ranked.RULES,
    *sorting.RULES,
    *kept_sorted.RULES,
    *taken_out.RULES,
    *enumerated.RULES,
    *best_of.RULES,
    *consecutive.RULES,
    *clamping.RULES,
    *matching.BEFORE_CONVERSIONS,
    *conversions.RULES,
    *lookups.RULES,
    *drawing.RULES,
    *powers.RULES,
    *slices.SPELLED,
    *slice_updates.UPDATES,
    *window_values.RULES,
    *named_in_tests.RULES,
    *kept_dicts.RULES,
    *dict_updates.RULES,
    *kept_tuples.RULES,
    *padded_lists.RULES,
    *pairing.RULES,
    *by_their_module.RULES,
    *spliced.RULES,
    *rejoined.RULES,
    *packed.RULES,
    *either.RULES,
    *filled_up.RULES,
    *known_groups.RULES,
    *label_counts.SELECTED,
    *library_options.RULES,
    *trimming.RULES,
    *ufunc_reductions.RULES,
    *selections.RULES,
    *parallel_lists.RULES,
    *kept_in_loops.RULES,
    *label_counts.RULES,
    *known_groups.LAST,
    *slices.WINDOWS,
    *written_out.RULES,
    *printing.RULES,
    *left_out.RULES,
    *none_in_lists.RULES,
    *chosen_none.RULES,
    *own_conditions.RULES,
    *boolean.RULES,
    *gathered.RULES,
    *recursion.RULES,
    *matching.RULES,
    *checks.RULES,
    *objects.RULES,
    *listed_values.RULES,
    *lists.RULES,
    *containers.IN_BRANCHES,
    *none_first.RULES,
    *attributes.RULES,
    *held_values.RULES,
    *state_updates.RULES,
    *branches.RULES,
    *filled.RULES,
    *promoting.RULES,
    *loops.RULES,
    *none_first.LAST,
    *boolean.LAST,
    *own_lines.RULES,
    *infinite_starts.RULES,
]

# asked about the calls that led to a place, where no rule knew an answer at the place itself
OUTWARD: list[Rule] = [
    *absent.OUTWARD, *caught.OUTWARD, *none_in_lists.OUTWARD, *chosen_none.OUTWARD, *host_sizes.OUTWARD, *own_objects.OUTWARD,
    *changed_arguments.OUTWARD, *yielding.OUTWARD, *named_states.OUTWARD, *best_keys.OUTWARD,
    *joined_lists.OUTWARD,
    *emptiness.OUTWARD, *attributes.OUTWARD, *selections.OUTWARD, *counting_loops.OUTWARD,
]  # fmt: skip

# asked about Python's loops that make a large program, though nothing stops its trace
ROLLING: list[Rule] = rolling.RULES

__all__ = ["ARRAYS_ALONE", "OUTWARD", "ROLLING", "RULES", "Obstacle", "Proposals", "Rule", "Spot", "Step", "propose"]
